package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import software.amazon.awscdk.Acknowledgment;
import software.amazon.awscdk.Validations;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.ISubnet;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.IpAddresses;
import software.amazon.awscdk.services.ec2.SubnetConfiguration;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.constructs.Construct;
import software.constructs.IDependable;

/**
 * The VPC, a public subnet per zone, the free way to S3, and the {@link SecurityGroups}.
 *
 * <p>The machines have public
 * addresses, to fetch packages and images without a NAT gateway; their security groups alone decide who reaches them.
 * Where NAT gateways are wanted, there is a private subnet per zone as well, and the machines stand there, without such
 * an address. The public subnets are the same either way, with the balancer and the mount targets in them: a zone of a
 * file system has one mount target, so it could not be made anew beside the old one.
 */
final class Network extends Construct {
    private final Vpc vpc;
    private final SecurityGroups groups;
    private final List<ISubnet> machineSubnets;

    Network(Construct scope, String id, Settings settings) {
        super(scope, id);
        vpc = createVpc(settings);
        // a subnet cannot move to another zone, so those that were looked up stay
        Validations.of(vpc)
                .acknowledge(Acknowledgment.builder()
                        .id("CloudFormation-Validate::W3010")
                        .reason(
                                "The zones are looked up once and kept in cdk.context.json: a subnet cannot change its zone.")
                        .build());
        machineSubnets = settings.privateMachines() ? vpc.getPrivateSubnets() : vpc.getPublicSubnets();
        groups = new SecurityGroups(this, "Groups", vpc);
    }

    private Vpc createVpc(Settings settings) {
        return Vpc.Builder.create(this, "Vpc")
                .ipAddresses(IpAddresses.cidr(settings.vpcCidr()))
                .maxAzs(settings.zones())
                .natGateways(settings.natGateways())
                // Nothing is in the default group; emptying it would take a Lambda function of CDK's.
                .restrictDefaultSecurityGroup(false)
                .subnetConfiguration(subnets(settings))
                .gatewayEndpoints(Map.of(
                        "S3",
                        GatewayVpcEndpointOptions.builder()
                                .service(GatewayVpcEndpointAwsService.S3)
                                .build()))
                .build();
    }

    private static List<SubnetConfiguration> subnets(Settings settings) {
        List<SubnetConfiguration> subnets = new ArrayList<>();
        subnets.add(subnet("Public", SubnetType.PUBLIC, settings.subnetPrefix()));
        if (settings.privateMachines()) {
            subnets.add(subnet("Private", SubnetType.PRIVATE_WITH_EGRESS, settings.privateSubnetPrefix()));
        }
        return subnets;
    }

    private static SubnetConfiguration subnet(String name, SubnetType type, int prefix) {
        return SubnetConfiguration.builder()
                .name(name)
                .subnetType(type)
                .cidrMask(prefix)
                .build();
    }

    IVpc vpc() {
        return vpc;
    }

    /** The subnets of the balancer: public, in the first two zones. */
    SubnetSelection balancerSubnets() {
        return select(vpc.getPublicSubnets().subList(0, 2));
    }

    /** The subnets of the hosts: in the zones of the balancer. */
    SubnetSelection hostSubnets() {
        return select(machineSubnets.subList(0, 2));
    }

    /** Where the witness stands: alone in a third zone, or, where there are two, in whichever of them has room. */
    SubnetSelection witnessSubnets() {
        return select(machineSubnets.size() > 2 ? machineSubnets.subList(2, 3) : machineSubnets);
    }

    SecurityGroups groups() {
        return groups;
    }

    /** What has to be there before a machine can reach anything: the subnets' routes, and every rule of the groups. */
    List<IDependable> reachability() {
        Stream<IDependable> routes = machineSubnets.stream().map(ISubnet::getInternetConnectivityEstablished);
        return Stream.concat(routes, Stream.of(groups)).toList();
    }

    private static SubnetSelection select(List<ISubnet> subnets) {
        return SubnetSelection.builder().subnets(subnets).build();
    }
}
