package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Needs({"jq", "openssl", "python3"})
class StatusTest {
    private static final String SHOP = "registry.example.org/shop:1";
    private static final String A = "@sha256:" + "a".repeat(64);
    private static final String B = "@sha256:" + "b".repeat(64);
    private static final String ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/registry-AbCdEf";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createHealthySite() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
        engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer(
                        "GET",
                        "/nodes",
                        "[" + node("1", "host", "ready", "{\"Leader\":true,\"Reachability\":\"reachable\"}") + ","
                                + node("2", "host", "ready", "{\"Reachability\":\"reachable\"}") + ","
                                + node("3", "witness", "ready", "{\"Reachability\":\"reachable\"}") + "]")
                .answer("GET", "/services", services("null"))
                .answer(
                        "GET",
                        "/tasks",
                        "[{\"ServiceID\":\"s\",\"NodeID\":\"1\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}},"
                                + "{\"ServiceID\":\"s\",\"NodeID\":\"2\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}}]");
        shell.record("claim", "1", Machine.INSTANCE, Machine.ADDRESS);
        shell.record("found", "1", "cluster-a");
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.standIn("aws", "cat \"$TWINHOST_ROOT/health\"");
        health("healthy");
        certificate("/CN=Some CA", 60);
        Edge.standIn(shell);
        disk(31);
    }

    @Test
    void shouldShowOneScreenAndSayThatAllIsWell() {
        Shell.Result result = status();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output().lines())
                .contains("site         https://www.example.com/")
                .anyMatch(line -> line.equals(
                        "machine      i-0a, host, 10.0.0.10, Swarm active, release aaaaaaaaaaaa, disk 31 % full"))
                .anyMatch(line -> line.matches(
                        "certificate  www\\.example\\.com, example\\.com; (59|60) days left; issued by CN=Some CA"))
                .anyMatch(line -> line.matches("ip-1 +i-1 +host +ready +active +leader"))
                .anyMatch(line -> line.matches("app +2 of 2 +none +ip-1, ip-2"))
                .anyMatch(line -> line.matches("http +i-0a +healthy"));
        assertThat(result.lastLine()).isEqualTo("all is well");
        assertThat(result.output().lines().count()).isLessThan(40);
    }

    @Test
    void shouldShowOfANodesNameWhatFitsIntoItsColumn() {
        String nodes = shell.read("engine/GET_nodes");
        engine.answer("GET", "/nodes", nodes.replace("ip-1", "ip-10-42-0-10.eu-central-1.compute.internal"));

        assertThat(status().output().lines())
                .anyMatch(line -> line.matches("ip-10-42-0-10 {15}i-1 +host +ready .*"))
                .anyMatch(line -> line.matches("app +2 of 2 +none +ip-10-42-0-10, ip-2"));
    }

    @Test
    void shouldShowTheRestWhereWhatWasReadOfTheRecordIsBroken() {
        shell.bash("rm -r srv && touch srv");
        shell.write("run/twinhost/record", "{\"gener");

        assertThat(wrong()).contains("the cluster record was never read");
    }

    @Test
    void shouldSayTheSameAsJson() throws Exception {
        JsonNode json = new ObjectMapper().readTree(status("--json").output());

        assertThat(json.at("/machine/instance").asText()).isEqualTo("i-0a");
        assertThat(json.at("/record/generation").asInt()).isEqualTo(1);
        assertThat(json.at("/nodes")).hasSize(3);
        assertThat(json.at("/services/0/running").asInt()).isEqualTo(2);
        assertThat(json.at("/targets")).hasSize(2);
        assertThat(json.at("/certificate/names/0").asText()).isEqualTo("www.example.com");
        assertThat(json.at("/wrong")).isEmpty();
    }

    @Test
    void shouldSayWhichNodesAreGone() {
        engine.answer(
                "GET",
                "/nodes",
                "[" + node("1", "host", "ready", "{\"Leader\":true,\"Reachability\":\"reachable\"}") + ","
                        + node("2", "host", "down", "{\"Reachability\":\"unreachable\"}") + "]");

        assertThat(wrong())
                .contains(
                        "the node ip-2 (i-2) is down",
                        "the manager ip-2 (i-2) is unreachable",
                        "1 of 3 managers are reachable",
                        "fewer than two hosts are ready",
                        "the service app runs 1 of 2");
    }

    @Test
    void shouldSayThatNoLeaderIsSeen() {
        shell.bash("rm engine/GET_nodes engine/GET_services engine/GET_tasks");

        assertThat(wrong())
                .contains("this machine sees no leader of the Swarm: nothing is scheduled, what runs goes on");
    }

    @Test
    void shouldSayWhatAServiceLacksAndWhatWasRolledBack() {
        engine.answer("GET", "/services", services("{\"State\":\"rollback_completed\"}"))
                .answer(
                        "GET",
                        "/tasks",
                        "[{\"ServiceID\":\"s\",\"NodeID\":\"1\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}},"
                                + failed("No such image", "2026-01-01T00:00:02Z") + ","
                                + failed("host-mode port already in use on 1 node", "2026-01-01T00:00:03Z") + ","
                                + failed("starting container failed", "2026-01-01T00:00:01Z") + "]");

        assertThat(wrong())
                .contains("the service app runs 1 of 2: No such image", "the last update of app: rollback completed");
    }

    @Test
    void shouldSayWhatTheBalancerDoesNotLike() {
        health("unhealthy");

        assertThat(wrong()).contains("http calls i-0a unhealthy", "https calls i-0a unhealthy");
    }

    @Test
    void shouldSayWhatCertbotWaitsForWhileAPlaceholderIsServed() {
        certificate("/CN=placeholder", 60);
        shell.write("srv/twinhost/letsencrypt/production.status", "waits: example.com has no A record yet\n");

        assertThat(wrong()).contains("a placeholder is served; certbot: waits: example.com has no A record yet");
    }

    @Test
    void shouldSayThatACertificateEndsSoon() {
        certificate("/CN=Some CA", 5);

        assertThat(wrong()).anyMatch(line -> line.matches("the certificate ends in [45] days"));
    }

    @Test
    void shouldShowWhatIsServedAndSayThatThisMachineHasAnother() {
        Edge.serves(shell, 5, "www.example.com", "example.com");

        assertThat(wrong())
                .hasSize(2)
                .anyMatch(line -> line.matches("the certificate ends in [45] days"))
                .contains("the edge serves another certificate than the one on this machine");
    }

    @Test
    void shouldSayWhichNameTheServedCertificateLacks() {
        Edge.serves(shell, 60, "www.example.com");

        assertThat(wrong()).contains("the certificate is not for example.com");
    }

    @Test
    void shouldSayThatNothingIsServed() {
        Edge.silent(shell);

        assertThat(wrong()).containsExactly("the edge of this machine shows no certificate");
        assertThat(status().output())
                .containsPattern(
                        "certificate  www.example.com, example.com; (59|60) days left; issued by CN=Some CA \\(not served\\)\n");
    }

    @Test
    void shouldSayThatTheDiskIsFull() {
        disk(90);

        assertThat(wrong()).containsExactly("the disk of this machine is 90 % full: Docker may start nothing here");
    }

    @Test
    void shouldSayThatTheStorageCannotBeRead() {
        status();
        shell.uptime(1100);
        shell.bash("mv srv away && touch srv");

        assertThat(wrong()).contains("this machine may not act: the cluster record was last read 100 s ago");
    }

    @Test
    void shouldSayThatAnotherReleaseConvergedLast() {
        shell.record("converged", "1", "d".repeat(64), "{}");

        assertThat(wrong()).contains("this machine runs with release aaaaaaaaaaaa, dddddddddddd converged last");
    }

    private List<String> wrong() {
        Shell.Result result = status("--json");
        assertThat(result.status()).as(result.output()).isEqualTo(1);
        try {
            return StreamSupport.stream(
                            new ObjectMapper()
                                    .readTree(result.output())
                                    .get("wrong")
                                    .spliterator(),
                            false)
                    .map(JsonNode::asText)
                    .toList();
        } catch (IOException e) {
            throw new AssertionError(result.output(), e);
        }
    }

    @Test
    void shouldSayThatMaintenanceIsOn() {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_MAINTENANCE", "true");
        Release.of(shell, Release.SHA, settings);

        assertThat(status().output())
                .startsWith(
                        "site         https://www.example.com/  maintenance is on: visitors get its page, with status 503\n")
                .endsWith("\nall is well\n");
    }

    @Test
    void shouldShowWhichVersionRunsOnEachHost() throws IOException {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        means(A);

        Shell.Result result = status();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .containsPattern(
                        "APPLICATION +IMAGE\nip-1 +" + SHOP + "@sha256:a{12}\nip-2 +" + SHOP + "@sha256:a{12}\n\n")
                .endsWith("\n\nall is well\n")
                .doesNotContain("note ");
        assertThat(result.output().lines().count()).isLessThan(40);
        JsonNode application = json().at("/application");
        assertThat(application.get("image").asText()).isEqualTo(SHOP + A);
        assertThat(application.at("/running/1/node").asText()).isEqualTo("ip-2");
        assertThat(application.at("/running/1/image").asText()).isEqualTo(SHOP + A);
        assertThat(application.at("/tag/tag").asText()).isEqualTo(SHOP);
    }

    @Test
    void shouldSayThatTheHostsRunDifferentImages() {
        application(SHOP, SHOP + A, SHOP + A, SHOP + B);
        means(A);
        String different = "the hosts run different images of the application: ip-1 " + SHOP
                + "@sha256:aaaaaaaaaaaa, ip-2 " + SHOP + "@sha256:bbbbbbbbbbbb";

        assertThat(wrong()).containsExactly(different);

        for (String state : List.of("updating", "rollback_started")) {
            engine.answer("GET", "/services", services(SHOP + A, "{\"State\":\"" + state + "\"}"));
            assertThat(status().status()).as(state).isZero();
        }
        engine.answer("GET", "/services", services(SHOP + A, "{\"State\":\"completed\"}"));
        assertThat(wrong()).containsExactly(different);
    }

    @Test
    void shouldSayThatAnotherImageRunsThanTheOneThatIsNoted() {
        means(B);
        note(SHOP, SHOP + B);
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);

        assertThat(wrong())
                .containsExactly("the application runs " + SHOP
                        + "@sha256:aaaaaaaaaaaa, the release that converged last ran " + SHOP + "@sha256:bbbbbbbbbbbb");

        application(SHOP, SHOP, SHOP, SHOP);
        assertThat(wrong())
                .as("what the tag means to each host")
                .containsExactly("the application runs " + SHOP + ", the release that converged last ran " + SHOP
                        + "@sha256:bbbbbbbbbbbb");

        application(SHOP, SHOP + B, SHOP + B, SHOP + B);
        assertThat(status().status()).isZero();
    }

    @Test
    void shouldKnowWhatIsNotedAsTheImageOfAFolder() {
        String image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/assets:" + "c".repeat(64);
        String json = "{\"appImage\":\"" + image + "\",\"images\":{\"" + image + "\":\"" + image + B + "\"}}";
        shell.record("converged", "1", Release.SHA, json);
        application("asset:" + "c".repeat(64), image + A, image + A, image + A);

        assertThat(wrong())
                .singleElement()
                .asString()
                .startsWith("the application runs " + image + "@sha256:aaaaaaaaaaaa, ");
        assertThat(questions()).as("the tag is a hash").isZero();
    }

    @Test
    void shouldSayThatAReleaseIsUnderWayAndNotThatItsImageIsNotNotedYet() throws IOException {
        means(A);
        note(SHOP, SHOP + B);
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        engine.answer(
                "GET",
                "/configs",
                "[{\"ID\":\"x\",\"Spec\":{\"Name\":\"twinhost_release_other\"}},{\"ID\":\"y\",\"Spec\":"
                        + "{\"Name\":\"twinhost_release\",\"Labels\":{\"twinhost.instance\":\"i-0b\"}}}]");

        Shell.Result result = status();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).endsWith("\nnote         i-0b applies a release\n\nall is well\n");
    }

    @Test
    void shouldSayThatTheTagHasMoved() throws IOException {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        means(B);

        Shell.Result result = status();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .endsWith("\nnote         the tag " + SHOP
                        + " has moved: twinhost release --resolve takes what it means now\n\nall is well\n");
        assertThat(json().at("/application/tag/digest").asText()).isEqualTo(B.substring(1));
        assertThat(questions()).isEqualTo(1);
    }

    @Test
    void shouldSayWhyTheRegistryCouldNotBeAsked() throws IOException {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        engine.refuse("GET", "/distribution/" + SHOP + "/json", "errors:\\ndenied: no\\nunauthorized: no");

        Shell.Result result = status();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(json().at("/notes/0").asText())
                .isEqualTo("the registry could not be asked what the tag " + SHOP
                        + " means now: errors: denied: no unauthorized: no");
    }

    @ParameterizedTest
    @CsvSource({
        "'', nginx:1.30.8@sha256:",
        "registry.example.org/shop, registry.example.org/shop@sha256:",
        "localhost:5000/shop, localhost:5000/shop@sha256:",
        "registry.example.org/shop:1, registry.example.org/shop:1",
        "registry.example.org/shop:1@sha256:, registry.example.org/shop:1@sha256:",
        "asset:0123, 123456789012.dkr.ecr.eu-west-1.amazonaws.com/assets:0123@sha256:"
    })
    void shouldAskNoRegistryWhereThereIsNoTagThatCouldMove(String setting, String image) throws IOException {
        String reference = image.replace("@sha256:", A);
        application(setting.replace("@sha256:", A), reference, reference, reference);

        assertThat(status().status()).isZero();
        assertThat(json().at("/notes")).isEmpty();
        assertThat(questions()).isZero();
    }

    @Test
    void shouldAskTheRegistryNoMoreThanEveryTenMinutes() {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        means(B);

        status();
        shell.uptime(1599);
        assertThat(status().output()).contains("has moved");
        assertThat(questions()).isEqualTo(1);

        shell.uptime(1600);
        status();
        assertThat(questions()).isEqualTo(2);

        application(SHOP, SHOP + B, SHOP + B, SHOP + B);
        assertThat(status().output()).as("another image runs").doesNotContain("has moved");
        assertThat(questions()).isEqualTo(3);

        shell.write("run/twinhost/meant", "{\"refer");
        assertThat(status().output()).doesNotContain("has moved");
        assertThat(questions()).isEqualTo(4);
    }

    @Test
    void shouldLogInWhereTheRegistryRefusesTheLoginOfBefore() throws IOException {
        loginInASecret();
        engine.command("login", """
                cat >"$TWINHOST_ROOT/password"
                mkdir -p "$DOCKER_CONFIG"
                echo '{"auths":{"registry.example.org":{"auth":"ZGVwbG95OmgwbmV5"}}}' >"$DOCKER_CONFIG/config.json\"""");
        // answers to who brings the login
        engine.then(
                "GET",
                "/distribution/" + SHOP + "/json",
                "grep -q X-Registry-Auth \"$name.headers\" || name=$TWINHOST_ROOT/engine/denied");
        engine.refuse("", "denied", "no basic auth credentials");
        means(B);

        Shell.Result result = status();

        assertThat(result.output()).contains("has moved").doesNotContain("h0ney");
        assertThat(shell.read("password")).isEqualTo("h0ney\n");
        assertThat(engine.commands())
                .contains("docker login --username deploy --password-stdin registry.example.org")
                .noneMatch(command -> command.contains("h0ney") || command.contains("ZGVwbG95OmgwbmV5"));
    }

    @Test
    void shouldSayWhyItCouldNotLogIn() throws IOException {
        loginInASecret();
        engine.refuse("GET", "/distribution/" + SHOP + "/json", "denied: your login has ended");
        engine.command(
                "login", "cat >/dev/null\necho 'Error response from daemon: unauthorized: wrong password' >&2\nexit 1");

        Shell.Result result = status("--json");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(new ObjectMapper().readTree(result.output()).at("/notes/0").asText())
                .isEqualTo("the registry could not be asked what the tag " + SHOP
                        + " means now: the registry registry.example.org refuses the login of the secret " + ARN
                        + ": Error response from daemon: unauthorized: wrong password");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"info", "nodes", "services", "tasks", "configs", "distribution_registry.example.org_shop:1_json"
            })
    void shouldShowTheRestWhereAnAnswerIsBroken(String answer) throws IOException {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        for (String broken : List.of("", "7", "{}", "[null]", "[{")) {
            means(A);
            engine.answer("GET", "/" + answer, broken);
            assertThat(json().at("/certificate/names/0").asText()).as(broken).isEqualTo("www.example.com");
        }
    }

    @Test
    void shouldPassTheEnvironmentOfTheApplicationToNoProcess() {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        means(A);
        engine.answer(
                "GET",
                "/services",
                services(SHOP + A, "null")
                        .replace("\"Image\"", "\"Env\":[\"X=" + "h0ney".repeat(40_000) + "\"],\"Image\""));

        Shell.Result result = status();

        assertThat(result.status()).as("longer than an argument can be").isZero();
        assertThat(result.output()).contains("APPLICATION").doesNotContain("h0ney");
    }

    /** The application that is set, the reference of its service, and what its replicas run. */
    private void application(String setting, String image, String onFirst, String onSecond) {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_APP_IMAGE", setting);
        Release.of(shell, Release.SHA, settings);
        engine.answer("GET", "/services", services(image, "null"))
                .answer("GET", "/tasks", "[" + running("1", onFirst) + "," + running("2", onSecond) + "]");
    }

    /** What the registry says that the tag means. */
    private void means(String digest) {
        engine.answer(
                "GET",
                "/distribution/" + SHOP + "/json",
                "{\"Descriptor\":{\"digest\":\"" + digest.substring(1) + "\"},\"Platforms\":null}");
    }

    private void note(String image, String runs) {
        shell.record("converged", "1", Release.SHA, "{\"images\":{\"" + image + "\":\"" + runs + "\"}}");
    }

    private void loginInASecret() {
        application(SHOP, SHOP + A, SHOP + A, SHOP + A);
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_APP_IMAGE", SHOP);
        settings.put("TWINHOST_APP_REGISTRY_SECRET", ARN);
        Release.of(shell, Release.SHA, settings);
        shell.write(
                "secret.json",
                new ObjectMapper()
                        .createObjectNode()
                        .put("SecretString", "{\"username\":\"deploy\",\"password\":\"h0ney\"}")
                        .toString());
        shell.standIn(
                "aws",
                "[[ $1 != secretsmanager ]] || exec cat \"$TWINHOST_ROOT/secret.json\"\ncat \"$TWINHOST_ROOT/health\"");
    }

    private long questions() {
        return engine.commands().stream()
                .filter(command -> command.contains("/distribution/"))
                .count();
    }

    private JsonNode json() throws IOException {
        return new ObjectMapper().readTree(status("--json").output());
    }

    private Shell.Result status(String... arguments) {
        return Release.verb(shell, "status", arguments);
    }

    private void health(String state) {
        shell.write(
                "health",
                "{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"i-0a\"},\"TargetHealth\":{\"State\":\"" + state
                        + "\"}}]}");
    }

    private void disk(int percent) {
        shell.standIn("df", "printf 'Use%%\\n %s%%\\n' " + percent);
    }

    private void certificate(String subject, int days) {
        Shell.Result made = shell.bash("mkdir -p var/lib/twinhost/tls/current && openssl req -x509 -newkey ec -pkeyopt "
                + "ec_paramgen_curve:P-256 -nodes -days " + days + " -subj '" + subject
                + "' -addext subjectAltName=DNS:www.example.com,DNS:example.com -keyout /dev/null"
                + " -out var/lib/twinhost/tls/current/fullchain.pem 2>/dev/null");
        assertThat(made.status()).isZero();
    }

    private static String node(String number, String role, String state, String manager) {
        return "{\"ID\":\"" + number + "\",\"Description\":{\"Hostname\":\"ip-" + number
                + "\",\"Engine\":{\"Labels\":{\"twinhost.instance\":\"i-" + number + "\",\"twinhost.role\":\"" + role
                + "\"}}},\"Spec\":{\"Availability\":\"active\"},\"Status\":{\"State\":\"" + state
                + "\"},\"ManagerStatus\":" + manager + "}";
    }

    private static String failed(String error, String time) {
        return "{\"ServiceID\":\"s\",\"NodeID\":\"1\",\"DesiredState\":\"shutdown\",\"Status\":{\"State\":\"rejected\",\"Err\":\""
                + error + "\",\"Timestamp\":\"" + time + "\"}}";
    }

    private static String running(String node, String image) {
        return "{\"ServiceID\":\"s\",\"NodeID\":\"" + node
                + "\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"},\"Spec\":{\"ContainerSpec\":{\"Image\":\""
                + image + "\"}}}";
    }

    private static String services(String image, String update) {
        return services(update)
                .replace(
                        "\"twinhost_app\"",
                        "\"twinhost_app\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + image + "\"}}");
    }

    private static String services(String update) {
        return "[{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\"},\"ServiceStatus\":{\"RunningTasks\":2,\"DesiredTasks\":2},"
                + "\"UpdateStatus\":" + update + "}]";
    }
}
