package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PipelineAccessTemplateTest {
    private static final String ROLE = "AWS::IAM::Role";

    @Test
    void shouldMakeNoPipelineWithoutARepository() {
        assertThat(site().manifest().path("artifacts").findValuesAsText("type")).doesNotContain("cdk:cloud-assembly");
    }

    @Test
    void shouldLeaveTheSiteAsItIs() {
        assertThat(Pipelines.ofEnvironment().json()).isEqualTo(site().json());
    }

    /** The command line takes the only stack of this manifest where none is named. */
    @Test
    void shouldBeNoStackBesideTheSites() {
        assertThat(Pipelines.ofMain().manifest().path("artifacts").properties())
                .filteredOn(
                        artifact -> artifact.getValue().path("type").asText().equals("aws:cloudformation:stack"))
                .extracting(Map.Entry::getKey)
                .containsExactly("Twinhost");
    }

    @Test
    void shouldBeCalledLikeTheSite() {
        assertThat(stackNames(Pipelines.ofMain())).containsExactly("TwinhostPipeline");
        assertThat(stackNames(Pipelines.ofName())).containsExactly("TwinhostPipeline-staging");
    }

    @Test
    void shouldMakeGitHubsProviderForThisAudienceAloneAndKeepItForOthers() {
        Map<String, JsonNode> providers = Pipelines.ofMain().pipeline().resources("AWS::IAM::OIDCProvider");

        assertThat(providers).containsOnlyKeys("GitHubProviderE571E8F1");
        JsonNode provider = providers.get("GitHubProviderE571E8F1");
        assertThat(provider.path("Properties").toString())
                .isEqualTo("{\"ClientIdList\":[\"sts.amazonaws.com\"],"
                        + "\"Url\":\"https://token.actions.githubusercontent.com\"}");
        assertThat(provider.path("UpdateReplacePolicy").asText()).isEqualTo("Retain");
        assertThat(provider.path("DeletionPolicy").asText()).isEqualTo("RetainExceptOnCreate");
    }

    @Test
    void shouldTakeTheProviderThatTheAccountHasWhereItIsNamed() {
        SynthesisedTemplate pipeline = Pipelines.ofEnvironment().pipeline();

        assertThat(pipeline.resources("AWS::IAM::OIDCProvider")).isEmpty();
        assertThat(pipeline.resources(ROLE).values())
                .hasSize(2)
                .allMatch(role -> trust(role)
                        .path("Principal")
                        .toString()
                        .equals("{\"Federated\":\"" + Pipelines.PROVIDER + "\"}"));
    }

    @Test
    void shouldLetInWhomGitHubNamesByEqualityAloneAndNeverByAPattern() {
        List<JsonNode> roles = Stream.of(Pipelines.ofMain(), Pipelines.ofEnvironment(), Pipelines.ofName())
                .flatMap(app -> app.pipeline().resources(ROLE).values().stream())
                .toList();

        assertThat(roles).hasSize(6).allSatisfy(role -> {
            JsonNode statements =
                    role.path("Properties").path("AssumeRolePolicyDocument").path("Statement");
            assertThat(statements).hasSize(1);
            assertThat(statements.toString()).doesNotContain("*", "?", "Like", "IfExists", "ForAll", "ForAny", "Not");
            assertThat(trust(role).path("Action").asText()).isEqualTo("sts:AssumeRoleWithWebIdentity");
            assertThat(trust(role).path("Principal").fieldNames()).toIterable().containsExactly("Federated");
            assertThat(trust(role).path("Condition").fieldNames()).toIterable().containsExactly("StringEquals");
            assertThat(trust(role).path("Condition").path("StringEquals").fieldNames())
                    .toIterable()
                    .contains("token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub");
        });
    }

    @Test
    void shouldLetPullRequestsReadWhatADiffReadsAndNothingElse() {
        assertThat(rights(Pipelines.ofMain().pipeline(), "DiffRole"))
                .isEqualTo(Map.of(
                        "ReadTheTemplates",
                        List.of(
                                "cloudformation:DescribeStacks",
                                "cloudformation:GetTemplate",
                                "on arn:aws:cloudformation:eu-central-1:123456789012:stack/Twinhost/*",
                                "on arn:aws:cloudformation:eu-central-1:123456789012" + ":stack/TwinhostPipeline/*"),
                        "LookUpTheMachineImage",
                        List.of(
                                "ssm:GetParameter",
                                "on arn:aws:ssm:eu-central-1::parameter" + "/aws/service/ami-amazon-linux-latest/*"),
                        "LookUpTheAvailabilityZones",
                        List.of("ec2:DescribeAvailabilityZones", "on *"),
                        "LookUpTheZone",
                        List.of("route53:ListHostedZonesByName", "on *")));
    }

    @Test
    void shouldLetPullRequestsLookUpNoZoneThatIsNamedById() {
        assertThat(rights(Pipelines.ofEnvironment().pipeline(), "DiffRole"))
                .containsOnlyKeys("ReadTheTemplates", "LookUpTheMachineImage", "LookUpTheAvailabilityZones");
    }

    @Test
    void shouldLetPullRequestsReadTheStacksOfTheirOwnSiteAlone() {
        assertThat(rights(Pipelines.ofName().pipeline(), "DiffRole").get("ReadTheTemplates"))
                .filteredOn(word -> word.startsWith("on "))
                .allMatch(resource -> resource.endsWith("-staging/*"))
                .hasSize(2);
    }

    @Test
    void shouldLetTheMainBranchTakeTheRolesOfTheBootstrapAndNothingElse() {
        assertThat(rights(Pipelines.ofMain().pipeline(), "DeployRole")).isEqualTo(bootstrapRoles("hnb659fds"));
        assertThat(rights(Pipelines.ofEnvironment().pipeline(), "DeployRole")).isEqualTo(bootstrapRoles("hnb659fds"));
        assertThat(rights(Pipelines.ofName().pipeline(), "DeployRole")).isEqualTo(bootstrapRoles("shop12345"));
    }

    @Test
    void shouldHaveNoRightsButThoseAndEndEachSessionAfterAnHour() {
        SynthesisedTemplate pipeline = Pipelines.ofMain().pipeline();

        assertThat(pipeline.resources("AWS::IAM::ManagedPolicy")).isEmpty();
        assertThat(pipeline.resources(ROLE)).containsOnlyKeys("DiffRole22A114D0", "DeployRoleFF7E9D15");
        assertThat(pipeline.resources(ROLE).values()).allSatisfy(role -> {
            assertThat(fieldNames(role.path("Properties")))
                    .containsExactlyInAnyOrder("AssumeRolePolicyDocument", "Description", "MaxSessionDuration");
            assertThat(role.path("Properties").path("MaxSessionDuration").asInt())
                    .isEqualTo(3600);
        });
        assertThat(pipeline.resources("AWS::IAM::Policy")).hasSize(2);
    }

    @Test
    void shouldSayWhatTheRepositoryHasToKnow() {
        JsonNode outputs = Pipelines.ofMain().pipeline().json().path("Outputs");

        assertThat(outputs.path("DiffRoleArn").path("Value").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\"DiffRole22A114D0\",\"Arn\"]}");
        assertThat(outputs.path("DeployRoleArn").path("Value").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\"DeployRoleFF7E9D15\",\"Arn\"]}");
        assertThat(outputs.path("OidcProviderArn").path("Value").toString())
                .isEqualTo("{\"Ref\":\"GitHubProviderE571E8F1\"}");
        assertThat(outputs.path("VariablesCommand").path("Value").toString())
                .isEqualTo("{\"Fn::Join\":[\"\",[\"gh variable set --repo octo-org/site AWS_REGION --body eu-central-1"
                        + " && gh variable set --repo octo-org/site TWINHOST_DIFF_ROLE --body \","
                        + "{\"Fn::GetAtt\":[\"DiffRole22A114D0\",\"Arn\"]},"
                        + "\" && gh variable set --repo octo-org/site TWINHOST_DEPLOY_ROLE --body \","
                        + "{\"Fn::GetAtt\":[\"DeployRoleFF7E9D15\",\"Arn\"]}]]}");
    }

    @Test
    void shouldTellTheRepositoryThroughWhichOfItsEnvironmentsItDeploys() {
        assertThat(commandOf(Pipelines.ofEnvironment()))
                .endsWith(" && gh variable set --repo octo-org/site TWINHOST_ENVIRONMENT --body production\"]]}");
        assertThat(commandOf(Pipelines.ofMain())).doesNotContain("TWINHOST_SITE", "TWINHOST_ENVIRONMENT");
    }

    /** One repository, two sites: what is pasted for the second must leave the first one's variables alone. */
    @Test
    void shouldGiveTheVariablesOfASecondSiteNamesOfTheirOwn() {
        String command = commandOf(Pipelines.ofName());

        assertThat(Pattern.compile("[A-Z]+_[A-Z_]+ --body")
                        .matcher(command)
                        .results()
                        .map(MatchResult::group))
                .containsExactly(
                        "AWS_REGION_STAGING --body",
                        "TWINHOST_DIFF_ROLE_STAGING --body",
                        "TWINHOST_DEPLOY_ROLE_STAGING --body",
                        "TWINHOST_SITE_STAGING --body");
        assertThat(command).endsWith("TWINHOST_SITE_STAGING --body staging\"]]}");
        assertThat(Pipelines.ofName().pipeline().json().path("Outputs").findValuesAsText("Description"))
                .contains(
                        "Tells the repository, for copies of the workflows that read these names",
                        "The main branch takes it; TWINHOST_DEPLOY_ROLE_STAGING in the repository");
    }

    private static String commandOf(SynthesisedTemplate app) {
        return app.pipeline().json().at("/Outputs/VariablesCommand/Value").toString();
    }

    @Test
    void shouldWarnWhereTheRepositoryIsNamedWithoutItsIds() {
        assertThat(Pipelines.ofName().pipeline().messages().findValuesAsText("data"))
                .contains("githubRepository names no ids: workflows of a repository that was created, renamed or moved"
                        + " after 2026-07-15 are not let in, and if this one is ever given up, whoever takes its name"
                        + " is. docs/pipeline.md says how to find the ids. [ack: twinhost:githubRepository]");
        assertThat(Pipelines.ofMain().pipeline().messages().toString()).doesNotContain("twinhost:githubRepository");
    }

    private static Map<String, List<String>> bootstrapRoles(String qualifier) {
        List<String> words = new ArrayList<>(List.of("sts:AssumeRole"));
        Stream.of("deploy", "file-publishing", "image-publishing", "lookup")
                .map(role -> "on arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-" + qualifier + '-' + role
                        + "-role-${AWS::AccountId}-${AWS::Region}")
                .forEach(words::add);
        return Map.of("TakeTheRolesOfTheBootstrap", words);
    }

    /** Everything that a role may do, by statement: its actions, and on what. */
    private static Map<String, List<String>> rights(SynthesisedTemplate pipeline, String role) {
        Map<String, List<String>> rights = new TreeMap<>();
        for (JsonNode policy : pipeline.resources("AWS::IAM::Policy").values()) {
            if (policy.path("Properties").path("Roles").toString().contains(role)) {
                for (JsonNode statement :
                        policy.path("Properties").path("PolicyDocument").path("Statement")) {
                    assertThat(fieldNames(statement)).containsExactlyInAnyOrder("Sid", "Effect", "Action", "Resource");
                    assertThat(statement.path("Effect").asText()).isEqualTo("Allow");
                    List<String> words = new ArrayList<>(RolePolicy.each(statement.path("Action")));
                    RolePolicy.each(statement.path("Resource")).forEach(resource -> words.add("on " + resource));
                    assertThat(rights.put(statement.path("Sid").asText(), words))
                            .isNull();
                }
            }
        }
        return rights;
    }

    private static List<String> stackNames(SynthesisedTemplate app) {
        return app.json("assembly-Pipeline/manifest.json").findValuesAsText("stackName");
    }

    private static JsonNode trust(JsonNode role) {
        return role.path("Properties")
                .path("AssumeRolePolicyDocument")
                .path("Statement")
                .path(0);
    }

    private static Set<String> fieldNames(JsonNode object) {
        Map<String, JsonNode> fields = new TreeMap<>();
        object.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
        return fields.keySet();
    }
}
