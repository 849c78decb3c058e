package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.settings.InvalidSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.CfnInstance;

/** The template where settings differ from the defaults; settings that do not meet share one synthesis. */
class VariantsTemplateTest {
    private static final String SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";

    private static final String HANDLE = "AWS::CloudFormation::WaitConditionHandle";

    private static final class Small {
        private static final SynthesisedTemplate TEMPLATE = SynthesisedTemplate.with(Map.of(
                "witness",
                false,
                "dns",
                "none",
                "instanceType",
                "t3.small",
                "appReplicas",
                1,
                "fileSystemId",
                "fs-0123456789abcdef0",
                "appImage",
                "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop/front:v1",
                "appSecrets",
                Map.of("db", SECRET, "again", SECRET)));
    }

    private static final class Staging {
        private static final SynthesisedTemplate TEMPLATE = SynthesisedTemplate.with(Map.of(
                "appReplicas",
                20,
                "appStartSeconds",
                300,
                "environment",
                "staging",
                "environments",
                Map.of(
                        "staging",
                        Map.of(
                                "zones",
                                2,
                                "dnsWeight",
                                0,
                                "vpcCidr",
                                "192.168.0.0/24",
                                "appImage",
                                "./app",
                                "acmeProfile",
                                "tlsserver",
                                "appHealthPath",
                                "/healthz",
                                "edgeImage",
                                "nginx:1.30.6",
                                "certbotImage",
                                "certbot/certbot:v5.8.0",
                                "extraDomains",
                                List.of("old.shop.example.org", "example.net"),
                                "caa",
                                true))));
    }

    @Test
    void shouldRunNoWitnessWhereNoneIsWanted() {
        assertThat(Small.TEMPLATE.resources("AWS::AutoScaling::AutoScalingGroup"))
                .containsOnlyKeys("Hosts");
        assertThat(Small.TEMPLATE.dependenciesOf(
                        Small.TEMPLATE.resources("AWS::SSM::Association").firstKey()))
                .contains("Hosts");
    }

    @Test
    void shouldLetTheMachinesReadTheSecretsOfTheApplicationAndNoOthers() {
        assertThat(Small.TEMPLATE.resources("AWS::IAM::Policy").toString())
                .contains("{\"Action\":[\"secretsmanager:DescribeSecret\",\"secretsmanager:GetSecretValue\"],"
                        + "\"Effect\":\"Allow\",\"Resource\":\"" + SECRET
                        + "\",\"Sid\":\"ReadTheSecretsOfTheApplication\"}");
        assertThat(SynthesisedTemplate.site().json().toString()).doesNotContain("secretsmanager");
    }

    /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
    @Test
    void shouldHaveRoomInTheRolesPoliciesForAllSecretsThatTheSettingsTake() {
        Map<String, String> secrets = IntStream.range(0, 60)
                .boxed()
                .collect(Collectors.toMap(
                        number -> "s" + number, number -> SECRET.replace("db", "db%012d".formatted(number))));
        int characters = secrets.values().stream().mapToInt(String::length).sum();
        String longest = SECRET.replace("db", "r".repeat(507));

        DeployedTemplate template = new DeployedTemplate(
                SynthesisedTemplate.with(Map.of("appSecrets", secrets, "appRegistrySecret", longest))
                        .json());
        int policies = template.ofType("AWS::IAM::Policy").stream()
                .mapToInt(policy -> template.properties(policy)
                        .path("PolicyDocument")
                        .toString()
                        .length())
                .sum();

        assertThat(characters).isBetween(4900, 5000);
        assertThat(policies).isBetween(characters, 10_240);
    }

    @Test
    void shouldLetTheMachinesReadTheLoginToTheRegistryAndNothingElseOfIt() throws IOException {
        SynthesisedTemplate site = SynthesisedTemplate.with(Map.of("appRegistrySecret", SECRET));

        assertThat(site.resources("AWS::IAM::Policy").toString())
                .containsOnlyOnce("secretsmanager:Get")
                .doesNotContain("secretsmanager:Describe")
                .contains("{\"Action\":\"secretsmanager:GetSecretValue\",\"Effect\":\"Allow\",\"Resource\":\"" + SECRET
                        + "\",\"Sid\":\"ReadTheLoginToTheRegistry\"}");
        assertThat(site.releaseSettings()).contains("export TWINHOST_APP_REGISTRY_SECRET='" + SECRET + "'\n");
    }

