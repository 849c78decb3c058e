package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import software.amazon.awscdk.Fn;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.ISubnet;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.IpAddresses;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetConfiguration;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.constructs.Construct;
import software.constructs.IDependable;

/**
 * The VPC, a public subnet per zone, the free way to S3, and who may talk to whom.
 *
 * <p>Zones are the region's first ones, chosen by CloudFormation: nothing is looked up. The machines have public
 * addresses, to fetch packages and images without a NAT gateway; their security groups alone decide who reaches them:
 * <pre>
 *   the world    80, 443/tcp                                  → balancer
 *   balancer     80, 443/tcp                                  → hosts
 *   machines     2377/tcp, 7946/tcp+udp, 4789/udp             → machines (hosts and the witness)
 *   machines     2049/tcp                                     → storage
 * </pre>
 * and ICMP "fragmentation needed" wherever packets from the internet go, or large ones would vanish silently.
 * Nobody reaches SSH: Session Manager needs no open port.
 */
final class Network extends Construct {
    private static final List<Integer> WEB = List.of(80, 443);

    private final Vpc vpc;
    private final SecurityGroup balancerGroup;
    private final SecurityGroup hostGroup;
    private final SecurityGroup machineGroup;
    private final SecurityGroup storageGroup;

    Network(Construct scope, String id, Settings settings) {
        super(scope, id);
        vpc = createVpc(settings);
        balancerGroup = createGroup("BalancerGroup", "The load balancer: 80 and 443 from the world", false);
        hostGroup = createGroup("HostGroup", "The hosts: 80 and 443 from the load balancer", false);
        machineGroup = createGroup("MachineGroup", "The machines of the Swarm: its own ports among themselves", true);
        storageGroup = createGroup("StorageGroup", "The shared storage: NFS from the machines", false);
        allowWeb();
        allowSwarm();
        storageGroup.addIngressRule(machineGroup, Port.tcp(2049), "NFS from the machines");
    }

    private Vpc createVpc(Settings settings) {
        return Vpc.Builder.create(this, "Vpc")
                .ipAddresses(IpAddresses.cidr(settings.vpcCidr()))
                .availabilityZones(IntStream.range(0, settings.zones())
                        .mapToObj(zone -> Fn.select(zone, Fn.getAzs()))
                        .toList())
                .natGateways(0)
                // Nothing is in the default group; emptying it would take a Lambda function of CDK's.
                .restrictDefaultSecurityGroup(false)
                .subnetConfiguration(List.of(SubnetConfiguration.builder()
                        .name("Public")
                        .subnetType(SubnetType.PUBLIC)
                        .cidrMask(settings.subnetPrefix())
                        .build()))
                .gatewayEndpoints(Map.of(
                        "S3",
                        GatewayVpcEndpointOptions.builder()
                                .service(GatewayVpcEndpointAwsService.S3)
                                .build()))
                .build();
    }

    private SecurityGroup createGroup(String id, String description, boolean mayReachAnything) {
        return SecurityGroup.Builder.create(this, id)
                .vpc(vpc)
                .description(description)
                .allowAllOutbound(mayReachAnything)
                .build();
    }

    private void allowWeb() {
        for (int port : WEB) {
            balancerGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(port), "The world to " + port);
            balancerGroup.addEgressRule(hostGroup, Port.tcp(port), "To the hosts' " + port);
            hostGroup.addIngressRule(balancerGroup, Port.tcp(port), "The load balancer to " + port);
        }
        Port fragmentationNeeded = Port.icmpTypeAndCode(3, 4);
        balancerGroup.addIngressRule(Peer.anyIpv4(), fragmentationNeeded, "Path MTU discovery");
        balancerGroup.addEgressRule(hostGroup, fragmentationNeeded, "Path MTU discovery");
        machineGroup.addIngressRule(Peer.anyIpv4(), fragmentationNeeded, "Path MTU discovery");
    }

    private void allowSwarm() {
        machineGroup.addIngressRule(machineGroup, Port.tcp(2377), "Swarm management");
        machineGroup.addIngressRule(machineGroup, Port.tcp(7946), "Swarm gossip");
        machineGroup.addIngressRule(machineGroup, Port.udp(7946), "Swarm gossip");
        machineGroup.addIngressRule(machineGroup, Port.udp(4789), "Swarm overlay networks");
    }

    IVpc vpc() {
        return vpc;
    }

    /** The subnets of the hosts and the balancer: in the first two zones. */
    SubnetSelection hostSubnets() {
        return select(vpc.getPublicSubnets().subList(0, 2));
    }

    /** Where the witness stands: alone in a third zone, or, where there are two, in whichever of them has room. */
    SubnetSelection witnessSubnets() {
        List<ISubnet> subnets = vpc.getPublicSubnets();
        return select(subnets.size() > 2 ? subnets.subList(2, 3) : subnets);
    }

    ISecurityGroup balancerGroup() {
        return balancerGroup;
    }

    ISecurityGroup hostGroup() {
        return hostGroup;
    }

    ISecurityGroup machineGroup() {
        return machineGroup;
    }

    ISecurityGroup storageGroup() {
        return storageGroup;
    }

    /** What has to be there before a machine can reach anything: the subnets' routes, and every rule of the groups. */
    List<IDependable> reachability() {
        Stream<IDependable> routes = vpc.getPublicSubnets().stream().map(ISubnet::getInternetConnectivityEstablished);
        return Stream.concat(routes, Stream.of(balancerGroup, hostGroup, machineGroup, storageGroup))
                .toList();
    }

    private static SubnetSelection select(List<ISubnet> subnets) {
        return SubnetSelection.builder().subnets(subnets).build();
    }
}
