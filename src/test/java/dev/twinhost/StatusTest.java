package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs({"jq", "openssl"})
class StatusTest {
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
        shell.verb("record", "claim", "1", Machine.INSTANCE, Machine.ADDRESS);
        shell.bash("echo t | bash " + Shell.CHECKOUT + "/docker/host/record.sh found 1 cluster-a");
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
        shell.bash("echo '{}' | bash " + Shell.CHECKOUT + "/docker/host/record.sh converged 1 " + "d".repeat(64));

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
        } catch (java.io.IOException e) {
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

    private Shell.Result status(String... arguments) {
        String[] command = new String[arguments.length + 2];
        command[0] = "bash";
        command[1] = Release.FOLDER_OF_VERBS.formatted(root) + "/status.sh";
        System.arraycopy(arguments, 0, command, 2, arguments.length);
        return shell.run(command);
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

    private static String services(String update) {
        return "[{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\"},\"ServiceStatus\":{\"RunningTasks\":2,\"DesiredTasks\":2},"
                + "\"UpdateStatus\":" + update + "}]";
    }
}