    @Test
    void shouldLetTheMachinesPullFromTheApplicationsRepositoryAlone() {
        assertThat(Small.TEMPLATE.resources("AWS::IAM::Policy").toString())
                .contains("{\"Action\":[\"ecr:BatchCheckLayerAvailability\",\"ecr:BatchGetImage\","
                        + "\"ecr:GetDownloadUrlForLayer\"],\"Effect\":\"Allow\","
                        + "\"Resource\":\"arn:aws:ecr:eu-west-1:210987654321:repository/shop/front\","
                        + "\"Sid\":\"PullTheApplication\"}")
                .contains("{\"Action\":\"ecr:GetAuthorizationToken\",\"Effect\":\"Allow\",\"Resource\":\"*\","
                        + "\"Sid\":\"LogInToRegistries\"}");
        assertThat(SynthesisedTemplate.site().json().toString()).doesNotContain("ecr:");
    }

    @Test
    void shouldHaveTheDeployBuildAFolderForTheHosts() throws IOException {
        JsonNode images = Staging.TEMPLATE.json("Twinhost-staging.assets.json").path("dockerImages");
        String hash = images.fieldNames().next();
        JsonNode source = images.path(hash).path("source");

        assertThat(images).hasSize(1);
        assertThat(source.path("platform").asText()).isEqualTo("linux/arm64");
        assertThat(Staging.TEMPLATE.file(source.path("directory").asText()).resolve("Dockerfile"))
                .hasContent("FROM scratch");
        assertThat(Staging.TEMPLATE.releaseSettings()).contains("export TWINHOST_APP_IMAGE='asset:" + hash + "'\n");
        assertThat(Staging.TEMPLATE.resources("AWS::SSM::Parameter").toString())
                .contains("${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/"
                        + "cdk-hnb659fds-container-assets-${AWS::AccountId}-${AWS::Region}:" + hash);
        assertThat(Staging.TEMPLATE.resources("AWS::IAM::Policy").toString())
                .contains(":repository/\",{\"Fn::Sub\":\"cdk-hnb659fds-container-assets-");
        assertThat(Staging.TEMPLATE.messages().findValuesAsText("data"))
                .anyMatch(message ->
                        message.startsWith("appImage is a folder: where this is deployed from, a Docker engine"
                                + " has to run that builds for linux/arm64 "));
    }

    @Test
    void shouldWaitForANewAnswerWhereTheReleaseChanges() {
        assertThat(Small.TEMPLATE.resources(HANDLE))
                .hasSize(1)
                .doesNotContainKey(SynthesisedTemplate.site().resources(HANDLE).firstKey());
    }

    /** Seven rounds of three containers, each of which takes 347 s. */
    @Test
    void shouldGiveASlowApplicationItsTimeEverywhere() throws IOException {
        String document = Staging.TEMPLATE.resources("AWS::SSM::Document").firstKey();
        JsonNode inputs = Staging.TEMPLATE.resource(document).at("/Properties/Content/mainSteps/0/inputs");
        JsonNode condition = Staging.TEMPLATE.resources("AWS::CloudFormation::WaitCondition").values().stream()
                .findFirst()
                .orElseThrow();

        assertThat(Staging.TEMPLATE.releaseSettings())
                .contains(
                        "export TWINHOST_APP_START_SECONDS='300'\n",
                        "export TWINHOST_APP_PARALLELISM='3'\n",
                        "export TWINHOST_CONVERGE_SECONDS='2519'\n",
                        "export TWINHOST_DEPLOY_SECONDS='13536'\n");
        assertThat(inputs.path("runCommand").path(2).asText())
                .isEqualTo("timeout --kill-after=60 12636 /usr/local/bin/twinhost release");
        assertThat(inputs.path("timeoutSeconds").asText()).isEqualTo("12756");
        assertThat(Staging.TEMPLATE
                        .resource("Hosts")
                        .at("/CreationPolicy/ResourceSignal/Timeout")
                        .asText())
                .as("30 minutes, and what 2519 s are more than 540 s")
                .isEqualTo("PT1H2M59S");
        assertThat(Staging.TEMPLATE
                        .resource("Witness")
                        .at("/CreationPolicy/ResourceSignal/Timeout")
                        .asText())
                .isEqualTo("PT30M");
        assertThat(condition.at("/Properties/Timeout").asText()).isEqualTo("13536");
    }

