package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SwarmHostsTemplateTest {
    private static final String TEMPLATE = "AWS::EC2::LaunchTemplate";
    private static final String SECURITY_GROUP = "AWS::EC2::SecurityGroup";

    @Test
    void shouldRunTwoHostsAndAThirdOnlyWhileOneReplacesAnother() {
        assertThat(group("Hosts").path("MinSize").asInt()).isEqualTo(2);
        assertThat(group("Hosts").path("MaxSize").asInt()).isEqualTo(3);
        assertThat(subnets("Hosts"))
                .containsExactly("NetworkVpcPublicSubnet1Subnet36933139", "NetworkVpcPublicSubnet2SubnetC427CCE0");
    }

    @Test
    void shouldRunTheWitnessInTheThirdZone() {
        assertThat(group("Witness").path("MinSize").asInt()).isEqualTo(1);
        assertThat(subnets("Witness")).containsExactly("NetworkVpcPublicSubnet3Subnet4BBF7F47");
    }

    @ParameterizedTest
    @CsvSource({"Hosts, 2", "Witness, 1"})
    void shouldReplaceOneMachineAtATimeAndWaitForItsSignal(String id, int least) {
        JsonNode update = site().resource(id).path("UpdatePolicy").path("AutoScalingRollingUpdate");

        assertThat(update.path("MaxBatchSize").asInt()).isEqualTo(1);
        assertThat(update.path("MinInstancesInService").asInt()).isEqualTo(least);
        assertThat(group(id).path("MaxSize").asInt()).as("room for one more").isEqualTo(least + 1);
        assertThat(update.path("MinSuccessfulInstancesPercent").asInt()).isEqualTo(100);
        assertThat(update.path("WaitOnResourceSignals").asBoolean()).isTrue();
        assertThat(update.path("PauseTime").asText()).isEqualTo("PT30M");
        assertThat(update.path("SuspendProcesses"))
                .extracting(JsonNode::asText)
                .containsExactlyInAnyOrder(
                        "HealthCheck",
                        "ReplaceUnhealthy",
                        "AZRebalance",
                        "AlarmNotification",
                        "ScheduledActions",
                        "InstanceRefresh");
    }

    @ParameterizedTest
    @CsvSource({"Hosts, 2", "Witness, 1"})
    void shouldWaitForEveryMachineWhenTheStackIsMade(String id, int least) {
        JsonNode creation = site().resource(id).path("CreationPolicy");

        assertThat(creation.path("ResourceSignal").path("Count").asInt()).isEqualTo(least);
        assertThat(creation.path("ResourceSignal").path("Timeout").asText()).isEqualTo("PT30M");
        assertThat(creation.path("AutoScalingCreationPolicy")
                        .path("MinSuccessfulInstancesPercent")
                        .asInt())
                .isEqualTo(100);
    }

    @ParameterizedTest
    @CsvSource({"Hosts, 150", "Witness, 200"})
    void shouldHaveTheGroupLaunchAMachineAndCountItWhenItIsCompleteBeforeItEndsAnother(String id, int most) {
        assertThat(group(id).path("InstanceMaintenancePolicy").toString())
                .isEqualTo("{\"MaxHealthyPercentage\":" + most + ",\"MinHealthyPercentage\":100}");
        assertThat(group(id).path("DefaultInstanceWarmup").asInt()).isEqualTo(600);
    }

    /** CloudFormation goes back to a desired capacity that the template has; what the group then ends is the new machine. */
    @ParameterizedTest
    @CsvSource({"Hosts, 2", "Witness, 1"})
    void shouldGoBackToTheOldMachinesWhereAnUpdateFails(String id, int size) {
        assertThat(group(id).path("DesiredCapacity").asText()).isEqualTo(String.valueOf(size));
        assertThat(group(id).path("MinSize").asInt()).isEqualTo(size);
        assertThat(group(id).path("TerminationPolicies").toString()).isEqualTo("[\"NewestInstance\"]");
    }

    /** What a deploy does not change it leaves alone, so CDK's warning of a capacity that is set anew has no cause. */
    @ParameterizedTest
    @ValueSource(strings = {"Hosts", "Witness"})
    void shouldLeaveTheSizeOfAGroupAloneWhereATemplateDoesNotChangeIt(String id) {
        assertThat(site().resource(id)
                        .path("UpdatePolicy")
                        .path("AutoScalingScheduledAction")
                        .path("IgnoreUnmodifiedGroupSizeProperties")
                        .asBoolean())
                .isTrue();
        assertThat(site().messages().toString()).doesNotContain("desiredCapacitySet");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Hosts", "Witness"})
    void shouldNeverReplaceAMachineForWhatTheBalancerSees(String id) {
        assertThat(group(id).path("HealthCheckType").asText()).isEqualTo("EC2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Hosts", "Witness"})
    void shouldGiveAMachineThreeMinutesToSayGoodbyeFromTheFirstOneOn(String id) {
        assertThat(group(id).path("LifecycleHookSpecificationList").toString())
                .isEqualTo(
                        "[{\"DefaultResult\":\"CONTINUE\",\"HeartbeatTimeout\":180,\"LifecycleHookName\":\"goodbye\","
                                + "\"LifecycleTransition\":\"autoscaling:EC2_INSTANCE_TERMINATING\"}]");
        assertThat(site().resources("AWS::AutoScaling::LifecycleHook"))
                .as("part of the group")
                .isEmpty();
    }

    @Test
    void shouldPutTheHostsAndNotTheWitnessBehindTheBalancer() {
        assertThat(group("Hosts").path("TargetGroupARNs")).hasSize(2);
        assertThat(group("Witness").has("TargetGroupARNs")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"Hosts/LaunchTemplate, t4g.small, 'Machines,Hosts'", "Witness/LaunchTemplate, t4g.micro, Machines"})
    void shouldLaunchMachinesThatGiveNothingAway(String path, String type, String groups) {
        JsonNode data = site().propertiesOf(TEMPLATE, path).path("LaunchTemplateData");

        assertThat(data.path("InstanceType").asText()).isEqualTo(type);
        assertThat(data.path("MetadataOptions").toString())
                .isEqualTo("{\"HttpEndpoint\":\"enabled\",\"HttpPutResponseHopLimit\":1,\"HttpTokens\":\"required\"}");
        assertThat(data.path("BlockDeviceMappings").toString())
                .isEqualTo("[{\"DeviceName\":\"/dev/xvda\",\"Ebs\":{\"DeleteOnTermination\":true,\"Encrypted\":true,"
                        + "\"VolumeSize\":20,\"VolumeType\":\"gp3\"}}]");
        assertThat(data.has("KeyName")).isFalse();
        assertThat(data.path("SecurityGroupIds"))
                .extracting(id -> id.path("Fn::GetAtt").path(0).asText())
                .containsExactlyElementsOf(Stream.of(groups.split(","))
                        .map(group -> site().idOf(SECURITY_GROUP, "Groups/" + group + "/"))
                        .toList());
    }

    @Test
    void shouldMakeWhatAHostNeedsBeforeTheHosts() {
        List<String> needed = new ArrayList<>();
        needed.addAll(site().resources("AWS::EFS::MountTarget").keySet());
        needed.add(site().idOf("AWS::SSM::Parameter", "SiteRelease/Current"));
        needed.addAll(site().resources("AWS::IAM::Role").keySet());
        needed.addAll(site().resources("AWS::IAM::Policy").keySet());
        needed.addAll(site().resources("AWS::ElasticLoadBalancingV2::Listener").keySet());
        needed.addAll(site().resources("AWS::EC2::SecurityGroupIngress").keySet());
        needed.addAll(site().resources("AWS::EC2::SecurityGroupEgress").keySet());
        needed.addAll(site().resources("AWS::EC2::Route").keySet());
        needed.addAll(site().resources("AWS::EC2::SubnetRouteTableAssociation").keySet());
        needed.addAll(site().resources("AWS::Logs::LogGroup").keySet());

        assertThat(site().dependenciesOf("Hosts")).containsAll(needed);
    }

    @Test
    void shouldMakeTheHostsBeforeTheWitness() {
        assertThat(site().dependenciesOf("Witness"))
                .contains("Hosts")
                .containsAll(site().resources("AWS::EFS::MountTarget").keySet())
                .contains(site().idOf("AWS::SSM::Parameter", "SiteRelease/Current"))
                .containsAll(site().resources("AWS::IAM::Policy").keySet());
        assertThat(site().dependenciesOf("Hosts")).doesNotContain("Witness");
    }

    @Test
    void shouldMakeNoRecordWaitForTheHosts() {
        // The other way round neither: a host is healthy before the names point to the balancer.
        site().resources("AWS::Route53::RecordSet").keySet().forEach(id -> {
            assertThat(site().dependenciesOf(id)).doesNotContain("Hosts", "Witness");
            assertThat(site().dependenciesOf("Hosts")).doesNotContain(id);
        });
    }

    @ParameterizedTest
    @CsvSource({"Hosts, host", "Witness, witness"})
    void shouldTagMachinesSoThatTheyCanBeFound(String id, String role) {
        assertThat(group(id).path("Tags").toString())
                .contains("{\"Key\":\"twinhost:stack\",\"PropagateAtLaunch\":true,\"Value\":\"Twinhost\"}")
                .contains("{\"Key\":\"twinhost:role\",\"PropagateAtLaunch\":true,\"Value\":\"" + role + "\"}");
    }

    @ParameterizedTest
    @CsvSource({"Hosts, host", "Witness, witness"})
    void shouldRunTheLauncherUnchangedAfterWhatItNeeds(String id, String role) throws Exception {
        String script = Files.readString(Path.of("src/main/resources/dev/twinhost/user-data.sh"));

        assertThat(userData(id))
                .isEqualTo("""
                        #!/bin/bash
                        export AWS_REGION='<AWS::Region>'
                        export TWINHOST_ROLE='%s'
                        export TWINHOST_FILE_SYSTEM='<SharedStorageFileSystemFF4F5FE9>'
                        export TWINHOST_RELEASE_PARAMETER='<%s>'
                        export TWINHOST_STACK='Twinhost'
                        export TWINHOST_SIGNAL_RESOURCE='%s'
                        export TWINHOST_LOG_GROUP='<%s>'
                        """.formatted(
                                        role,
                                        site().idOf("AWS::SSM::Parameter", "SiteRelease/Current"),
                                        id,
                                        site().resources("AWS::Logs::LogGroup").firstKey())
                        + script);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Hosts", "Witness"})
    void shouldHoldNoSettingOfTheSite(String id) {
        String userData = userData(id);

        SynthesisedTemplate.CONTEXT.values().stream()
                .map(String::valueOf)
                .forEach(setting -> assertThat(userData).doesNotContainPattern("\\b" + Pattern.quote(setting) + "\\b"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Hosts", "Witness"})
    void shouldFitIntoWhatEc2TakesAsUserData(String id) {
        // References become longer: a file system's id, a parameter's and a log group's name; 100 each is ample.
        int length = userData(id).getBytes(StandardCharsets.UTF_8).length + 4 * 100;

        assertThat(length).isLessThan(16 * 1024);
    }

    @Test
    void shouldKeepLogsForAMonthAlsoWhenTheStackIsGone() {
        JsonNode logs =
                site().resources("AWS::Logs::LogGroup").values().iterator().next();

        assertThat(logs.path("Properties").path("RetentionInDays").asInt()).isEqualTo(30);
        assertThat(logs.path("DeletionPolicy").asText()).isEqualTo("Retain");
    }

    @Test
    void shouldSayOnceThatTheImageIsTakenAnewAtEveryDeployWithoutAnAccount() {
        assertThat(site().messages().findValuesAsText("data"))
                .filteredOn(message -> message.contains("[ack: twinhost:image]"))
                .singleElement()
                .asString()
                .startsWith("No AWS account is known: the newest Amazon Linux image is taken at every deploy.");
        assertThat(site().json().path("Parameters").toString())
                .contains("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64");
    }

    private static JsonNode group(String id) {
        return site().resource(id).path("Properties");
    }

    private static List<String> subnets(String id) {
        List<String> subnets = new ArrayList<>();
        group(id)
                .path("VPCZoneIdentifier")
                .forEach(subnet -> subnets.add(subnet.path("Ref").asText()));
        return subnets;
    }

    /** The user-data of a group's machines, each reference as {@code <what it refers to>}. */
    private static String userData(String id) {
        String template = group(id)
                .path("LaunchTemplate")
                .path("LaunchTemplateId")
                .path("Ref")
                .asText();
        JsonNode parts = site().resource(template)
                .path("Properties")
                .path("LaunchTemplateData")
                .path("UserData")
                .path("Fn::Base64")
                .path("Fn::Join")
                .path(1);
        StringBuilder text = new StringBuilder();
        parts.forEach(part -> text.append(
                part.isTextual() ? part.asText() : '<' + part.path("Ref").asText() + '>'));
        return text.toString();
    }
}
