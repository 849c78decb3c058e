package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code bin/preflight} against stand-ins of AWS's command line, the DNS and the registries, with the cloud assembly of the app.
 * The answers of AWS are in the resources, in the form of its own examples. Does not prove: that AWS answers in that form.
 */
class PreflightCommandTest {
    private static final Path ANSWERS = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/preflight");
    private static final String EDGE = "public.ecr.aws/docker/library/nginx:1.30.5@sha256:" + "1".repeat(64);
    private static final String CERTBOT = "certbot/certbot:v5.8.0@sha256:" + "2".repeat(64);
    private static final String EDGE_PATH = "public.ecr.aws/v2/docker/library/nginx/manifests/sha256:" + "1".repeat(64);
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
    private static final String ENTER =
            "enter these name servers at the registrar of shop.example.org, or as its NS record in"
                    + " the zone above: ns-1.awsdns-01.org, ns-2.awsdns-02.com, ns-3.awsdns-03.net, ns-4.awsdns-04.co.uk";

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
        assertThat(shell.bash("mkdir tree && cp -r " + Shell.CHECKOUT + "/bin tree/")
                        .status())
                .isZero();
        shell.write("tree/node_modules/.package-lock.json", "{}");
        shell.write("tree/docker/edge/Dockerfile", "# what it is\nFROM " + EDGE + "\n");
        shell.write("tree/docker/certbot/Dockerfile", "FROM " + CERTBOT + "\n");
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
                ok      quota         32 vCPUs of standard instances, 2 of them taken by other machines; the site needs 10 while its machines are replaced
                ok      hosted zone   shop.example.org (Z0123456789ABCDEFGHIJ), public
                ok      delegation    the world asks the servers of the zone: ns-1.awsdns-01.org, ns-2.awsdns-02.com, ns-3.awsdns-03.net, ns-4.awsdns-04.co.uk
                ok      records       nothing is in the way of shop.example.org A, www.shop.example.org CNAME
                ok      CAA           no CAA record forbids letsencrypt.org for shop.example.org, www.shop.example.org
                ok      roles         AWSServiceRoleForAutoScaling, AWSServiceRoleForElasticLoadBalancing, AWSServiceRoleForAmazonSSM
                ok      disk key      AWS's own key
                ok      edge image    EDGE, for arm64
                ok      certbot image CERTBOT, for arm64
                ok      appImage      example/shop:1.4.2, for arm64

                nothing stands in the way of a deploy
                """.replace("EDGE", EDGE).replace("CERTBOT", CERTBOT));
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
