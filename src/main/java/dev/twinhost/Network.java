package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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
 */
final class Network extends Construct {
    private final Vpc vpc;
    private final SecurityGroups groups;

    Network(Construct scope, String id, Settings settings) {
        super(scope, id);
        vpc = createVpc(settings);
        groups = new SecurityGroups(this, "Groups", vpc);
    }

    private Vpc createVpc(Settings settings) {
        return Vpc.Builder.create(this, "Vpc")
                .ipAddresses(IpAddresses.cidr(settings.vpcCidr()))
                .maxAzs(settings.zones())
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

    SecurityGroups groups() {
        return groups;
    }

    /** What has to be there before a machine can reach anything: the subnets' routes, and every rule of the groups. */
    List<IDependable> reachability() {
        Stream<IDependable> routes = vpc.getPublicSubnets().stream().map(ISubnet::getInternetConnectivityEstablished);
        return Stream.concat(routes, Stream.of(groups)).toList();
    }

    private static SubnetSelection select(List<ISubnet> subnets) {
        return SubnetSelection.builder().subnets(subnets).build();
    }
}
