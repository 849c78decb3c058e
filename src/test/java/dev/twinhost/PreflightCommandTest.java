package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code bin/preflight} against stand-ins of AWS's command line, the DNS and the registries, with the cloud assembly of the app.
 * The answers of AWS are in the resources, in the form of its own examples. Does not prove: that AWS answers in that form.
 */
class PreflightCommandTest {
    private static final Path ANSWERS = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/preflight");
    private static final String NGINX = "nginx:1.30.5@sha256:" + "1".repeat(64);
    private static final String EDGE = "public.ecr.aws/docker/library/" + NGINX;
    private static final String HUB_EDGE = "docker.io/library/" + NGINX;
    private static final String CERTBOT = "certbot/certbot:v5.8.0@sha256:" + "2".repeat(64);
    private static final String EDGE_PATH = "public.ecr.aws/v2/docker/library/nginx/manifests/sha256:" + "1".repeat(64);
    private static final String HUB_EDGE_PATH =
            "registry-1.docker.io/v2/library/nginx/manifests/sha256:" + "1".repeat(64);
    private static final String CERTBOT_PATH =
            "registry-1.docker.io/v2/certbot/certbot/manifests/sha256:" + "2".repeat(64);
    private static final String APP_PATH = "registry-1.docker.io/v2/example/shop/manifests/1.4.2";
    private static final String INDEX = """
            {"manifests": [
              {"digest": "sha256:3", "platform": {"os": "linux", "architecture": "amd64"}},
              {"digest": "sha256:4", "platform": {"os": "linux", "architecture": "arm64"}},
              {"digest": "sha256:5", "platform": {"os": "unknown", "architecture": "unknown"}}]}""";
    private static final List<String> SERVERS =
            List.of("ns-1.awsdns-01.org", "ns-2.awsdns-02.com", "ns-3.awsdns-03.net", "ns-4.awsdns-04.co.uk");
    private static final String KEY_ARN =
            "arn:aws:kms:eu-central-1:123456789012:key/0ea3fef3-80a7-4778-9d8c-1c0c6e8a11f0";
    private static final String KEY = "ec2_get-ebs-default-kms-key-id {'KmsKeyId': '" + KEY_ARN + "'}\n"
            + "kms_describe-key {'KeyMetadata': {'Arn': '" + KEY_ARN
            + "', 'KeyManager': 'CUSTOMER', 'KeyState': 'Enabled'}}\n";
    private static final String AUTO_SCALING =
            "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    private static final String OWN_RECORDS = "route53_list-resource-record-sets {'ResourceRecordSets': [{'Name':"
            + " 'shop.example.org.', 'Type': 'A', 'SetIdentifier': 'twinhost', 'Weight': 100}, {'Name': 'www.shop.example.org.',"
            + " 'Type': 'CNAME', 'SetIdentifier': 'twinhost', 'Weight': 100, 'TTL': 60}]}";
    private static final String NO_RECORDS = "route53_list-resource-record-sets {'ResourceRecordSets': []}";
    private static final String ENTER =
            "enter at the registrar of shop.example.org, or as its NS record in the zone above:"
                    + " ns-1.awsdns-01.org, ns-2.awsdns-02.com, ns-3.awsdns-03.net, ns-4.awsdns-04.co.uk";

    @AutoClose
    private static NameServerStandIn names;

    @AutoClose
    private static RegistryStandIn registries;

    @TempDir
    Path root;

    private Shell shell;

    @BeforeAll
    static void startStandIns() throws IOException {
        names = new NameServerStandIn();
        registries = new RegistryStandIn();
    }

    @BeforeEach
    void layOut() throws IOException {
        shell = new Shell(root)
                .with("AWS_REGION", "eu-central-1")
                .with("PREFLIGHT_DNS", names.address())
                .with("PREFLIGHT_REGISTRIES", registries.address())
                .with("TMPDIR", Files.createDirectory(root.resolve("temporary")).toString());
        assertThat(shell.bash("mkdir -p tree/src && cp -r " + Shell.CHECKOUT + "/bin tree/ && cp -r " + Shell.CHECKOUT
                                + "/src/preflight tree/src/")
                        .status())
                .isZero();
        shell.write("tree/node_modules/.package-lock.json", "{}");
        shell.write("tree/docker/edge/Dockerfile", "FROM " + NGINX + "\n");
        shell.write("tree/docker/certbot/Dockerfile", "FROM " + CERTBOT + "\n");
        shell.standIn("node", """
                [[ $1 != --version ]] || { echo v22.0.0; exit; }
                exec "$(PATH=/usr/local/bin:/usr/bin:/bin command -v node)" "$@\"""");
        shell.standIn("aws", """
                echo "$*" >>"$TWINHOST_ROOT/calls"
                for answer in "$1_$2_${4:-}" "$1_$2"; do
                  if [[ -e $TWINHOST_ROOT/aws/$answer.error ]]; then
                    cat "$TWINHOST_ROOT/aws/$answer.error" >&2
                    exit 254
                  elif [[ -e $TWINHOST_ROOT/aws/$answer.stall ]]; then
                    exec /bin/sleep 30
                  elif [[ -e $TWINHOST_ROOT/aws/$answer.json ]]; then
                    exec cat "$TWINHOST_ROOT/aws/$answer.json"
                  fi
                done
                exit 252""");
        shell.standIn("npx", """
                echo "npx $*" >>"$TWINHOST_ROOT/calls"
                while [[ $1 != -o ]]; do shift; done
                cp -r "$TWINHOST_ROOT/assembly/." "$2"
                cat "$TWINHOST_ROOT/said" 2>/dev/null
                exit "$(cat "$TWINHOST_ROOT/status" 2>/dev/null || echo 0)\"""");
        assertThat(shell.bash("cp -r " + ANSWERS + " aws").status()).isZero();
        assembly(SynthesisedTemplate.site());
        error(
                "cloudformation_describe-stacks",
                "ValidationError",
                "DescribeStacks",
                "Stack with id Twinhost does not exist");
        names.clear();
        names.put("NS shop.example.org", SERVERS);
        registries.clear();
        registries.put(EDGE_PATH, INDEX);
        registries.put(HUB_EDGE_PATH, INDEX);
        registries.put(CERTBOT_PATH, INDEX);
        registries.put(APP_PATH, INDEX);
    }

    @Test
    void shouldFindNothingInTheWay() {
        Shell.Result preflight = preflight();

        assertThat(preflight.output()).isEqualTo("""
                ok      credentials   arn:aws:iam::123456789012:user/someone
                Synthesising the site
                ok      settings      stack Twinhost, shop.example.org, www.shop.example.org
                ok      region        eu-central-1
                ok      bootstrap     version 27, 6 or later wanted
                ok      stack         Twinhost is not deployed yet
                ok      zones         t4g.small in eu-central-1a, eu-central-1b
                ok      zones         t4g.micro in eu-central-1c
                ok      quota         32 vCPUs for standard instances, 2 taken by other machines, 10 wanted
                ok      hosted zone   shop.example.org (Z0123456789ABCDEFGHIJ), public
                ok      delegation    the world asks the zone: ns-1.awsdns-01.org, ns-2.awsdns-02.com, ns-3.awsdns-03.net, ns-4.awsdns-04.co.uk
                ok      records       nothing is in the way of shop.example.org A, www.shop.example.org CNAME
                ok      CAA           no CAA record forbids a certificate for shop.example.org, www.shop.example.org
                ok      roles         AWSServiceRoleForAutoScaling, AWSServiceRoleForElasticLoadBalancing, AWSServiceRoleForAmazonSSM
                ok      disk key      AWS's own key
                ok      edge image    public.ecr.aws/docker/library/NGINX, for arm64
                ok      edge image    docker.io/library/NGINX, for arm64
                ok      certbot image CERTBOT, for arm64
                ok      appImage      example/shop:1.4.2, for arm64

                nothing is in the way of a deploy
                """.replace("NGINX", NGINX).replace("CERTBOT", CERTBOT));
        assertThat(preflight.status()).isZero();
        assertThat(root.resolve("temporary")).isEmptyDirectory();
    }

    @Test
    void shouldAskReadingQuestionsAlone() {
        preflight();

        assertThat(calls())
                .filteredOn(call -> !call.startsWith("npx"))
                .hasSizeGreaterThan(12)
                .allMatch(call -> call.matches("[a-z0-9-]+ (get|describe|list)-.*"))
                .allMatch(call -> call.endsWith(" --output json --cli-connect-timeout 10 --cli-read-timeout 20"));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource({"account", "names", "images"})
    void shouldSayInOneLineWhatIsInTheWayAndInTheNextWhatToDo(String check, String faults, String found, String next) {
        put(faults);

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains(line("no", check, found, next))
                .endsWith(" in the way: a deploy would fail, or the site not answer\n");
        assertThat(preflight.status()).isEqualTo(1);
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("warnings")
    void shouldWarnOfWhatIsNoObstacle(String check, String faults, String found, String next) {
        put(faults);

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains(line("warning", check, found, next))
                .doesNotContain("\nno ")
                .endsWith("\nnothing is in the way of a deploy\n");
        assertThat(preflight.status()).isZero();
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("good")
    void shouldTakeWhatIsGood(String check, String faults, String found) {
        put(faults);

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains("ok      " + String.format("%-14s", check) + found + '\n')
                .doesNotContain("\nno ", "\nwarning ");
        assertThat(preflight.status()).isZero();
    }

    static Stream<Arguments> account() {
        return Stream.of(
                arguments(
                        "region",
                        "ec2_describe-regions {'Regions': [{'RegionName': 'eu-central-1', 'OptInStatus': 'not-opted-in'}]}",
                        "the account has not enabled eu-central-1",
                        "type: aws account enable-region --region-name eu-central-1"),
                arguments(
                        "region",
                        "ec2_describe-regions {'Regions': [{'RegionName': 'eu-west-1', 'OptInStatus': 'opted-in'}]}",
                        "the account knows no region eu-central-1",
                        "type: export AWS_REGION=eu-central-1, or the region of the site"),
                arguments(
                        "bootstrap",
                        "ssm_get-parameter ParameterNotFound GetParameter",
                        "account 123456789012 was never bootstrapped in eu-central-1",
                        "type: npx cdk bootstrap aws://123456789012/eu-central-1"),
                arguments(
                        "bootstrap",
                        "ssm_get-parameter {'Parameter': {'Value': '5'}}",
                        "version 5, 6 or later wanted",
                        "type: npx cdk bootstrap aws://123456789012/eu-central-1"),
                arguments(
                        "bootstrap",
                        "ssm_get-parameter {'Parameter': {'Value': 'none'}}",
                        "version none, 6 or later wanted",
                        "type: npx cdk bootstrap aws://123456789012/eu-central-1"),
                arguments(
                        "stack",
                        "cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'UPDATE_IN_PROGRESS'}]}",
                        "Twinhost is being changed: UPDATE_IN_PROGRESS",
                        "wait until this says COMPLETE: aws cloudformation describe-stacks --stack-name Twinhost"
                                + " --query 'Stacks[0].StackStatus'"),
                arguments(
                        "stack",
                        "cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'UPDATE_ROLLBACK_FAILED'}]}",
                        "Twinhost could not go back: UPDATE_ROLLBACK_FAILED",
                        "type: npx cdk rollback Twinhost"),
                arguments(
                        "stack",
                        "cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'DELETE_FAILED'}]}",
                        "Twinhost takes no deploy: DELETE_FAILED",
                        "see what failed: aws cloudformation describe-stack-events --stack-name Twinhost;"
                                + " delete that by hand, then type: npx cdk destroy Twinhost"),
                arguments(
                        "zones",
                        "ec2_describe-subnets {'Subnets': [{'AvailabilityZone': 'eu-central-1b'}, {'AvailabilityZone': 'eu-central-1a'}]}",
                        "3 zones are wanted, and CloudFormation counts 2 in eu-central-1: eu-central-1a, eu-central-1b",
                        "write \"zones\": 2 into cdk.json (the README says what is lost), or choose another region; where the region"
                                + " has more zones, one without a default subnet does not count:"
                                + " aws ec2 create-default-subnet --availability-zone ZONE"),
                arguments(
                        "zones",
                        "ec2_describe-instance-type-offerings {'InstanceTypeOfferings': [{'InstanceType': 't4g.micro', 'Location':"
                                + " 'eu-central-1c'}, {'InstanceType': 't4g.small', 'Location': 'eu-central-1b'}]}",
                        "t4g.small is not offered in eu-central-1a, where the template puts it, but in eu-central-1b",
                        "write another \"instanceType\" into cdk.json, one of: aws ec2 describe-instance-type-offerings"
                                + " --location-type availability-zone --filters Name=location,Values=eu-central-1a --query"
                                + " 'InstanceTypeOfferings[].InstanceType'"),
                arguments(
                        "zones",
                        "ZONE eu-central-1d",
                        "t4g.small is not offered in eu-central-1d, where the template puts it, but in eu-central-1a, eu-central-1b,"
                                + " eu-central-1c",
                        "write another \"instanceType\" into cdk.json, one of: aws ec2 describe-instance-type-offerings"
                                + " --location-type availability-zone --filters Name=location,Values=eu-central-1d --query"
                                + " 'InstanceTypeOfferings[].InstanceType'; or, before the first deploy, take the zone out of the"
                                + " list in cdk.context.json"),
                arguments(
                        "zones",
                        "ec2_describe-instance-type-offerings {'InstanceTypeOfferings': []}",
                        "t4g.micro is not offered in eu-central-1c, where the template puts it, but in no zone of this region",
                        "write another \"witnessInstanceType\" into cdk.json, one of: aws ec2 describe-instance-type-offerings"
                                + " --location-type availability-zone --filters Name=location,Values=eu-central-1c --query"
                                + " 'InstanceTypeOfferings[].InstanceType'"),
                arguments(
                        "quota",
                        "service-quotas_get-service-quota {'Quota': {'Value': 11.0}}",
                        "11 vCPUs for standard instances, 2 taken by other machines, 10 wanted",
                        "type: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A"
                                + " --desired-value 12"),
                arguments(
                        "quota",
                        "service-quotas_get-service-quota NoSuchResourceException GetServiceQuota\n"
                                + "service-quotas_get-aws-default-service-quota {'Quota': {'Value': 5.0}}",
                        "5 vCPUs for standard instances, 2 taken by other machines, 10 wanted",
                        "type: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A"
                                + " --desired-value 12"),
                arguments(
                        "roles",
                        "iam_get-role_AWSServiceRoleForAmazonSSM NoSuchEntity GetRole",
                        "the account lacks AWSServiceRoleForAmazonSSM: without it Systems Manager may start no release",
                        "type: aws iam create-service-linked-role --aws-service-name ssm.amazonaws.com"),
                arguments(
                        "disk key",
                        KEY + "kms_list-grants {'Grants': []}\nkms_get-key-policy {'Policy': '{`Statement`: []}'}",
                        "disks are encrypted with " + KEY_ARN
                                + ", which neither a grant nor its policy lets Auto Scaling use: no machine would start",
                        "type: aws kms create-grant --key-id " + KEY_ARN + " --grantee-principal " + AUTO_SCALING
                                + " --operations Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey"
                                + " GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant"),
                arguments(
                        "disk key",
                        KEY.replace("Enabled", "PendingDeletion"),
                        "disks are encrypted with " + KEY_ARN + ", which is PendingDeletion",
                        "type: aws kms enable-key --key-id " + KEY_ARN + ", or: aws ec2 reset-ebs-default-kms-key-id"));
    }

    static Stream<Arguments> names() {
        String find =
                "type: aws route53 list-hosted-zones-by-name --dns-name shop.example.org, and write the id of its public zone"
                        + " into cdk.json";
        String delete = "delete it in the zone";
        String none = delete + ", or begin with \"dns\": \"none\" in cdk.json";
        return Stream.of(
                arguments(
                        "hosted zone",
                        "route53_get-hosted-zone NoSuchHostedZone GetHostedZone",
                        "hostedZoneId: is no zone of this account, got Z0123456789ABCDEFGHIJ",
                        find),
                arguments(
                        "hosted zone",
                        "route53_get-hosted-zone {'HostedZone': {'Name': 'p.example.org.', 'Config': {'PrivateZone': false}}}",
                        "hostedZoneId: is the zone of p.example.org, which does not own shop.example.org, got Z0123456789ABCDEFGHIJ",
                        find),
                arguments(
                        "hosted zone",
                        "route53_get-hosted-zone {'HostedZone': {'Name': 'example.org.', 'Config': {'PrivateZone': true}}}",
                        "hostedZoneId: is a private zone, which only VPCs see, got Z0123456789ABCDEFGHIJ",
                        find),
                arguments("delegation", "NS shop.example.org -", "the world does not find shop.example.org", ENTER),
                arguments(
                        "delegation",
                        "NS shop.example.org ns2.old.example ns1.old.example ns-1.awsdns-01.org",
                        "the world asks ns1.old.example, ns2.old.example for shop.example.org, and not the zone"
                                + " Z0123456789ABCDEFGHIJ",
                        ENTER),
                arguments(
                        "delegation",
                        "NS shop.example.org SERVFAIL",
                        "the world gets no answer for shop.example.org (SERVFAIL)",
                        ENTER + "; and take away a DS record that stands there, unless the zone is signed"),
                arguments(
                        "records",
                        records("shop.example.org.", "A", "'TTL': 300"),
                        "the A record of shop.example.org has no weight, and Route 53 takes no weighted one beside it",
                        delete
                                + ", or make it a weighted one (aws route53 change-resource-record-sets, DELETE and CREATE in one"
                                + " batch), or begin with \"dns\": \"none\" in cdk.json"),
                arguments(
                        "records",
                        records("www.shop.example.org.", "CNAME", "'TTL': 300"),
                        "the CNAME record of www.shop.example.org has no weight, and Route 53 takes no weighted one beside it",
                        delete
                                + ", or make it a weighted one (aws route53 change-resource-record-sets, DELETE and CREATE in one"
                                + " batch), or begin with \"dns\": \"none\" in cdk.json"),
                arguments(
                        "records",
                        records("shop.example.org.", "A", "'SetIdentifier': 'near', 'Region': 'eu-west-1'"),
                        "the A record of shop.example.org (near) has another routing policy, and Route 53 takes no weighted one"
                                + " beside it",
                        none),
                arguments(
                        "records",
                        records("shop.example.org.", "A", "'SetIdentifier': 'twinhost', 'Weight': 100"),
                        "the A record of shop.example.org (twinhost) has the site's set identifier and is not this stack's",
                        "if it is not another site's, " + delete),
                arguments(
                        "records",
                        records("www.shop.example.org.", "CNAME", "'SetIdentifier': 'old', 'Weight': 0, 'TTL': 300"),
                        "the CNAME record of www.shop.example.org (old) has a TTL of 300, and all weighted ones of a name have the"
                                + " same",
                        "change its TTL to 60"),
                arguments(
                        "records",
                        records("www.shop.example.org.", "TXT", "'TTL': 300"),
                        "the TXT record of www.shop.example.org excludes the site's CNAME: a CNAME stands alone",
                        none),
                arguments(
                        "records",
                        records("shop.example.org.", "CNAME", "'SetIdentifier': 'old', 'Weight': 0, 'TTL': 60"),
                        "the CNAME record of shop.example.org (old) excludes the site's A: a CNAME stands alone",
                        none),
                arguments(
                        "records",
                        records("shop.example.org.", "AAAA", "'TTL': 300"),
                        "the AAAA record of shop.example.org points elsewhere (the balancer has no IPv6), and while it stands no"
                                + " certificate is ordered",
                        delete),
                arguments(
                        "records",
                        records("www.shop.example.org.", "NS", "'TTL': 300"),
                        "the NS record of www.shop.example.org hands it to another zone, and this one is not asked for it",
                        "write the other zone's id into cdk.json, or " + delete),
                arguments(
                        "records",
                        "CAARECORD\n"
                                + records(
                                        "shop.example.org.",
                                        "CAA",
                                        "'ResourceRecords': [{'Value': '0 issue `letsencrypt.org`'}]"),
                        "the CAA record of shop.example.org is there already, and CloudFormation takes over none",
                        delete + ", or leave \"caa\" away in cdk.json"),
                arguments(
                        "CAA",
                        records("shop.example.org.", "CAA", "'ResourceRecords': [{'Value': '0 issue `pki.goog`'}]"),
                        "the CAA records of shop.example.org (issue \"pki.goog\") forbid letsencrypt.org: no certificate for"
                                + " shop.example.org, www.shop.example.org",
                        "add to the CAA records of shop.example.org: 0 issue \"letsencrypt.org\""),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA example.org 0 issue ;",
                        "the CAA records of example.org (issue \";\") forbid letsencrypt.org: no certificate for shop.example.org,"
                                + " www.shop.example.org",
                        "add to the CAA records of example.org: 0 issue \"letsencrypt.org\""),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA org 0 issue letsencrypt.org; validationmethods=dns-01",
                        "the CAA records of org (issue \"letsencrypt.org; validationmethods=dns-01\") forbid letsencrypt.org: no"
                                + " certificate for shop.example.org, www.shop.example.org",
                        "add to the CAA records of org: 0 issue \"letsencrypt.org\""),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA org 0 issue letsencrypt.org; accounturi=https://acme.example/acct/1",
                        "the CAA records of org (issue \"letsencrypt.org; accounturi=https://acme.example/acct/1\") forbid"
                                + " letsencrypt.org: no certificate for shop.example.org, www.shop.example.org",
                        "add to the CAA records of org: 0 issue \"letsencrypt.org\""),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA example.org 128 tbs unknown",
                        "example.org has a critical CAA record that no CA knows (tbs): no certificate for shop.example.org,"
                                + " www.shop.example.org",
                        delete),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA example.org SERVFAIL",
                        "could not be checked: the DNS does not answer for CAA of example.org: ESERVFAIL",
                        "set that right, then type: bin/preflight"),
                arguments(
                        "CAA",
                        records("shop.example.org.", "CAA", "'ResourceRecords': [{'Value': 'letsencrypt.org'}]"),
                        "could not be checked: the CAA record of shop.example.org cannot be read",
                        "set that right, then type: bin/preflight"));
    }

    static Stream<Arguments> images() {
        return Stream.of(
                arguments(
                        "edge image",
                        EDGE_PATH + " {'manifests': []}\n" + HUB_EDGE_PATH
                                + " {'manifests': [{'platform': {'os': 'linux', 'architecture': 'amd64'}}]}",
                        HUB_EDGE + " is there for amd64, and t4g.small wants arm64",
                        "write one that is there as \"edgeImage\" into cdk.json, or take a newer commit of Twinhost; or write an"
                                + " \"instanceType\" of another architecture there"),
                arguments(
                        "edge image",
                        HUB_EDGE_PATH + " 404\n" + EDGE_PATH + " {'manifests': []}",
                        EDGE + " is there for no machine, and t4g.small wants arm64",
                        "write one that is there as \"edgeImage\" into cdk.json, or take a newer commit of Twinhost; or write an"
                                + " \"instanceType\" of another architecture there"),
                arguments(
                        "certbot image",
                        CERTBOT_PATH + " 404",
                        CERTBOT + " is not in its registry (HTTP 404)",
                        "write one that is there as \"certbotImage\" into cdk.json, or take a newer commit of Twinhost"),
                arguments(
                        "certbot image",
                        CERTBOT_PATH + " 429",
                        CERTBOT + " was asked for too often (HTTP 429)",
                        "in an hour type again: bin/preflight"),
                arguments(
                        "certbot image",
                        CERTBOT_PATH + " 503",
                        "could not be checked: " + CERTBOT + " was refused (HTTP 503)",
                        "set that right, then type: bin/preflight"),
                arguments(
                        "certbot image",
                        CERTBOT_PATH + " {'manifests'",
                        "could not be checked: " + CERTBOT + ": the registry answered no JSON",
                        "set that right, then type: bin/preflight"),
                arguments(
                        "certbot image",
                        CERTBOT_PATH + " {}",
                        "could not be checked: the manifest of " + CERTBOT + " answered without config.digest",
                        "set that right, then type: bin/preflight"),
                arguments(
                        "edge image",
                        "DOCKERFILE # FROM nowhere",
                        "could not be checked: docker/edge/Dockerfile names no image in a line FROM",
                        "set that right, then type: bin/preflight"),
                arguments(
                        "appImage",
                        APP_PATH + " 404",
                        "example/shop:1.4.2 is not in its registry (HTTP 404)",
                        "push it for linux/arm64, or write another \"appImage\" into cdk.json"),
                arguments(
                        "appImage",
                        "IMAGE 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1\necr_describe-images ImageNotFoundException"
                                + " DescribeImages",
                        "An error occurred (ImageNotFoundException) when calling the DescribeImages operation: said by AWS",
                        "push it for linux/arm64, or write another \"appImage\" into cdk.json"),
                arguments(
                        "appImage",
                        "IMAGE 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1\necr_describe-images {'imageDetails': []}",
                        "could not be checked: aws ecr describe-images answered without imageDetails.0.imageDigest",
                        "set that right, then type: bin/preflight"));
    }

    static Stream<Arguments> warnings() {
        return Stream.of(
                arguments(
                        "roles",
                        "iam_get-role_AWSServiceRoleForAutoScaling NoSuchEntity GetRole",
                        "the account lacks AWSServiceRoleForAutoScaling: AWS makes it with the first group, whose first launch may"
                                + " fail",
                        "type: aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com"),
                arguments(
                        "roles",
                        "iam_get-role_AWSServiceRoleForElasticLoadBalancing NoSuchEntity GetRole",
                        "the account lacks AWSServiceRoleForElasticLoadBalancing: AWS makes it with the first balancer",
                        "type: aws iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com"),
                arguments(
                        "quota",
                        "TYPE g5g.xlarge",
                        "g5g.xlarge is none of the standard instances, whose quota is looked at here",
                        "look at the quota of its family: aws service-quotas list-service-quotas --service-code ec2"),
                arguments(
                        "records",
                        records("shop.example.org.", "A", "'SetIdentifier': 'old', 'Weight': 7, 'TTL': 300"),
                        "the A record of shop.example.org (old) has a weight of 7, and gets its share of the clients",
                        "no certificate is ordered until that is 0"),
                arguments(
                        "CAA",
                        "ACME https://ca.example/directory\n"
                                + records(
                                        "shop.example.org.",
                                        "CAA",
                                        "'ResourceRecords': [{'Value': '0 issue `ca.example`'}]"),
                        "the CAA records of shop.example.org (issue \"ca.example\") bind shop.example.org, www.shop.example.org, and"
                                + " whether they allow https://ca.example/directory is not known here",
                        "look for the name that this CA wants in CAA records"),
                arguments(
                        "edge image",
                        EDGE_PATH + " 404",
                        EDGE + " is not in its registry (HTTP 404)",
                        "nothing: the machines take it from its other registry"),
                arguments(
                        "edge image",
                        HUB_EDGE_PATH + " 429",
                        HUB_EDGE + " was asked for too often (HTTP 429)",
                        "nothing: the machines take it from its other registry"),
                arguments(
                        "appImage",
                        APP_PATH + " login",
                        "example/shop:1.4.2 is not public, so it was not looked at",
                        "write an \"appRegistrySecret\" with a login into cdk.json: the README says how"),
                arguments(
                        "appImage",
                        "LOGIN arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf\n"
                                + APP_PATH + " login",
                        "example/shop:1.4.2 is not public, so it was not looked at",
                        "nothing, where the login in \"appRegistrySecret\" may pull it"),
                arguments(
                        "appImage",
                        APP_PATH + " 403",
                        "example/shop:1.4.2 is not public, so it was not looked at",
                        "write an \"appRegistrySecret\" with a login into cdk.json: the README says how"));
    }

    static Stream<Arguments> good() {
        return Stream.of(
                arguments(
                        "stack",
                        "cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'ROLLBACK_COMPLETE'}]}\n"
                                + "cloudformation_list-stack-resources {'StackResourceSummaries': []}",
                        "Twinhost is not deployed yet (ROLLBACK_COMPLETE)"),
                arguments(
                        "zones",
                        "ec2_describe-subnets {'Subnets': []}\nec2_describe-availability-zones {'AvailabilityZones': [{'ZoneName':"
                                + " 'eu-central-1c'}, {'ZoneName': 'eu-central-1b'}, {'ZoneName': 'eu-central-1a'}]}",
                        "t4g.small in eu-central-1a, eu-central-1b"),
                arguments("zones", "ZONE eu-central-1c", "t4g.small in eu-central-1a, eu-central-1c"),
                arguments(
                        "quota",
                        "service-quotas_get-service-quota {'Quota': {'Value': 12.0}}",
                        "12 vCPUs for standard instances, 2 taken by other machines, 10 wanted"),
                arguments("hosted zone", "NODNS", "the stack makes no records (dns: none)"),
                arguments(
                        "delegation",
                        "NS shop.example.org NS-1.awsdns-01.org ns-2.awsdns-02.com",
                        "the world asks the zone: ns-1.awsdns-01.org, ns-2.awsdns-02.com"),
                arguments(
                        "records",
                        records("shop.example.org.", "A", "'SetIdentifier': 'old', 'Weight': 0, 'TTL': 300"),
                        "nothing is in the way of shop.example.org A, www.shop.example.org CNAME"),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA example.org 0 issuewild ;",
                        "no CAA record forbids a certificate for shop.example.org, www.shop.example.org"),
                arguments(
                        "CAA",
                        NO_RECORDS + "\nCAA example.org 128 issue letsencrypt.org; validationmethods=dns-01,http-01",
                        "no CAA record forbids a certificate for shop.example.org, www.shop.example.org"),
                arguments("disk key", KEY.replace("CUSTOMER", "AWS"), "AWS's own key"),
                arguments(
                        "disk key",
                        KEY + "kms_list-grants {'Grants': [{'GranteePrincipal': '" + AUTO_SCALING
                                + "', 'Operations': ['Encrypt',"
                                + " 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey',"
                                + " 'GenerateDataKeyWithoutPlaintext', 'DescribeKey', 'CreateGrant']}]}",
                        KEY_ARN + ", which Auto Scaling may use"),
                arguments(
                        "disk key",
                        KEY
                                + "kms_list-grants {'Grants': []}\nkms_get-key-policy {'Policy': '{`Statement`: [{`Effect`: `Allow`,"
                                + " `Principal`: {`AWS`: [`" + AUTO_SCALING
                                + "`]}, `Action`: [`kms:Encrypt`, `kms:Decrypt`,"
                                + " `kms:ReEncrypt*`, `kms:GenerateDataKey*`, `kms:DescribeKey`]}, {`Effect`: `Allow`,"
                                + " `Principal`: {`AWS`: `" + AUTO_SCALING + "`}, `Action`: `kms:CreateGrant`}]}'}",
                        KEY_ARN + ", which Auto Scaling may use"),
                arguments("appImage", "IMAGE ", "the page that Twinhost ships"),
                arguments(
                        "certbot image",
                        "CERTBOT ghcr.io/example/certbot:1\nghcr.io/v2/example/certbot/manifests/1 "
                                + INDEX.replace("\n", ""),
                        "ghcr.io/example/certbot:1, for arm64"),
                arguments("appImage", "IMAGE asset:0123", "a folder, which the deploy builds"),
                arguments(
                        "appImage",
                        "IMAGE 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1\n"
                                + "ecr_describe-images {'imageDetails': [{'imageDigest': 'sha256:1'}]}",
                        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1 is there; its architecture was not looked at"),
                arguments(
                        "appImage",
                        "IMAGE ghcr.io/example/shop\n"
                                + "ghcr.io/v2/example/shop/manifests/latest {'config': {'digest': 'sha256:6'}}\n"
                                + "ghcr.io/v2/example/shop/blobs/sha256:6 {'architecture': 'arm64'}",
                        "ghcr.io/example/shop, for arm64"));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("gates")
    void shouldAskNothingWithoutCredentialsOrSettings(String check, String said, String found, String next) {
        if (check.equals("credentials")) {
            shell.write("aws/sts_get-caller-identity.error", '\n' + said + '\n');
        } else {
            shell.write("said", said + '\n');
            shell.write("status", "1");
            assertThat(shell.bash("rm -r assembly/*").status()).isZero();
        }

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains(line("no", check, found, next).stripLeading())
                .endsWith("\nnothing else could be checked\n");
        assertThat(preflight.status()).isEqualTo(2);
        assertThat(calls()).allMatch(call -> call.startsWith("sts ") || call.startsWith("npx "));
    }

    static Stream<Arguments> gates() {
        String configure =
                "type: aws configure (or: aws sso login); where they have a profile of their own: export AWS_PROFILE=NAME";
        String lapsed = "they have lapsed; type: aws sso login, or fetch new ones where you had these from";
        String called = " when calling the GetCallerIdentity operation: ";
        return Stream.of(
                gate(
                        "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
                        configure),
                gate("The config profile (shop) could not be found", configure),
                gate(
                        "An error occurred (ExpiredToken)" + called
                                + "The security token included in the request is expired",
                        lapsed),
                gate("Error when retrieving token from sso: Token has expired and refresh failed", lapsed),
                gate(
                        "Could not connect to the endpoint URL: \"https://sts.eu-central-1.amazonaws.com/\"",
                        "is eu-central-1 misspelt, or is there no way out from here? type: aws sts get-caller-identity"),
                gate(
                        "An error occurred (InvalidClientTokenId)" + called
                                + "The security token included in the request is invalid.",
                        "the keys are wrong or deleted, or the account has not enabled the region; type: aws account enable-region"
                                + " --region-name eu-central-1"),
                arguments(
                        "settings",
                        "domain: is the example, got \"example.com\", want yours\nzones: is out of range, got 9, want 3\nSubprocess"
                                + " exited with error 2",
                        "domain: is the example, got \"example.com\", want yours | zones: is out of range, got 9, want 3",
                        "type the right values into cdk.json"),
                arguments(
                        "settings",
                        "hostedZoneId: cannot be looked up, because no public hosted zone is called shop.example.org; the one of"
                                + " example.org may own it, got nothing, want Z1, the id of that zone",
                        "hostedZoneId: cannot be looked up, because no public hosted zone is called shop.example.org; the one of"
                                + " example.org may own it, got nothing, want Z1, the id of that zone",
                        "type the right values into cdk.json"),
                arguments(
                        "settings",
                        "bin/app: line 58: exec: java: not found",
                        "the site cannot be synthesised: bin/app: line 58: exec: java: not found",
                        "type: npx cdk synth"));
    }

    private static Arguments gate(String said, String next) {
        return arguments("credentials", said, said, next);
    }

    @Test
    void shouldNotGoOnWithASynthesisThatFailed() {
        shell.write("said", "ERROR Something is wrong (Annotation)\nSynthesis finished with errors\n");
        shell.write("status", "1");

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains(line(
                        "no",
                        "settings",
                        "the site cannot be synthesised: ERROR Something is wrong (Annotation)",
                        "type: npx cdk synth"));
        assertThat(preflight.status()).isEqualTo(2);
    }

    @Test
    void shouldRefuseWhatIsNoRegion() {
        shell.with("AWS_REGION", "frankfurt");

        Shell.Result preflight = preflight();

        assertThat(preflight.output()).isEqualTo("""
                no      credentials   AWS_REGION: is no region, got "frankfurt"
                                      type: export AWS_REGION=eu-central-1, or the region of the site

                nothing else could be checked
                """);
        assertThat(preflight.status()).isEqualTo(2);
    }

    @Test
    void shouldRefuseToGuessTheRegion() {
        shell.with("AWS_REGION", "");

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .startsWith(
                        "bin/preflight: no region is set for AWS's command line (the setting region only refuses another one);"
                                + " type: export AWS_REGION=eu-central-1");
        assertThat(preflight.status()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "", textBlock = """
            --jsno | is no option, got "--jsno", want [--json] [-c KEY=VALUE]…; type: bin/preflight --help
            staging | is no option, got "staging", want [--json] [-c KEY=VALUE]…; type: bin/preflight --help
            -c staging | -c: is no setting, got "staging", want KEY=VALUE; type: bin/preflight -c environment=staging
            -c | -c: is no setting, got "", want KEY=VALUE; type: bin/preflight -c environment=staging
            """)
    void shouldRefuseWrongArguments(String arguments, String sentence) {
        Shell.Result preflight = preflight(arguments.split(" "));

        assertThat(preflight).isEqualTo(new Shell.Result(2, "bin/preflight: " + sentence + '\n'));
    }

    @ParameterizedTest
    @ValueSource(strings = {"aws", "node", "npx"})
    void shouldNameAToolThatIsMissing(String tool) {
        for (String command : List.of("bash", "cat", "dirname", "uname", "env", "aws", "node", "npx")) {
            if (!command.equals(tool)) {
                String real = shell.run("which", command).output().strip();
                Path file = shell.write("tools/" + command, "#!/bin/bash\nexec " + real + " \"$@\"\n");
                assertThat(file.toFile().setExecutable(true)).isTrue();
            }
        }
        shell.with("PATH", root.resolve("tools").toString());

        Shell.Result preflight = preflight();

        assertThat(preflight.lastLine())
                .startsWith("bin/preflight: needs " + tool + ", which is not installed; install ");
        assertThat(preflight.status()).isEqualTo(2);
    }

    @Test
    void shouldPrintItsHelp() {
        Shell.Result help = preflight("--help");

        assertThat(help.output())
                .startsWith("preflight [--json] [-c KEY=VALUE]…\n")
                .contains("Exit status: 0 nothing");
        assertThat(help.status()).isZero();
    }

    @Test
    void shouldPassSettingsToTheApp() {
        preflight("-c", "environment=staging", "-c", "zones=2");

        assertThat(calls())
                .filteredOn(call -> call.startsWith("npx"))
                .singleElement()
                .asString()
                .matches("npx cdk synth -q --ci --no-color -o \\S+ -c environment=staging -c zones=2");
    }

    @Test
    void shouldSayTheSameToPrograms() throws IOException {
        put(
                "iam_get-role_AWSServiceRoleForAutoScaling NoSuchEntity GetRole\nssm_get-parameter ParameterNotFound GetParameter");

        Shell.Result preflight = preflight("--json");

        JsonNode lines = new ObjectMapper().readTree(preflight.output());
        assertThat(lines)
                .allSatisfy(line -> assertThat(line.properties())
                        .extracting(Map.Entry::getKey)
                        .containsExactly("check", "verdict", "found", "next"));
        assertThat(lines.findValuesAsText("verdict"))
                .containsOnly("ok", "warning", "no")
                .hasSize(18);
        assertThat(lines.path(3)).isEqualTo(new ObjectMapper().readTree("""
                {"check": "bootstrap", "verdict": "no", "found": "account 123456789012 was never bootstrapped in eu-central-1",
                 "next": "type: npx cdk bootstrap aws://123456789012/eu-central-1"}"""));
        assertThat(preflight.status()).isEqualTo(1);
    }

    /** Whatever AWS's command line answers instead of an answer, it is no yes; and every check is hit by it. */
    @ParameterizedTest
    @ValueSource(strings = {"", "null", "{}", "[]", "{\"Quota\": {\"Value\": 3", "\"yes\"", "{\"Reservations\": null}"})
    void shouldTakeNoBrokenAnswerForAYes(String broken) throws IOException {
        everyAnswer(answer -> answer(answer, broken));

        assertNoYes(preflight("--json"));
    }

    @Test
    void shouldTakeNoRefusalForAYes() throws IOException {
        everyAnswer(answer -> error(answer, "AccessDenied", "Some", "no policy allows it"));

        Shell.Result preflight = preflight("--json");

        assertNoYes(preflight);
        assertThat(new ObjectMapper().readTree(preflight.output()).path(2)).isEqualTo(new ObjectMapper().readTree("""
                {"check": "region", "verdict": "no", "found":
                 "could not be checked: An error occurred (AccessDenied) when calling the Some operation: no policy allows it",
                 "next": "the credentials lack that right; docs/failures.md lists those of bin/preflight"}"""));
    }

    @Test
    void shouldTakeNoSilenceForAYes() throws IOException {
        shell.with("PREFLIGHT_SECONDS", "1");
        everyAnswer(answer -> shell.write("aws/" + answer + ".stall", ""));

        Shell.Result preflight = preflight("--json");

        assertNoYes(preflight);
        assertThat(new ObjectMapper()
                        .readTree(preflight.output())
                        .path(2)
                        .path("found")
                        .asText())
                .isEqualTo("could not be checked: aws did not end within 1 s");
    }

    private void everyAnswer(Consumer<String> spoil) throws IOException {
        try (Stream<Path> answers = Files.list(ANSWERS)) {
            answers.map(file -> file.getFileName().toString().replace(".json", ""))
                    .filter(answer -> !answer.startsWith("sts_"))
                    .forEach(spoil);
        }
        shell.path("aws/cloudformation_describe-stacks.error").toFile().delete();
        spoil.accept("cloudformation_describe-stacks");
    }

    /** Each check is a no, but for the account, which had to be known, and the lines that another one has said. */
    private static void assertNoYes(Shell.Result preflight) throws IOException {
        JsonNode lines = new ObjectMapper().readTree(preflight.output());
        assertThat(lines.findValuesAsText("check"))
                .startsWith("credentials", "settings")
                .contains(
                        "region",
                        "bootstrap",
                        "stack",
                        "zones",
                        "quota",
                        "hosted zone",
                        "delegation",
                        "records",
                        "CAA",
                        "roles")
                .contains("disk key", "edge image", "certbot image", "appImage");
        assertThat(lines.findValuesAsText("verdict").stream().skip(2)).containsOnly("no");
        assertThat(preflight.status()).isEqualTo(1);
    }

    @Test
    void shouldTakeNothingOfItsOwnStackForAnObstacle() {
        put("cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'UPDATE_COMPLETE'}]}\n" + OWN_RECORDS);
        answer("cloudformation_list-stack-resources", ownResources("shop.example.org"));

        Shell.Result preflight = preflight();

        assertThat(preflight.output())
                .contains("ok      stack         Twinhost is deployed: UPDATE_COMPLETE\n")
                .contains(
                        "ok      records       nothing is in the way of shop.example.org A, www.shop.example.org CNAME\n");
        assertThat(preflight.status()).isZero();
    }

    @Test
    void shouldFindAnObstacleThatHasTheNameOfTheStackAlone() {
        put("cloudformation_describe-stacks {'Stacks': [{'StackStatus': 'UPDATE_COMPLETE'}]}\n" + OWN_RECORDS);
        answer("cloudformation_list-stack-resources", ownResources("before.example.org"));

        assertThat(preflight().output())
                .contains(
                        "no      records       the A record of shop.example.org (twinhost) has the site's set identifier");
    }

    private static String ownResources(String domain) {
        return SynthesisedTemplate.site().resources("AWS::Route53::RecordSet").entrySet().stream()
                .map(record -> "{\"LogicalResourceId\": \"" + record.getKey() + "\", \"PhysicalResourceId\": \""
                        + record.getValue()
                                .path("Properties")
                                .path("Name")
                                .asText()
                                .replaceFirst("shop.example.org.", domain)
                        + "\", \"ResourceType\": \"AWS::Route53::RecordSet\", \"ResourceStatus\": \"UPDATE_COMPLETE\"}")
                .collect(Collectors.joining(",", "{\"StackResourceSummaries\": [", "]}"));
    }

    @Test
    void shouldReadTheImagesOfThisCheckout() {
        assertThat(shell.bash("cp -r " + Shell.CHECKOUT + "/docker tree/").status())
                .isZero();

        assertThat(preflight().output())
                .containsPattern(
                        "no      edge image    public.ecr.aws/docker/library/nginx:[^ ]+ is not in its registry")
                .containsPattern("no      edge image    docker.io/library/nginx:[^ ]+ is not in its registry")
                .containsPattern("no      certbot image certbot/certbot:[^ ]+ is not in its registry");
    }

    /** A right is the operation's name in one word, of the service or of its own prefix. */
    @Test
    void shouldNameInTheDocumentsEachRightThatItWants() throws IOException {
        Set<String> calls = new TreeSet<>();
        try (Stream<Path> sources = Files.list(Shell.CHECKOUT.resolve("src/preflight"))) {
            for (Path source : (Iterable<Path>) sources::iterator) {
                Pattern.compile("\\['([a-z0-9-]+)', '((?:get|describe|list)-[a-z0-9-]+)'")
                        .matcher(Files.readString(source))
                        .results()
                        .forEach(call -> calls.add(call.group(2).replace("-", "")));
            }
        }
        String rights = Files.readString(Shell.CHECKOUT.resolve("docs/failures.md"))
                .replaceFirst("(?s).*These are the rights that it wants", "");

        Set<String> named = Pattern.compile("`(?:[a-z0-9]+:)?((?:Get|Describe|List)[A-Za-z]+)`")
                .matcher(rights)
                .results()
                .map(right -> right.group(1).toLowerCase(Locale.ROOT))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(calls).hasSizeGreaterThan(15);
        assertThat(named).isEqualTo(calls);
    }

    /**
     * Lays out faults, a line for each: an answer of AWS by its file, as JSON or as code and operation of an error; records of the
     * DNS; an answer of a registry by its path; or a word for what is in the cloud assembly. Quotes are single ones.
     */
    private void put(String faults) {
        for (String fault : faults.split("\n")) {
            String[] words = fault.split(" ", 2);
            String rest = words.length < 2 ? "" : words[1];
            switch (words[0]) {
                case "NS", "CAA" -> putRecord(words[0], rest.split(" ", 2));
                case "NODNS" -> inTemplate("AWS::Route53::RecordSet", "AWS::Route53::Other");
                case "CAARECORD" ->
                    inTemplate(
                            "\"Resources\": *\\{",
                            "\"Resources\": {\"Caa\": {\"Type\": \"AWS::Route53::RecordSet\", \"Properties\": {\"Name\": \"shop.example.org.\","
                                    + " \"Type\": \"CAA\", \"HostedZoneId\": \"Z0123456789ABCDEFGHIJ\", \"ResourceRecords\": [\"0 issue"
                                    + " \\\\\"letsencrypt.org\\\\\"\"]}},");
                case "ZONE" ->
                    inTemplate(
                            "(?s)\\{\\s*\"Fn::Select\":\\s*\\[\\s*1,\\s*\\{\\s*\"Fn::GetAZs\":\\s*\"\"\\s*}\\s*]\\s*}",
                            '"' + rest + '"');
                case "TYPE" -> {
                    inTemplate("t4g\\.small", rest);
                    for (String answer :
                            List.of("ec2_describe-instance-types", "ec2_describe-instance-type-offerings")) {
                        answer(answer, shell.read("aws/" + answer + ".json").replace("t4g.small", rest));
                    }
                }
                case "IMAGE" -> inSettings("TWINHOST_APP_IMAGE", rest);
                case "LOGIN" -> inSettings("TWINHOST_APP_REGISTRY_SECRET", rest);
                case "CERTBOT" -> inSettings("TWINHOST_CERTBOT_IMAGE", rest);
                case "ACME" -> {
                    inSettings("TWINHOST_ACME_NAME", "ca.example_directory");
                    inSettings("TWINHOST_ACME_DIRECTORY", rest);
                }
                case "DOCKERFILE" -> shell.write("tree/docker/edge/Dockerfile", rest.replace("\\n", "\n") + '\n');
                default -> putAnswer(words[0], rest);
            }
        }
    }

    private void putAnswer(String name, String rest) {
        String json = rest.replace('\'', '"').replace("`", "\\\"");
        if (name.contains("/v2/")) {
            registries.put(name, json);
        } else if (rest.startsWith("{")) {
            answer(name, json);
        } else {
            String[] error = rest.split(" ");
            error(name, error[0], error[1], "said by AWS");
        }
    }

    private static void putRecord(String type, String[] words) {
        String question = type + ' ' + words[0];
        switch (words[1]) {
            case "-" -> names.remove(question);
            case "SERVFAIL" -> names.put(question, NameServerStandIn.FAILING);
            default -> names.put(question, type.equals("NS") ? List.of(words[1].split(" ")) : List.of(words[1]));
        }
    }

    /** The records of the zone: its own, and one more. */
    private static String records(String name, String type, String more) {
        return "route53_list-resource-record-sets {'ResourceRecordSets': [{'Name': 'shop.example.org.', 'Type': 'NS'}, {'Name':"
                + " 'shop.example.org.', 'Type': 'SOA'}, {'Name': '" + name + "', 'Type': '" + type + "', " + more
                + "}]}";
    }

    private static String line(String verdict, String check, String found, String next) {
        return String.format("\n%-8s%-14s%s\n%22s%s\n", verdict, check, found, "", next);
    }

    private void inTemplate(String pattern, String replacement) {
        String template = shell.read("assembly/Twinhost.template.json");
        String changed = template.replaceAll(pattern, replacement);
        assertThat(changed).isNotEqualTo(template);
        shell.write("assembly/Twinhost.template.json", changed);
    }

    /** Puts the settings into an archive of their own, as the app makes it. */
    private void inSettings(String name, String value) {
        String assets = shell.read("assembly/Twinhost.assets.json");
        Matcher archive = Pattern.compile("\"(asset\\.[0-9a-f]+\\.zip)\"").matcher(assets);
        assertThat(archive.find()).isTrue();
        Path zip = shell.path("assembly/" + archive.group(1));
        try (ZipFile read = new ZipFile(zip.toFile())) {
            String settings = new String(
                    read.getInputStream(read.getEntry(ReleaseArchive.SETTINGS)).readAllBytes(), StandardCharsets.UTF_8);
            Map<String, String> changed = new LinkedHashMap<>();
            settings.lines().forEach(line -> {
                String[] setting = line.substring("export ".length()).split("=", 2);
                changed.put(setting[0], setting[1].substring(1, setting[1].length() - 1));
            });
            changed.put(name, value);
            Files.write(zip, new ReleaseArchive(SynthesisedTemplate.checkout(), changed).bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assembly(SynthesisedTemplate template) {
        assertThat(shell.bash("rm -rf assembly && cp -r " + template.file("") + " assembly")
                        .status())
                .isZero();
    }

    private void error(String answer, String code, String operation, String message) {
        shell.write(
                "aws/" + answer + ".error",
                "\nAn error occurred (" + code + ") when calling the " + operation + " operation: " + message + "\n");
    }

    private void answer(String answer, String json) {
        shell.path("aws/" + answer + ".error").toFile().delete();
        shell.write("aws/" + answer + ".json", json);
    }

    private Shell.Result preflight(String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(shell.path("tree/bin/preflight").toString()));
        command.addAll(List.of(arguments));
        return shell.run(command.toArray(String[]::new));
    }

    private List<String> calls() {
        return shell.read("calls").lines().toList();
    }
}
