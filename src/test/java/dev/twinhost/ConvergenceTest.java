package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What `converged.jq` makes of the answers of Docker's API: the word {@code converged}, or what is missing. */
@Needs("jq")
class ConvergenceTest {
    private static final String CONVERGED = "converged";
    private static final String AWAY = "No such image: certbot/certbot:v5@sha256:0";

    @TempDir
    Path root;

    private Shell shell;
    private String before = "{}";
    private String names = "";
    private boolean boot;
    private boolean late;
    private String first = "";
    private String nodes = node("host", "ready", "active") + "," + node("host", "ready", "active") + ","
            + node("witness", "ready", "drain");

    @BeforeEach
    void createShell() {
        shell = new Shell(root);
    }

    @Test
    void shouldBeContentWhenEveryReplicaRunsWhatItWasTold() {
        assertThat(missing(app(2, ""), running("new") + "," + running("new"))).isEqualTo(CONVERGED);
    }

    @Test
    void shouldNotTakeTasksOfTheOldVersionForConverged() {
        assertThat(missing(app(2, ""), running("old") + "," + running("new"))).isEqualTo("twinhost_app 1 of 2");
    }

    @Test
    void shouldWaitForATaskThatIsNotHealthyYet() {
        assertThat(missing(app(1, ""), task("new", "starting", "running", ""))).isEqualTo("twinhost_app 0 of 1");
    }

    @Test
    void shouldWaitWhileAnOldTaskIsStillWanted() {
        assertThat(missing(app(1, ""), running("new") + "," + running("new"))).isEqualTo("twinhost_app 2 of 1");
    }

    @Test
    void shouldWaitForAnUpdateEvenIfEveryTaskRuns() {
        assertThat(missing(app(1, update("updating", "t1", "update in progress")), running("new")))
                .isEqualTo("twinhost_app is updated, 1 of 1");
    }

    @Test
    void shouldWantAGlobalServiceOnEveryHostThatIsReadyAndOnNoWitness() {
        assertThat(missing(edge(""), running("new") + "," + running("new"))).isEqualTo(CONVERGED);
        assertThat(missing(edge(""), running("new"))).isEqualTo("twinhost_edge 1 of 2");

        nodes = node("host", "ready", "active") + "," + node("host", "down", "active") + ","
                + node("host", "ready", "drain");
        assertThat(missing(edge(""), running("new"))).isEqualTo(CONVERGED);
    }

    @Test
    void shouldSayWhatTheLastTaskFailedOf() {
        assertThat(missing(
                        app(1, ""),
                        task("new", "rejected", "shutdown", "No such image: app:2") + ","
                                + task("new", "preparing", "running", "")))
                .isEqualTo("twinhost_app 0 of 1, an image is pulled; last error: No such image: app:2");
    }

    @Test
    void shouldNotCallThePortOfTheOldEdgeAnError() {
        assertThat(missing(
                        edge(""),
                        running("new") + ","
                                + task("new", "pending", "running", "host-mode port already in use on 1 node")))
                .isEqualTo("twinhost_edge 1 of 2");
    }

    @Test
    void shouldSayWhySwarmRollsBackWhileItDoes() {
        String failed =
                "{\"ID\":\"t9\",\"ServiceID\":\"s\",\"DesiredState\":\"shutdown\",\"Status\":{\"State\":\"failed\","
                        + "\"Err\":\"task: non-zero exit (1)\"},\"Spec\":{\"ContainerSpec\":\"new\"}}";

        assertThat(missing(
                        app(
                                1,
                                update(
                                        "rollback_started",
                                        "t1",
                                        "update rolled back due to failure or early termination of task t9")),
                        running("new") + "," + failed))
                .isEqualTo(
                        "goes back: twinhost_app: update rolled back due to failure or early termination of task t9: "
                                + "task: non-zero exit (1)");
    }

    @Test
    void shouldFailWhenSwarmHasRolledBackOrGivenUp() {
        for (String state : new String[] {"rollback_completed", "rollback_paused", "paused"}) {
            assertThat(missing(app(1, update(state, "t2", "it did not last")), running("new")))
                    .isEqualTo("failed: twinhost_app: it did not last");
        }
    }