    @Test
    void shouldOwnNoRecordsWhereTheyBelongToSomebodyElse() {
        assertThat(Small.TEMPLATE.resources("AWS::Route53::RecordSet")).isEmpty();
    }

    @Test
    void shouldTakeTheImageForTheArchitectureOfTheType() {
        assertThat(Small.TEMPLATE.json().path("Parameters").toString())
                .contains("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64")
                .doesNotContain("arm64");
    }

    @Test
    void shouldMountAFileSystemThatExistsInEveryZoneBeforeAnyMachineStarts() {
        assertThat(Small.TEMPLATE.resources("AWS::EFS::FileSystem")).isEmpty();
        assertThat(Small.TEMPLATE.resources("AWS::EFS::MountTarget").values())
                .allMatch(target ->
                        target.path("Properties").path("FileSystemId").asText().equals("fs-0123456789abcdef0"))
                .extracting(target ->
                        target.path("Properties").path("SubnetId").path("Ref").asText())
                .containsExactlyInAnyOrderElementsOf(
                        Small.TEMPLATE.resources("AWS::EC2::Subnet").keySet());
        assertThat(Small.TEMPLATE.dependenciesOf("Hosts"))
                .containsAll(Small.TEMPLATE.resources("AWS::EFS::MountTarget").keySet());
        assertThat(Small.TEMPLATE.resources("AWS::IAM::Policy").toString())
                .contains(":file-system/fs-0123456789abcdef0");
    }

    @Test
    void shouldWarnOfASingleReplica() {
        assertThat(Small.TEMPLATE.messages().findValuesAsText("data"))
                .contains("appReplicas is 1: when the host of the only replica dies, and whenever the application is"
                        + " updated, the site answers with errors until another replica has started."
                        + " [ack: twinhost:appReplicas]");
        assertThat(SynthesisedTemplate.site().messages().toString()).doesNotContain("appReplicas");
    }

    @Test
    void shouldWarnThatOnlyTheImageMaySayWhetherTheApplicationIsWell() {
        JsonNode warning = Small.TEMPLATE.messages().findParents("data").stream()
                .filter(message -> message.path("data").asText().contains("appHealthPath"))
                .findFirst()
                .orElseThrow();

        assertThat(warning.path("type").asText()).isEqualTo("aws:cdk:warning");
        assertThat(warning.path("data").asText())
                .isEqualTo(
                        "appHealthPath is not set: unless the image has a HEALTHCHECK, a container gets visitors as soon"
                                + " as it runs. A release waits until the new version answers, but a container that is started"
                                + " again later gets visitors before it answers. [ack: twinhost:appHealthPath]");
        assertThat(Staging.TEMPLATE.messages().toString()).doesNotContain("appHealthPath");
    }

    @Test
    void shouldKeepTheWitnessInEitherOfTwoZones() {
        assertThat(Staging.TEMPLATE.resources("AWS::EC2::Subnet").values())
                .extracting(
                        subnet -> subnet.path("Properties").path("CidrBlock").asText())
                .containsExactly("192.168.0.0/26", "192.168.0.64/26");
        assertThat(subnets(Staging.TEMPLATE, "Hosts")).isEqualTo(subnets(Staging.TEMPLATE, "Witness"));
        assertThat(subnets(Staging.TEMPLATE, "Witness")).hasSize(2);
    }

    @Test
    void shouldFailTheSynthesisWhereCdkFindsAFaultInTheTemplate(@TempDir Path assembly) {
        App app = new App(TwinhostApp.props().outdir(assembly.toString()).build());
        CfnInstance.Builder.create(new Stack(app, "Faulty"), "Machine")
                .imageId("no-image")
                .build();

        assertThatThrownBy(app::synth).hasMessageContaining("ValidationFailed");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Properties.ImageId | {\"Ref\": \"Missing\"}",
                "Properties.ImageId | {\"Fn::GetAtt\": [\"Missing\", \"Arn\"]}",
                "Properties.ImageId | {\"Fn::GetAtt\": [\"Machine\", \"Missing\"]}",
                "DependsOn | [\"Missing\"]"
            })
    void shouldFailTheSynthesisWhereAReferenceLeadsNowhere(String path, String value, @TempDir Path assembly)
            throws IOException {
        App app = new App(TwinhostApp.props().outdir(assembly.toString()).build());
        CfnInstance machine = CfnInstance.Builder.create(new Stack(app, "Faulty"), "Machine")
                .imageId("ami-0123456789abcdef0")
                .build();
        machine.addOverride(path, new ObjectMapper().readValue(value, Object.class));

        assertThatThrownBy(app::synth).hasMessageContaining("ValidationFailed");
    }

