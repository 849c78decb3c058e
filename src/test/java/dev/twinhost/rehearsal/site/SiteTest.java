package dev.twinhost.rehearsal.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.assembly.Unplayable;
import dev.twinhost.rehearsal.system.Failure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SiteTest {
    @Test
    void shouldReadTheMachineGroupsInTheOrderOfTheirDependencies() {
        Site site = new SmallAssembly().read();
        MachineGroup hosts = site.machineGroup("Hosts");
        MachineGroup witness = site.machineGroup("Witness");
        assertThat(hosts.size()).isEqualTo(2);
        assertThat(hosts.signals()).isEqualTo(2);
        assertThat(hosts.signalTimeout()).isEqualTo(Duration.ofMinutes(15));
        assertThat(hosts.after()).isEmpty();
        assertThat(hosts.subnets()).extracting(Subnet::zone).containsExactly("eu-central-1a", "eu-central-1b");
        assertThat(witness.after()).containsExactly("Hosts");
        assertThat(witness.serves()).isFalse();
    }

    @Test
    void shouldReadHowAGroupReplacesAMachine() {
        MachineGroup hosts = new SmallAssembly()
                .with(
                        "/Hosts/Properties/InstanceMaintenancePolicy",
                        "{\"MinHealthyPercentage\": 100, \"MaxHealthyPercentage\": 150}")
                .with("/Hosts/Properties/DefaultInstanceWarmup", "30")
                .with("/Hosts/Properties/Tags", "[{\"Key\": \"a:b\", \"Value\": \"c\", \"PropagateAtLaunch\": true}]")
                .read()
                .machineGroup("Hosts");
        assertThat(hosts.smallest()).isEqualTo(2);
        assertThat(hosts.largest()).isEqualTo(3);
        assertThat(hosts.goodbye()).contains(new TerminationHook("goodbye", Duration.ofHours(1)));
        assertThat(hosts.maintenance()).contains(new MaintenancePolicy(100, 150, Duration.ofSeconds(30)));
        assertThat(hosts.tags()).containsExactly(Map.entry("a:b", "c"));
    }

    @Test
    void shouldReadWhatAGroupWantsAndWhichMachineOfASurplusEndsFirst() {
        MachineGroup silent = new SmallAssembly().read().machineGroup("Hosts");
        assertThat(silent.desired()).isEmpty();
        assertThat(silent.size()).isEqualTo(2);
        assertThat(silent.termination()).isEqualTo(MachineGroup.Termination.OLDEST);
        MachineGroup explicit = new SmallAssembly()
                .with("/Hosts/Properties/DesiredCapacity", "\"3\"")
                .with("/Hosts/Properties/TerminationPolicies", "[\"NewestInstance\"]")
                .read()
                .machineGroup("Hosts");
        assertThat(explicit.desired()).contains(3);
        assertThat(explicit.size()).isEqualTo(3);
        assertThat(explicit.termination()).isEqualTo(MachineGroup.Termination.NEWEST);
    }

    @Test
    void shouldRefuseAnOrderOfTerminationThatItDoesNotPlay() {
        SmallAssembly assembly = new SmallAssembly()
                .with("/Hosts/Properties/TerminationPolicies", "[\"OldestLaunchTemplate\", \"Default\"]");
        assertThatExceptionOfType(Unplayable.class)
                .isThrownBy(assembly::read)
                .withMessageContaining("TerminationPolicies = OldestLaunchTemplate, Default;"
                        + " it plays Default, NewestInstance and OldestInstance, one of them");
    }

    @ParameterizedTest
    @CsvSource({"100, 150, 2, 2, 3", "100, 200, 1, 1, 2", "50, 110, 3, 2, 4", "90, 120, 100, 90, 120"})
    void shouldRoundThePercentagesOfAMaintenancePolicyUp(int min, int max, int size, int least, int most) {
        MaintenancePolicy policy = new MaintenancePolicy(min, max, Duration.ZERO);
        assertThat(policy.least(size)).isEqualTo(least);
        assertThat(policy.most(size)).isEqualTo(most);
    }

    @Test
    void shouldReadHowCloudFormationReplacesTheMachinesOfAGroup() {
        assertThat(new SmallAssembly().read().machineGroup("Hosts").update()).isEmpty();
        assertThat(updatePolicy("{\"AutoScalingRollingUpdate\": {}}").update())
                .contains(new RollingUpdate(0, 1, 100, false, Duration.ZERO, List.of(), false));
        assertThat(updatePolicy("""
                        {"AutoScalingRollingUpdate": {"MinInstancesInService": 2, "MaxBatchSize": 1, "PauseTime": "PT30M",
                          "WaitOnResourceSignals": true, "MinSuccessfulInstancesPercent": 50,
                          "SuspendProcesses": ["HealthCheck"]},
                         "AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": true}}""").update())
                .contains(new RollingUpdate(2, 1, 50, true, Duration.ofMinutes(30), List.of("HealthCheck"), true));
    }

    @Test
    void shouldDecodeTheUserDataWithTheValuesOfItsResources() {
        Site site = new SmallAssembly().read();
        assertThat(site.machineGroup("Hosts").launchTemplate().userData())
                .isEqualTo("#!/bin/bash\nexport FILES='" + site.fileSystem() + "'\n");
    }

    @Test
    void shouldFillInWhatTheReleaseParameterRefersTo() {
        Site site = new SmallAssembly().read();
        assertThat(site.parameters().values())
                .containsExactly("{\"bucket\":\"assets-eu-central-1\",\"balancer\":\""
                        + site.balancer().dnsName() + "\"}");
        assertThat(site.assets()).singleElement().satisfies(asset -> {
            assertThat(asset.bucket()).isEqualTo("assets-123456789012-eu-central-1");
            assertThat(asset.key()).isEqualTo("site/release.zip");
        });
    }

    @Test
    void shouldTakeTheDefaultsOfAwsForWhatATargetGroupDoesNotSay() {
        TargetGroup group = new SmallAssembly()
                .with("/HttpsTargets/Properties", "{\"Port\": 443, \"Protocol\": \"TCP\"}")
                .read()
                .balancer()
                .targetGroups()
                .get(0);
        assertThat(group.check()).isEqualTo(new HealthCheck("TCP", 443, "/", "200-399", 30, 10, 5, 2));
        assertThat(group.endsUnhealthyConnections()).isTrue();
        assertThat(group.deregistrationDelay()).isEqualTo(300);
    }

    @Test
    void shouldKeepAMachineOffTheInternetWhereItHasNoPublicAddressOrNoRoute() {
        SmallAssembly unaddressed = new SmallAssembly().without("/SubnetA/Properties/MapPublicIpOnLaunch");
        SmallAssembly unrouted = new SmallAssembly().without("/TableOfA");
        assertThat(online(new SmallAssembly())).isTrue();
        assertThat(online(unaddressed)).isFalse();
        assertThat(online(unrouted)).isFalse();
    }

    @Test
    void shouldLetAMachineWithoutAPublicAddressOutThroughANatGatewayThatIsOutsideItself() {
        assertThat(online(behindNatGateway("SubnetB"))).isTrue();
        assertThat(online(behindNatGateway("SubnetA"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    /Https/Properties/Protocol | "TLS" | AWS::ElasticLoadBalancingV2::Listener Https | Protocol = TLS; it plays TCP
                    /Https/Properties/Certificates | [] | AWS::ElasticLoadBalancingV2::Listener Https | the property Certificates
                    /HttpsTargets/Properties/Protocol | "UDP" | AWS::ElasticLoadBalancingV2::TargetGroup HttpsTargets | Protocol = UDP; it plays TCP
                    /HttpsTargets/Properties/TargetType | "ip" | AWS::ElasticLoadBalancingV2::TargetGroup HttpsTargets | TargetType = ip; it plays instance
                    /HttpsTargets/Properties/HealthCheckProtocol | "HTTPS" | AWS::ElasticLoadBalancingV2::TargetGroup HttpsTargets | HealthCheckProtocol = HTTPS; it plays TCP and HTTP
                    /HttpsTargets/Properties/TargetGroupAttributes | [{"Key": "proxy_protocol_v2.enabled", "Value": "true"}] | AWS::ElasticLoadBalancingV2::TargetGroup HttpsTargets | proxy_protocol_v2.enabled = true; it plays false
                    /HttpsTargets/Properties/TargetGroupAttributes | [{"Key": "slow_start", "Value": "3"}] | AWS::ElasticLoadBalancingV2::TargetGroup HttpsTargets | the attribute slow_start
                    /Balancer/Properties/Type | "application" | AWS::ElasticLoadBalancingV2::LoadBalancer Balancer | Type = application; it plays network
                    /Balancer/Properties/IpAddressType | "dualstack" | AWS::ElasticLoadBalancingV2::LoadBalancer Balancer | IpAddressType = dualstack; it plays ipv4
                    /Balancer/Properties/LoadBalancerAttributes | [] | AWS::ElasticLoadBalancingV2::LoadBalancer Balancer | a missing load_balancing.cross_zone.enabled, which is false then; it plays true
                    /Hosts/Properties/HealthCheckType | "ELB" | AWS::AutoScaling::AutoScalingGroup Hosts | HealthCheckType = ELB; it plays EC2
                    /Hosts/Properties/LifecycleHookSpecificationList | [{"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}] | AWS::AutoScaling::AutoScalingGroup Hosts | LifecycleHookSpecificationList[0].LifecycleTransition = autoscaling:EC2_INSTANCE_LAUNCHING; it plays autoscaling:EC2_INSTANCE_TERMINATING
                    /Hosts/Properties/LifecycleHookSpecificationList | [{"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "LifecycleHookName": "a", "RoleARN": "r"}] | AWS::AutoScaling::AutoScalingGroup Hosts | the property LifecycleHookSpecificationList[0].RoleARN
                    /Hosts/Properties/LifecycleHookSpecificationList | [{}, {}] | AWS::AutoScaling::AutoScalingGroup Hosts | a second lifecycle hook
                    /Hosts/Properties/InstanceMaintenancePolicy | {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 160} | AWS::AutoScaling::AutoScalingGroup Hosts | an InstanceMaintenancePolicy of 50 to 160 percent
                    /Hosts/UpdatePolicy | {"AutoScalingReplacingUpdate": {"WillReplace": true}} | AWS::AutoScaling::AutoScalingGroup Hosts | the property UpdatePolicy.AutoScalingReplacingUpdate
                    /Hosts/UpdatePolicy | {"AutoScalingRollingUpdate": {"MinActiveInstancesPercent": 50}} | AWS::AutoScaling::AutoScalingGroup Hosts | the property UpdatePolicy.AutoScalingRollingUpdate.MinActiveInstancesPercent
                    /Hosts/UpdatePolicy | {"AutoScalingRollingUpdate": {"MinInstancesInService": 3}} | AWS::AutoScaling::AutoScalingGroup Hosts | MinInstancesInService = 3, which CloudFormation wants below MaxSize = 3
                    /Hosts/Properties/MixedInstancesPolicy | {} | AWS::AutoScaling::AutoScalingGroup Hosts | the property MixedInstancesPolicy
                    /HostTemplate/Properties/LaunchTemplateData/MetadataOptions/HttpTokens | "optional" | AWS::EC2::LaunchTemplate HostTemplate | LaunchTemplateData.MetadataOptions.HttpTokens = optional; it plays required
                    /HostTemplate/Properties/LaunchTemplateData/KeyName | "k" | AWS::EC2::LaunchTemplate HostTemplate | the property LaunchTemplateData.KeyName
                    /Route/Properties/NatGatewayId | "n" | AWS::EC2::Route Route | the property NatGatewayId
                    /Nat | {"Type": "AWS::EC2::NatGateway", "Properties": {"ConnectivityType": "private"}} | AWS::EC2::NatGateway Nat | ConnectivityType = private; it plays public
                    /BalancerToHosts/Properties/IpProtocol | "sctp" | AWS::EC2::SecurityGroupEgress BalancerToHosts | IpProtocol = sctp; it plays tcp and udp and icmp and icmpv6 and -1
                    /Apex/Properties/Type | "AAAA" | AWS::Route53::RecordSet Apex | Type = AAAA; it plays A and CNAME and CAA
                    /Release/Properties/Type | "StringList" | AWS::SSM::Parameter Release | Type = StringList; it plays String
                    /Vpc/Condition | "OnlySometimes" | AWS::EC2::VPC Vpc | a Condition
                    /Queue | {"Type": "AWS::SQS::Queue"} | AWS::SQS::Queue Queue | a resource of this type
                    /Vpc2 | {"Type": "AWS::EC2::VPC"} | AWS::EC2::VPC Vpc2 | a second one of its type
                    """)
    void shouldRefuseByNameWhatItCannotPlay(String path, String value, String resource, String what) {
        SmallAssembly changed = new SmallAssembly().with(path, value);
        assertThatExceptionOfType(Unplayable.class)
                .isThrownBy(changed::read)
                .withMessage(resource + ": the rehearsal cannot play " + what);
    }

    @Test
    void shouldRefuseACertificateAuthorityThatItCannotPlay() {
        SmallAssembly changed = new SmallAssembly().withAcmeDirectory("https://acme.example.net/directory");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(changed::read)
                .withMessage("acmeServer https://acme.example.net/directory: the rehearsal cannot play this CA;"
                        + " it plays production and staging of Let's Encrypt");
    }

    @Test
    void shouldReadFromWhichRegistryTheApplicationComes() {
        assertThat(new SmallAssembly().read().release().appImage()).isEmpty();
        assertThat(new SmallAssembly()
                        .withAppImage("registry.example.org/shop:1.4.2")
                        .read()
                        .release()
                        .appImage())
                .hasValueSatisfying(image -> assertThat(image.host()).isEqualTo("registry.example.org"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    localhost/shop:1       | the rehearsal cannot play the registry localhost; it plays those that have a name in the DNS of the internet
                    www.example.com/shop:1 | the rehearsal cannot play a registry at www.example.com, which leads elsewhere
                    """)
    void shouldRefuseARegistryThatItCannotPlay(String image, String reason) {
        SmallAssembly changed = new SmallAssembly().withAppImage(image);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(changed::read)
                .withMessage("appImage " + image + ": " + reason);
    }

    @Test
    void shouldRefuseAnAliasThatAwsDocumentsForTheOtherKindsOfBalancersAlone() {
        SmallAssembly changed = new SmallAssembly().with("/Apex/Properties/AliasTarget/DNSName", """
                        {"Fn::Join": ["", ["dualstack.", {"Fn::GetAtt": ["Balancer", "DNSName"]}]]}""");
        String name = new SmallAssembly().read().balancer().dnsName();
        assertThatExceptionOfType(Unplayable.class)
                .isThrownBy(changed::read)
                .withMessage("AWS::Route53::RecordSet Apex: the rehearsal cannot play AliasTarget.DNSName = dualstack."
                        + name + "; it plays an alias to the network load balancer's own name, " + name);
    }

    @Test
    void shouldRefuseExtraNamesOfWhichTheTemplateHasNoRecord() {
        SmallAssembly changed = new SmallAssembly().withExtraDomains("example.com example.net");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(changed::read)
                .withMessage(
                        "extraDomains example.net: the rehearsal cannot play it, as only the template's records are in"
                                + " its DNS; rehearse the site with -c extraDomains=, or with names under the domain");
    }

    @Test
    void shouldRefuseASiteThatNobodyCouldFind() {
        SmallAssembly changed = new SmallAssembly().without("/Apex").without("/Www");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(changed::read)
                .withMessage("The template has no DNS records, so no visitor would find the site:"
                        + " rehearse it with -c dns=all.");
    }

    private static boolean online(SmallAssembly assembly) {
        MachineGroup hosts = assembly.read().machineGroup("Hosts");
        return hosts.launchTemplate().online(hosts.subnets().get(0));
    }

    /** The first host's subnet leads to a NAT gateway, which stands in the other one, or, absurdly, in its own. */
    private static SmallAssembly behindNatGateway(String subnet) {
        return new SmallAssembly()
                .without("/SubnetA/Properties/MapPublicIpOnLaunch")
                .with("/Nat", """
                        {"Type": "AWS::EC2::NatGateway",
                         "Properties": {"AllocationId": "eipalloc-1", "SubnetId": {"Ref": "%s"}}}""".formatted(subnet))
                .with("/PrivateTable", "{\"Type\": \"AWS::EC2::RouteTable\", \"Properties\": {}}")
                .with("/PrivateRoute", """
                        {"Type": "AWS::EC2::Route",
                         "Properties": {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": {"Ref": "Nat"},
                           "RouteTableId": {"Ref": "PrivateTable"}}}""")
                .with("/TableOfA/Properties/RouteTableId", "{\"Ref\": \"PrivateTable\"}");
    }

    private static MachineGroup updatePolicy(String json) {
        return new SmallAssembly().with("/Hosts/UpdatePolicy", json).read().machineGroup("Hosts");
    }
}
