package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

/** The records, the release and the outputs. */
class SiteTemplateTest {
    @Test
    void shouldPointTheApexToTheBalancerAsAnAlias() {
        JsonNode record = site().resource("SiteRecordsApexEF128889").path("Properties");

        assertThat(record.path("Name").asText()).isEqualTo("shop.example.org.");
        assertThat(record.path("Type").asText()).isEqualTo("A");
        assertThat(record.path("HostedZoneId").asText()).isEqualTo("Z0123456789ABCDEFGHIJ");
        assertThat(record.path("AliasTarget").toString())
                .as("the name as Route 53 has it for a network balancer, without a prefix")
                .isEqualTo("{\"DNSName\":{\"Fn::GetAtt\":[\"" + balancer() + "\",\"DNSName\"]},\"HostedZoneId\":"
                        + "{\"Fn::GetAtt\":[\"" + balancer() + "\",\"CanonicalHostedZoneID\"]}}");
        assertThat(record.path("Weight").asInt()).isEqualTo(100);
        assertThat(record.path("SetIdentifier").asText()).isEqualTo("twinhost");
    }

    @Test
    void shouldPointWwwToTheBalancersName() {
        JsonNode record = site().resource("SiteRecordsWwwBCAFAAF6").path("Properties");

        assertThat(record.path("Name").asText()).isEqualTo("www.shop.example.org.");
        assertThat(record.path("Type").asText()).isEqualTo("CNAME");
        assertThat(record.path("ResourceRecords").toString())
                .isEqualTo("[{\"Fn::GetAtt\":[\"" + balancer() + "\",\"DNSName\"]}]");
        assertThat(record.path("TTL").asInt()).isEqualTo(60);
        assertThat(record.path("Weight").asInt()).isEqualTo(100);
        assertThat(record.path("SetIdentifier").asText()).isEqualTo("twinhost");
    }

    @Test
    void shouldOwnNoOtherRecord() {
        assertThat(site().resources("AWS::Route53::RecordSet"))
                .containsOnlyKeys("SiteRecordsApexEF128889", "SiteRecordsWwwBCAFAAF6");
    }

