package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MachineRoleTemplateTest {
    @Test
    void shouldBeAssumedByMachinesAlone() {
        JsonNode role =
                site().resources("AWS::IAM::Role").values().iterator().next().path("Properties");

        assertThat(role.path("AssumeRolePolicyDocument").path("Statement").toString())
                .isEqualTo("[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\","
                        + "\"Principal\":{\"Service\":\"ec2.amazonaws.com\"}}]");
        assertThat(role.has("ManagedPolicyArns")).isFalse();
        assertThat(site().resources("AWS::IAM::Role")).hasSize(1);
    }

    @Test
    void shouldMountOnlyItsOwnFileSystemAndOnlyThroughAMountTarget() {
        JsonNode statement = statement("elasticfilesystem:ClientMount");

        assertThat(actions(statement))
                .containsExactlyInAnyOrder(
                        "elasticfilesystem:ClientMount",
                        "elasticfilesystem:ClientWrite",
                        "elasticfilesystem:ClientRootAccess");
        assertThat(statement.path("Resource").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\"SharedStorageFileSystemFF4F5FE9\",\"Arn\"]}");
        assertThat(statement.path("Condition").toString())
                .isEqualTo("{\"Bool\":{\"elasticfilesystem:AccessedViaMountTarget\":\"true\"}}");
    }

    @Test
    void shouldReadItsOwnParametersAndNoOther() {
        JsonNode statement = statement("ssm:GetParameter");

        assertThat(actions(statement)).containsExactly("ssm:GetParameter");
        assertThat(statement.path("Resource"))
                .extracting(resource -> resource.at("/Fn::Join/1/7/Ref").asText())
                .containsExactlyElementsOf(
                        site().resources("AWS::SSM::Parameter").keySet());
    }

    @Test
    void shouldReadTheReleasesOfThisStackOldOnesTooAndNoOtherAsset() {
        JsonNode statement = statement("s3:GetObject");

        assertThat(actions(statement)).containsExactly("s3:GetObject");
        assertThat(statement.path("Resource").toString())
                .isEqualTo("{\"Fn::Join\":[\"\",[\"arn:\",{\"Ref\":\"AWS::Partition\"},\":s3:::\","
                        + "{\"Fn::Sub\":\"cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}\"},"
                        + "\"/Twinhost/*.zip\"]]}");
    }

    /** The machines name their stack, so IAM is asked about the name; the id is what CDK adds by itself. */
    @Test
    void shouldSignalToItsOwnStackAloneByNameAndById() {
        List<JsonNode> signals = statements().stream()
                .filter(statement -> actions(statement).contains("cloudformation:SignalResource"))
                .toList();

        assertThat(signals)
                .allSatisfy(
                        statement -> assertThat(actions(statement)).containsExactly("cloudformation:SignalResource"))
                .extracting(statement -> statement.path("Resource").toString())
                .containsExactlyInAnyOrder(
                        "{\"Fn::Join\":[\"\",[\"arn:\",{\"Ref\":\"AWS::Partition\"},\":cloudformation:\","
                                + "{\"Ref\":\"AWS::Region\"},\":\",{\"Ref\":\"AWS::AccountId\"},\":stack/Twinhost/*\"]]}",
                        "{\"Ref\":\"AWS::StackId\"}");
    }

    @Test
    void shouldWriteItsOwnLogGroupAlone() {
        JsonNode statement = statement("logs:PutLogEvents");

        assertThat(actions(statement)).containsExactlyInAnyOrder("logs:CreateLogStream", "logs:PutLogEvents");
        assertThat(statement.path("Resource").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\""
                        + site().resources("AWS::Logs::LogGroup").firstKey() + "\",\"Arn\"]}");
    }

    @Test
    void shouldHaveMachinesReplacedAndLetGoByTheGroupsOfItsOwnStackAlone() {
        JsonNode statement = statement("autoscaling:SetInstanceHealth");

        assertThat(actions(statement))
                .containsExactlyInAnyOrder("autoscaling:SetInstanceHealth", "autoscaling:CompleteLifecycleAction");
        assertThat(statement.path("Resource").toString())
                .isEqualTo("{\"Fn::Join\":[\"\",[\"arn:\",{\"Ref\":\"AWS::Partition\"},\":autoscaling:\","
                        + "{\"Ref\":\"AWS::Region\"},\":\",{\"Ref\":\"AWS::AccountId\"},"
                        + "\":autoScalingGroup:*:autoScalingGroupName/*\"]]}");
        assertThat(statement.path("Condition").toString())
                .isEqualTo("{\"StringEquals\":{\"autoscaling:ResourceTag/twinhost:stack\":\"Twinhost\"}}");
    }

    @Test
    void shouldPublishMetricsInTheNamespaceOfItsOwnStackAlone() {
        JsonNode statement = statement("cloudwatch:PutMetricData");

        assertThat(actions(statement)).containsExactly("cloudwatch:PutMetricData");
        assertThat(statement.path("Condition").toString())
                .isEqualTo("{\"StringEquals\":{\"cloudwatch:namespace\":\"Twinhost\"}}");
    }

    @Test
    void shouldHaveNoActionOnEverythingButThoseThatAwsLetsNobodyNarrowDown() {
        Map<String, List<String>> onEverything = new TreeMap<>();
        statements().stream()
                .filter(statement -> statement.path("Resource").toString().equals("\"*\""))
                .forEach(statement -> onEverything.put(statement.path("Sid").asText(), actions(statement)));

        assertThat(onEverything)
                .containsOnlyKeys(
                        "BeReachedBySessionManager",
                        "RunTheReleaseDocument",
                        "SeeTargetHealth",
                        "SeeTheGroups",
                        "PublishMetricsOfThisStack");
        assertThat(onEverything.get("SeeTargetHealth")).containsExactly("elasticloadbalancing:DescribeTargetHealth");
        assertThat(onEverything.get("SeeTheGroups")).containsExactly("autoscaling:DescribeAutoScalingGroups");
        assertThat(onEverything.values())
                .allSatisfy(actions -> assertThat(actions)
                        .noneMatch(action -> action.contains("*")
                                || action.startsWith("ssm:GetParameter")
                                || action.startsWith("s3:")
                                || action.startsWith("iam:")));
    }

    private static JsonNode statement(String action) {
        return statements().stream()
                .filter(statement -> actions(statement).contains(action))
                .reduce((one, other) -> {
                    throw new AssertionError("Two statements allow " + action);
                })
                .orElseThrow();
    }

    private static List<JsonNode> statements() {
        List<JsonNode> statements = new ArrayList<>();
        site().resources("AWS::IAM::Policy")
                .values()
                .forEach(policy -> policy.path("Properties")
                        .path("PolicyDocument")
                        .path("Statement")
                        .forEach(statements::add));
        return statements;
    }

    private static List<String> actions(JsonNode statement) {
        JsonNode action = statement.path("Action");
        if (action.isTextual()) {
            return List.of(action.asText());
        }
        List<String> actions = new ArrayList<>();
        action.forEach(one -> actions.add(one.asText()));
        return actions;
    }
}