    @Test
    void shouldKeepEnvironmentsApart() {
        assertThat(Staging.TEMPLATE.manifest().path("artifacts").has("Twinhost-staging"))
                .isTrue();
        assertThat(Staging.TEMPLATE
                        .resource("Hosts")
                        .path("Properties")
                        .path("Tags")
                        .toString())
                .contains("{\"Key\":\"twinhost:stack\",\"PropagateAtLaunch\":true,\"Value\":\"Twinhost-staging\"}");
        assertThat(Staging.TEMPLATE.resources("AWS::IAM::Policy").toString())
                .contains("/Twinhost-staging/*.zip")
                .contains("\"autoscaling:ResourceTag/twinhost:stack\":\"Twinhost-staging\"")
                .doesNotContain("/Twinhost/");
    }

    @Test
    void shouldGiveTheRecordsThatLeadToTheBalancerTheirWeight() {
        assertThat(Staging.TEMPLATE.resources("AWS::Route53::RecordSet").values().stream()
                        .map(record -> record.path("Properties"))
                        .filter(record -> !record.path("Type").asText().equals("CAA")))
                .hasSize(3)
                .allMatch(record -> record.path("Weight").asInt(-1) == 0
                        && record.path("SetIdentifier").asText().equals("twinhost"));
    }

    @Test
    void shouldPointTheExtraNamesOfTheZoneToTheBalancerAndSayWhichAreElsewhere() {
        JsonNode record = record("old.shop.example.org.");
        String balancer = Staging.TEMPLATE
                .resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
                .firstKey();

        assertThat(record.path("Type").asText()).isEqualTo("A");
        assertThat(record.path("AliasTarget").path("DNSName").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\"" + balancer + "\",\"DNSName\"]}");
        assertThat(Staging.TEMPLATE.messages().findValuesAsText("data"))
                .contains(
                        "extraDomains: example.net is not in the zone of shop.example.org, so the records are yours to"
                                + " make. Until each name leads to the balancer (output BalancerName), no certificate is"
                                + " ordered or renewed, for no name. [ack: twinhost:extraDomains]");
        assertThat(SynthesisedTemplate.site().messages().toString()).doesNotContain("extraDomains");
    }

    @Test
    void shouldTellTheHostsTheExtraNamesAndTheProfile() throws IOException {
        assertThat(Staging.TEMPLATE.releaseSettings())
                .contains("export TWINHOST_ACME_PROFILE='tlsserver'\n")
                .contains("export TWINHOST_EXTRA_DOMAINS='old.shop.example.org example.net'\n");
    }

    @Test
    void shouldTellTheHostsWhichEdgeAndWhichCertbotAreWanted() throws IOException {
        assertThat(Staging.TEMPLATE.releaseSettings())
                .contains("export TWINHOST_EDGE_IMAGE='nginx:1.30.6'\n")
                .contains("export TWINHOST_CERTBOT_IMAGE='certbot/certbot:v5.8.0'\n");
    }

    @Test
    void shouldBindTheZoneToLetsEncryptWhereThatIsWanted() {
        JsonNode caa = Staging.TEMPLATE.resources("AWS::Route53::RecordSet").values().stream()
                .map(record -> record.path("Properties"))
                .filter(record -> record.path("Type").asText().equals("CAA"))
                .findFirst()
                .orElseThrow();

        assertThat(caa.path("Name").asText()).isEqualTo("shop.example.org.");
        assertThat(caa.path("ResourceRecords").toString()).isEqualTo("[\"0 issue \\\"letsencrypt.org\\\"\"]");
    }

