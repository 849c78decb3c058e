package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a machine leaves, with stand-ins for the engine and AWS. */
@Needs({"jq", "python3"})
class DrainTest {
    private static final String LEAVE = "/swarm/leave?force=true";
    private static final String COMPLETE = "aws autoscaling complete-lifecycle-action --lifecycle-hook-name goodbye"
            + " --auto-scaling-group-name hosts --lifecycle-action-result CONTINUE --instance-id i-0a";

    private static final String TASKS_ON_THIS_NODE =
            "[{\"NodeID\":\"n-a\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}},"
                    + "{\"NodeID\":\"n-a\",\"DesiredState\":\"running\",\"Status\":{\"State\":\"running\"}}]";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;
    private ClusterStandIn cluster;

    @BeforeEach
    void createManager() {
        shell = Machine.host(new Shell(root));
        engine = new EngineStandIn(shell).swarm("active", "cluster-a");
        cluster = new ClusterStandIn(shell, engine);
        engine.command(
                "node_demote", "sed -i 's/\"ControlAvailable\":true/\"ControlAvailable\":false/' engine/GET_info");
        runs("[]");
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.bash("mkdir var/lib/twinhost/tls");
        shell.record("claim", "1", Machine.INSTANCE, Machine.ADDRESS);
    }

    @Test
    void shouldOnlyDrainAMachineThatIsShutDown() {
        assertThat(shell.verb("drain").status()).isZero();

        assertThat(calls("docker")).containsExactly("docker node update --availability drain node-1");
        assertThat(shell.exists("var/lib/twinhost/drained")).isTrue();
        assertThat(shell.exists("var/lib/twinhost/tls/retire")).isTrue();
        assertThat(engine.commands()).noneMatch(command -> command.contains(LEAVE));
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/managers/i-0a"))
                .isTrue();
    }

    @Test
    void shouldLeaveTheSwarmAndTheRecordAndLetTheGroupGoOnWhereItEndsThisMachine() {
        cluster.lifecycle("Terminated");

        Shell.Result result = shell.verb("drain", "--notice");

        assertThat(result.status()).as(result.output()).isZero();
        List<String> commands = engine.commands();
        assertThat(commands)
                .containsSubsequence(
                        "docker node update --availability drain node-1", "docker node demote node-1", COMPLETE);
        assertThat(commands).anyMatch(command -> command.contains(LEAVE));
        assertThat(shell.exists("var/lib/twinhost/cluster-id")).isFalse();
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/managers/i-0a"))
                .isFalse();
    }

    @Test
    void shouldDoNothingWhileItsGroupKeepsIt() {
        assertThat(shell.verb("drain", "--notice")).isEqualTo(new Shell.Result(0, ""));

        assertThat(engine.commands()).isEmpty();
    }

    @Test
    void shouldLeaveOnce() {
        cluster.lifecycle("Terminated");
        shell.verb("drain", "--notice");
        int before = engine.commands().size();

        assertThat(shell.verb("drain")).isEqualTo(new Shell.Result(0, ""));

        assertThat(engine.commands()).hasSize(before);
    }

    @Test
    void shouldWaitUntilNothingRunsAnyMore() {
        runs("[{\"Labels\":{\"com.docker.swarm.service.name\":\"twinhost_edge\"}}]");
        engine.then(
                "GET",
                "/containers/json",
                "(($(grep -c containers/json commands) <= 3)) || echo '[]' >\"$TWINHOST_ROOT/engine/GET_containers_json\"");

        Shell.Result result = shell.verb("drain");

        assertThat(result.output()).contains("waits for what runs here to end: twinhost_edge");
        assertThat(calls("engine"))
                .filteredOn(call -> call.contains("/containers/json"))
                .hasSize(4);
    }

    @Test
    void shouldNotTakeAnEngineThatDoesNotAnswerForOneThatRunsNothing() {
        shell.bash("rm engine/GET_containers_json");

        Shell.Result result = shell.verb("drain");

        assertThat(result.output()).contains("waited 90 s for what runs here to end");
    }

    @Test
    void shouldEndTheEdgeFirstWhereNoLeaderCanDrainTheMachine() {
        engine.swarm("active", "");
        engine.command("ps", "case $* in *twinhost_edge*) echo edge-1 ;; *) echo app-1 ;; esac");

        shell.verb("drain");

        assertThat(calls("docker stop")).containsExactly("docker stop -t 85 edge-1", "docker stop -t 25 app-1");
    }

    @Test
    void shouldLetTheGroupGoOnEvenWhereDockerIsDead() {
        cluster.lifecycle("Terminated");
        shell.bash("rm engine/GET__ping");

        Shell.Result result = shell.verb("drain", "--notice");

        assertThat(result.output()).contains("Docker does not answer").endsWith("this machine may go\n");
        assertThat(engine.commands()).contains(COMPLETE);
    }

    @Test
    void shouldWaitForTheHookWhichBeginsWhenTheBalancerHasLetGo() {
        cluster.lifecycle("Terminated");
        shell.bash("sed -i 's/set-instance-health | complete-lifecycle-action) ;;/complete-lifecycle-action)"
                + " (($(grep -c complete-lifecycle commands) > 3)) ;;/' stand-ins/aws");

        Shell.Result result = shell.verb("drain", "--notice");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(calls("aws autoscaling complete-lifecycle-action")).hasSize(4);
    }

    @Test
    void shouldDrainNothingOnAWitness() {
        shell = Machine.witness(shell);

        shell.verb("drain");

        assertThat(calls("docker")).isEmpty();
    }

    /** The storage would be unmounted beneath what still needs it: `nofail` takes it out of remote-fs.target. */
    @Test
    void shouldBeOverBeforeTheStorageIsUnmounted() throws IOException {
        assertThat(Files.readString(Shell.CHECKOUT.resolve("docker/host/units/twinhost-drain.service")))
                .containsPattern("(?m)^After=.* srv-twinhost\\.mount$");
    }

    /** What the engine lists of containers that belong to a service. */
    private void runs(String containers) {
        engine.answer("GET", "/containers/json", containers);
    }

    private List<String> calls(String start) {
        return engine.commands().stream()
                .filter(command -> command.startsWith(start))
                .toList();
    }
}