    @Test
    void shouldNotTakeAnOlderFailureForThisOne() {
        before = "{\"twinhost_app\":[\"rollback_completed\",\"t1\"]}";

        assertThat(missing(app(1, update("rollback_completed", "t1", "it did not last")), running("new")))
                .isEqualTo(CONVERGED);
        assertThat(missing(app(1, update("rollback_completed", "t2", "it did not last again")), running("new")))
                .isEqualTo("failed: twinhost_app: it did not last again");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "manually requested rollback",
                "update rolled back due to failure or early termination of task gone"
            })
    void shouldNotTakeARollbackForConvergedWhoseFailedTaskIsNotListed(String message) {
        assertThat(missing(app(1, update("rollback_started", "t1", message)), running("new")))
                .isEqualTo("goes back: twinhost_app: " + message);
    }

    @Test
    void shouldNotTakeARollbackWithoutAWordForConverged() {
        assertThat(missing(app(1, ",\"UpdateStatus\":{\"State\":\"rollback_started\"}"), running("new")))
                .isEqualTo("goes back: twinhost_app: null");
    }

    @Test
    void shouldNotTakeAStateThatItDoesNotKnowForConverged() {
        assertThat(missing(app(1, update("thinking", "t1", "")), running("new")))
                .isEqualTo("twinhost_app is updated, 1 of 1");
    }

    @Test
    void shouldNotTakeAServiceThatIsMissingForConverged() {
        names = "twinhost_app twinhost_edge";

        assertThat(missing(app(1, ""), running("new"))).isEqualTo("twinhost_edge does not exist");
    }

    @Test
    void shouldNotTakeAClusterWithoutAHostForConverged() {
        nodes = node("witness", "ready", "drain");

        assertThat(missing(edge(""), "")).isEqualTo("no host is ready and active");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "services | ''",
                "services | null",
                "services | {}",
                "services | '[{\"ID\":'",
                "services | '[1]'",
                "services | '\"text\"'",
                "services | '[{\"Spec\":{}}]'",
                "tasks | ''",
                "tasks | null",
                "tasks | '{\"message\":\"no leader\"}'",
                "tasks | '[{\"ServiceID\":\"s\",'",
                "tasks | '[7]'",
                "tasks | '[]'",
                "tasks | '[{\"ServiceID\":\"s\",\"DesiredState\":\"running\"}]'",
                "nodes | ''",
                "nodes | null",
                "nodes | {}",
                "nodes | '[{\"Status\":'",
                "nodes | '[]'",
                "nodes | '[{}]'",
                "before | '[1]'"
            })
    void shouldNotTakeAnAnswerThatItCannotReadForConverged(String what, String answer) {
        assertThat(missing(app(1, ""), running("new"))).isEqualTo(CONVERGED);

        if (what.equals("before")) {
            before = answer;
        } else {
            shell.write(what, answer);
        }
        assertThat(judge().output().strip()).isNotEmpty().isNotEqualTo(CONVERGED);
    }

    @Test
    void shouldNeitherWaitForNorFailOfCertbotsImageWhereItCannotBeHad() {
        String refused = task("new", "rejected", "shutdown", AWAY);

        assertThat(missing(certbot(""), refused + "," + task("new", "preparing", "running", "")))
                .isEqualTo(CONVERGED);
        assertThat(missing(certbot(update("rollback_completed", "t2", "rolled back")), refused + "," + running("new")))
                .isEqualTo(CONVERGED);
        assertThat(missing(app(1, ""), refused)).isEqualTo("twinhost_app 0 of 1; last error: " + AWAY);
    }

    @Test
    void shouldWaitForCertbotsImageForAWhile() {
        String pulls = task("new", "preparing", "running", "");
        assertThat(missing(certbot(""), pulls)).isEqualTo("twinhost_certbot 0 of 1, an image is pulled");

        late = true;
        assertThat(missing(certbot(""), pulls)).isEqualTo(CONVERGED);
        assertThat(missing(app(1, ""), pulls)).isEqualTo("twinhost_app 0 of 1, an image is pulled");
    }

    @Test
    void shouldFailOfACertbotThatDoesNotRun() {
        late = true;

        assertThat(missing(
                        certbot(update("rollback_completed", "t2", "rolled back")),
                        task("new", "failed", "shutdown", "task: non-zero exit (2)") + "," + running("new")))
                .isEqualTo("failed: twinhost_certbot: rolled back; last error: task: non-zero exit (2)");
    }

    @Test
    void shouldNotWaitForCertbotAtBoot() {
        boot = true;

        assertThat(missing(certbot(update("updating", "t1", "")), "")).isEqualTo(CONVERGED);
        names = "twinhost_certbot twinhost_app";
        assertThat(missing(app(1, ""), running("new"))).isEqualTo(CONVERGED);
        assertThat(missing(app(1, ""), "")).isEqualTo("twinhost_app 0 of 1");
    }

    @Test
    void shouldGiveUpOnAFirstReleaseOfWhichThreeContainersHaveEnded() {
        String ended = task("new", "failed", "shutdown", "task: non-zero exit (1)");
        String twice = ended + "," + task("new", "complete", "shutdown", "");
        assertThat(missing(app(1, ""), twice + "," + ended)).startsWith("twinhost_app 0 of 1");

        first = "twinhost_app";
        assertThat(missing(app(1, ""), twice)).startsWith("twinhost_app 0 of 1");
        assertThat(missing(app(1, ""), twice + "," + task("old", "failed", "shutdown", "x")))
                .startsWith("twinhost_app 0 of 1");
        assertThat(missing(app(1, ""), twice + "," + ended))
                .isEqualTo("failed: twinhost_app: 3 containers have ended one after the other");
        // at a later attempt it runs
        assertThat(missing(app(1, ""), twice + "," + ended + "," + running("new")))
                .isEqualTo(CONVERGED);
    }

    @Test
    void shouldSayThatAnImageIsPulled() {
        assertThat(missing(app(1, ""), task("new", "preparing", "running", "")))
                .isEqualTo("twinhost_app 0 of 1, an image is pulled");
    }

    private String missing(String service, String tasks) {
        shell.write("nodes", "[" + nodes + "]");
        shell.write("services", "[" + service + "]");
        shell.write("tasks", "[" + tasks + "]");
        Shell.Result result = judge();
        assertThat(result.status()).as(result.output()).isZero();
        return result.output().strip();
    }

    private Shell.Result judge() {
        return shell.run(
                "jq",
                "-rn",
                "--argjson",
                "before",
                before,
                "--arg",
                "names",
                names,
                "--arg",
                "optional",
                "twinhost_certbot",
                "--argjson",
                "boot",
                String.valueOf(boot),
                "--argjson",
                "late",
                String.valueOf(late),
                "--arg",
                "new",
                first,
                "--slurpfile",
                "nodes",
                "nodes",
                "--slurpfile",
                "services",
                "services",
                "--slurpfile",
                "tasks",
                "tasks",
                "-f",
                Shell.CHECKOUT + "/docker/host/converged.jq");
    }

    private static String certbot(String update) {
        return app(1, update).replace("twinhost_app", "twinhost_certbot");
    }

    private static String app(int replicas, String update) {
        return "{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\",\"Mode\":{\"Replicated\":{\"Replicas\":" + replicas
                + "}},\"TaskTemplate\":{\"ContainerSpec\":\"new\"}}" + update + "}";
    }

    private static String edge(String update) {
        return "{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_edge\",\"Mode\":{\"Global\":{}},\"TaskTemplate\":"
                + "{\"ContainerSpec\":\"new\"}}" + update + "}";
    }

    private static String update(String state, String started, String message) {
        return ",\"UpdateStatus\":{\"State\":\"" + state + "\",\"StartedAt\":\"" + started + "\",\"Message\":\""
                + message + "\"}";
    }

    private static String running(String spec) {
        return task(spec, "running", "running", "");
    }

    private static String task(String spec, String state, String desired, String error) {
        return "{\"ID\":\"t\",\"ServiceID\":\"s\",\"DesiredState\":\"" + desired + "\",\"Status\":{\"State\":\"" + state
                + "\",\"Timestamp\":\"t\"" + (error.isEmpty() ? "" : ",\"Err\":\"" + error + "\"")
                + "},\"Spec\":{\"ContainerSpec\":\""
                + spec + "\"}}";
    }

    private static String node(String role, String state, String availability) {
        return "{\"Status\":{\"State\":\"" + state + "\"},\"Spec\":{\"Availability\":\"" + availability
                + "\"},\"Description\":{\"Engine\":{\"Labels\":{\"twinhost.role\":\"" + role + "\"}}}}";
    }
}
