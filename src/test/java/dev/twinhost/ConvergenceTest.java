package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What `converged.jq` makes of the answers of Docker's API. */
class ConvergenceTest {
    @TempDir
    Path root;

    private Shell shell;
    private String before = "{}";
    private String nodes = node("host", "ready", "active") + "," + node("host", "ready", "active") + ","
            + node("witness", "ready", "drain");

    @BeforeEach
    void createShell() {
        shell = new Shell(root);
    }

    @Test
    void shouldBeContentWhenEveryReplicaRunsWhatItWasTold() {
        assertThat(missing(app(2, ""), running("new") + "," + running("new"))).isEmpty();
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
        assertThat(missing(edge(""), running("new") + "," + running("new"))).isEmpty();
        assertThat(missing(edge(""), running("new"))).isEqualTo("twinhost_edge 1 of 2");

        nodes = node("host", "ready", "active") + "," + node("host", "down", "active") + ","
                + node("host", "ready", "drain");
        assertThat(missing(edge(""), running("new"))).isEmpty();
    }

    @Test
    void shouldSayWhatTheLastTaskFailedOf() {
        assertThat(missing(
                        app(1, ""),
                        task("new", "rejected", "shutdown", "No such image: app:2") + ","
                                + task("new", "preparing", "running", "")))
                .isEqualTo("twinhost_app 0 of 1; last error: No such image: app:2");
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
                .isEmpty();
        assertThat(missing(app(1, update("rollback_completed", "t2", "it did not last again")), running("new")))
                .isEqualTo("failed: twinhost_app: it did not last again");
    }

    private String missing(String service, String tasks) {
        shell.write("nodes", "[" + nodes + "]");
        shell.write("services", "[" + service + "]");
        shell.write("tasks", "[" + tasks + "]");
        Shell.Result result = shell.run(
                "jq",
                "-rn",
                "--argjson",
                "before",
                before,
                "--arg",
                "besides",
                "",
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
        assertThat(result.status()).as(result.output()).isZero();
        return result.output().strip();
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