    @Test
    void shouldNameTheReleaseByTheHashOfItsBytes() throws Exception {
        JsonNode release = release();

        assertThat(release.path("sha256").asText())
                .isEqualTo(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(archive())));
        assertThat(release.path("key").asText()).matches("Twinhost/[0-9a-f]{64}\\.zip");
        assertThat(release.path("bucket").asText())
                .isEqualTo("<cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}>");
        assertThat(release.path("balancer").asText()).isEqualTo("<" + balancer() + ".DNSName>");
        assertThat(release.path("targetGroups"))
                .extracting(JsonNode::asText)
                .containsExactly(
                        "<" + site().idOf("AWS::ElasticLoadBalancingV2::TargetGroup", "HttpTargets") + ">",
                        "<" + site().idOf("AWS::ElasticLoadBalancingV2::TargetGroup", "HttpsTargets") + ">");
        assertThat(release.path("answer").asText())
                .isEqualTo("<" + site().idOf("AWS::SSM::Parameter", "SiteRelease/Answer") + ">");
    }

    @Test
    void shouldTellTheHostsEverySettingInTheRelease() throws Exception {
        assertThat(settings()).isEqualTo("""
                        export TWINHOST_DOMAIN='shop.example.org'
                        export TWINHOST_EMAIL='ops@shop.example.org'
                        export TWINHOST_ACME_DIRECTORY='https://acme-v02.api.letsencrypt.org/directory'
                        export TWINHOST_ACME_NAME='production'
                        export TWINHOST_ACME_PROFILE=''
                        export TWINHOST_EXTRA_DOMAINS=''
                        export TWINHOST_APP_IMAGE='example/shop:1.4.2'
                        export TWINHOST_APP_REGISTRY_SECRET=''
                        export TWINHOST_APP_PORT='8081'
                        export TWINHOST_APP_REPLICAS='2'
                        export TWINHOST_APP_START_SECONDS='60'
                        export TWINHOST_APP_PARALLELISM='1'
                        export TWINHOST_APP_HEALTH_PATH=''
                        export TWINHOST_APP_ENVIRONMENT='{}'
                        export TWINHOST_APP_SECRETS='{}'
                        export TWINHOST_CACHE_MAX_SIZE='256m'
                        export TWINHOST_REQUESTS_PER_ADDRESS='1000'
                        export TWINHOST_HSTS_PRELOAD='false'
                        export TWINHOST_MAINTENANCE='false'
                        export TWINHOST_EDGE_IMAGE=''
                        export TWINHOST_CERTBOT_IMAGE=''
                        export TWINHOST_MANAGERS='3'
                        export TWINHOST_CONVERGE_SECONDS='540'
                        export TWINHOST_BACK_SECONDS='450'
                        export TWINHOST_TURN_SECONDS='1385'
                        export TWINHOST_DEPLOY_SECONDS='4720'
                        export TWINHOST_LAME_DUCK='16'
                        export TWINHOST_EDGE_UPDATE_DELAY='15'
                        """);
    }

    @Test
    void shouldStartEveryNewReleaseOnTheMachinesOneAtATimeOnceTheyExist() {
        String id = site().resources("AWS::SSM::Association").firstKey();
        JsonNode association = site().resource(id).path("Properties");

        assertThat(association.path("Name").path("Ref").asText()).isEqualTo(document());
        assertThat(association.path("Targets").toString())
                .isEqualTo("[{\"Key\":\"tag:twinhost:stack\",\"Values\":[\"Twinhost\"]}]");
        assertThat(association.path("MaxConcurrency").asText()).isEqualTo("1");
        assertThat(association.path("MaxErrors").asText()).isEqualTo("0");
        assertThat(association.path("Parameters").path("Release").path(0).asText())
                .isEqualTo(release().path("sha256").asText());
        assertThat(site().dependenciesOf(id)).contains("Hosts", "Witness");
    }

    @Test
    void shouldWaitForTheAnswerToThisVeryReleaseOnceTheAssociationHasStartedIt() {
        String hash = release().path("sha256").asText().substring(0, 16);
        JsonNode condition = site().resource("ReleaseAnswer" + hash);

        assertThat(site().resources("AWS::CloudFormation::WaitConditionHandle"))
                .containsOnlyKeys("ReleaseHandle" + hash);
        assertThat(site().resources("AWS::CloudFormation::WaitCondition")).containsOnlyKeys("ReleaseAnswer" + hash);
        assertThat(condition.at("/Properties/Handle/Ref").asText()).isEqualTo("ReleaseHandle" + hash);
        assertThat(condition.at("/Properties/Count").asInt()).isEqualTo(1);
        assertThat(site().dependenciesOf("ReleaseAnswer" + hash))
                .contains(site().resources("AWS::SSM::Association").firstKey());
    }

    @Test
    void shouldWaitLongerThanAMachineMayTakeAfterOneThatCameBeforeIt() {
        int step = site().resource(document())
                .at("/Properties/Content/mainSteps/0/inputs/timeoutSeconds")
                .asInt();
        JsonNode condition = site().resources("AWS::CloudFormation::WaitCondition")
                .values()
                .iterator()
                .next();

        assertThat(condition.at("/Properties/Timeout").asInt()).isBetween(step + 600, 43200);
    }

    @Test
    void shouldKeepTheAnswersUrlOutOfTheReleaseAndOfTheMachinesUserData() throws Exception {
        JsonNode answer = parameter("SiteRelease/Answer");
        String handle =
                site().resources("AWS::CloudFormation::WaitConditionHandle").firstKey();

        assertThat(answer.path("sha256")).isEqualTo(release().path("sha256"));
        assertThat(answer.path("url").asText()).isEqualTo("<" + handle + ">");
        assertThat(release().toString()).doesNotContain(handle);
        assertThat(settings()).doesNotContain("ANSWER", "http://", "s3.");
        assertThat(referring(handle))
                .as("who knows the URL")
                .containsExactlyInAnyOrder(
                        site().idOf("AWS::SSM::Parameter", "SiteRelease/Answer"),
                        site().resources("AWS::CloudFormation::WaitCondition").firstKey());
    }

    @Test
    void shouldRunTheReleaseWithALimitAndLeaveABootingMachineAlone() {
        JsonNode properties = site().resource(document()).path("Properties");
        JsonNode step = properties.path("Content").path("mainSteps").path(0);

        assertThat(properties.path("DocumentType").asText()).isEqualTo("Command");
        assertThat(properties.has("UpdateMethod"))
                .as("a new document at a change")
                .isFalse();
        assertThat(properties.has("Name")).as("a physical name").isFalse();
        assertThat(properties
                        .path("Content")
                        .path("parameters")
                        .path("Release")
                        .path("allowedPattern")
                        .asText())
                .isEqualTo("^[0-9a-f]{64}$");
        assertThat(step.path("inputs").path("timeoutSeconds").asInt()).isEqualTo(3940);
        assertThat(step.path("inputs").path("runCommand"))
                .extracting(JsonNode::asText)
                .containsExactly(
                        "echo 'Release {{ Release }}'",
                        "if [ ! -x /usr/local/bin/twinhost ]; then"
                                + " echo 'This machine is still booting and applies the release by itself'; exit 0; fi",
                        "timeout --kill-after=60 3820 /usr/local/bin/twinhost release");
    }

    @Test
    void shouldPrintWhatToDoNext() {
        JsonNode outputs = site().json().path("Outputs");

        assertThat(outputs.path("SiteUrl").path("Value").asText()).isEqualTo("https://www.shop.example.org/");
        assertThat(outputs.path("BalancerName").path("Value").toString())
                .isEqualTo("{\"Fn::GetAtt\":[\"" + balancer() + "\",\"DNSName\"]}");
        assertThat(outputs.path("FileSystem").path("Value").toString())
                .isEqualTo(
                        "{\"Ref\":\"" + site().resources("AWS::EFS::FileSystem").firstKey() + "\"}");
        assertThat(text(outputs.path("SessionCommand").path("Value")))
                .isEqualTo("aws ssm start-session --region <AWS::Region> --target"
                        + " \"$(aws ec2 describe-instances --region <AWS::Region>"
                        + " --filters Name=tag:twinhost:stack,Values=Twinhost Name=tag:twinhost:role,Values=host"
                        + " Name=instance-state-name,Values=running"
                        + " --query 'Reservations[0].Instances[0].InstanceId' --output text)\"");
    }

    @Test
    void shouldGiveNothingAPhysicalName() {
        // A record is its name, and an inline policy has one within its role; nothing else may be named by hand.
        site().json().path("Resources").properties().stream()
                .filter(resource -> !List.of("AWS::Route53::RecordSet", "AWS::IAM::Policy")
                        .contains(resource.getValue().path("Type").asText()))
                .forEach(resource -> assertThat(
                                resource.getValue().path("Properties").properties())
                        .as(resource.getKey())
                        .noneMatch(property -> property.getKey().matches("[A-Za-z]*Name")
                                && property.getValue().isTextual()));
    }

    private static List<String> referring(String id) {
        return site().json().path("Resources").properties().stream()
                .filter(resource -> resource.getValue().toString().contains("{\"Ref\":\"" + id + "\"}"))
                .map(Map.Entry::getKey)
                .toList();
    }

    private static String balancer() {
        return site().resources("AWS::ElasticLoadBalancingV2::LoadBalancer").firstKey();
    }

    private static String document() {
        return site().resources("AWS::SSM::Document").firstKey();
    }

    private static JsonNode release() {
        return parameter("SiteRelease/Current");
    }

    private static JsonNode parameter(String path) {
        try {
            return new ObjectMapper()
                    .readTree(text(
                            site().propertiesOf("AWS::SSM::Parameter", path).path("Value")));
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] archive() throws IOException {
        String asset = release().path("key").asText().replace("Twinhost/", "asset.");
        return Files.readAllBytes(site().file(asset));
    }

    private static String settings() throws IOException {
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive()))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (entry.getName().equals("settings.env")) {
                    return new String(zip.readAllBytes(), StandardCharsets.UTF_8);
                }
            }
        }
        throw new AssertionError("The release holds no settings.env");
    }

    /** A joined text, each reference as {@code <what it refers to>}. */
    private static String text(JsonNode value) {
        StringBuilder text = new StringBuilder();
        value.path("Fn::Join").path(1).forEach(part -> {
            if (part.isTextual()) {
                text.append(part.asText());
            } else {
                String reference = part.elements().next().toString();
                text.append('<')
                        .append(reference.replaceAll("[\\[\\]\"]", "").replace(',', '.'))
                        .append('>');
            }
        });
        return text.toString();
    }
}