    private static JsonNode record(String name) {
        return Staging.TEMPLATE.resources("AWS::Route53::RecordSet").values().stream()
                .map(record -> record.path("Properties"))
                .filter(record -> record.path("Name").asText().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldLookUpTheImageTheZonesAndTheHostedZoneOnceWhereAnAccountIsKnown() {
        Map<String, String> account = SynthesisedTemplate.ACCOUNT;
        String image = "ssm:account=123456789012:parameterName=/aws/service/ami-amazon-linux-latest/"
                + "al2023-ami-kernel-6.1-arm64:region=eu-central-1";
        String zones = "availability-zones:account=123456789012:region=eu-central-1";
        String hostedZone = "hosted-zone:account=123456789012:domainName=shop.example.org:region=eu-central-1";
        Map<String, Object> site = new HashMap<>();
        site.put("hostedZoneId", null);

        // The first pass of the command line: it learns what to look up, and may not fail.
        JsonNode missing = SynthesisedTemplate.with(site, account).manifest().path("missing");
        assertThat(missing.findValuesAsText("key")).containsExactlyInAnyOrder(image, zones, hostedZone);

        site.put(image, "ami-0123456789abcdef0");
        site.put(zones, List.of("eu-central-1c", "eu-central-1-ham-1a", "eu-central-1a", "eu-central-1b"));
        site.put(hostedZone, Map.of("Id", "/hostedzone/Z0987654321ZYXWVUTSRQ", "Name", "shop.example.org."));
        SynthesisedTemplate second = SynthesisedTemplate.with(site, account);
        assertThat(second.manifest().path("missing")).isEmpty();
        assertThat(second.resources("AWS::EC2::LaunchTemplate").values())
                .allMatch(template -> template.path("Properties")
                        .path("LaunchTemplateData")
                        .path("ImageId")
                        .asText()
                        .equals("ami-0123456789abcdef0"));
        assertThat(second.resources("AWS::EC2::Subnet").values())
                .extracting(subnet ->
                        subnet.path("Properties").path("AvailabilityZone").asText())
                .containsExactly("eu-central-1c", "eu-central-1a", "eu-central-1b");
        assertThat(second.resource("SiteRecordsApexEF128889")
                        .path("Properties")
                        .path("HostedZoneId")
                        .asText())
                .isEqualTo("Z0987654321ZYXWVUTSRQ");
        assertThat(second.messages().toString()).doesNotContain("twinhost:image");
        // It is the same release, for which nobody has to wait again.
        assertThat(second.resources(HANDLE).keySet())
                .isEqualTo(SynthesisedTemplate.site().resources(HANDLE).keySet());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "3 | us-west-1a us-west-1c | zones: is more than us-west-1 has for this account (us-west-1a, us-west-1c, as"
                        + " in cdk.context.json), got 3, want 2",
                "3 | us-west-1a us-west-1-lax-1a us-west-1-wl1-las-wlz-1 | zones: is more than us-west-1 has for this"
                        + " account (us-west-1a, as in cdk.context.json), got 3, want a region with at least two",
                "2 | us-west-1-lax-1a | zones: is more than us-west-1 has for this account (none, as in cdk.context.json),"
                        + " got 2, want a region with at least two"
            })
    void shouldRefuseMoreZonesThanTheRegionHasAndSayHowManyItHas(int zones, String found, String fault) {
        Map<String, Object> settings = Map.of(
                "zones", zones, "availability-zones:account=123456789012:region=us-west-1", List.of(found.split(" ")));
        Map<String, String> account = Map.of("CDK_DEFAULT_ACCOUNT", "123456789012", "CDK_DEFAULT_REGION", "us-west-1");

        assertThatThrownBy(() -> SynthesisedTemplate.with(settings, account))
                .isInstanceOf(InvalidSettings.class)
                .hasMessage(fault);
    }

    @Test
    void shouldTakeTwoZonesWhereTheRegionHasNoMore() {
        Map<String, Object> settings = Map.of(
                "zones",
                2,
                "availability-zones:account=123456789012:region=eu-central-1",
                List.of("eu-central-1a", "eu-central-1c"));

        assertThat(SynthesisedTemplate.with(settings, SynthesisedTemplate.ACCOUNT)
                        .resources("AWS::EC2::Subnet")
                        .values())
                .extracting(subnet ->
                        subnet.path("Properties").path("AvailabilityZone").asText())
                .containsExactly("eu-central-1a", "eu-central-1c");
    }

    private static List<String> subnets(SynthesisedTemplate template, String group) {
        List<String> subnets = new ArrayList<>();
        template.resource(group)
                .path("Properties")
                .path("VPCZoneIdentifier")
                .forEach(subnet -> subnets.add(subnet.path("Ref").asText()));
        return subnets;
    }
}
