package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs({"jq", "python3"})
class JoinTest {
    private static final String TOKEN = "SWMTKN-1-secret";
    private static final String MANAGER = "127.77.0.1";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createMachine() {
        shell = Machine.host(new Shell(root));
        engine = new EngineStandIn(shell)
                .answer("GET", "/swarm", "{\"JoinTokens\":{\"Manager\":\"" + TOKEN + "\",\"Worker\":\"other\"}}")
                .answer("POST", "/swarm/init", "\"node-1\"")
                .answer("POST", "/swarm/leave", "")
                .then("POST", "/swarm/init", becomes(EngineStandIn.info("active", "cluster-new")))
                .then("POST", "/swarm/leave", becomes(EngineStandIn.info("inactive", "")));
    }

    @Test
    void shouldFoundTheFirstClusterAndRecordIt() {
        Shell.Result result = shell.verb("join");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.lastLine()).endsWith("is in the cluster cluster-new");
        assertThat(shell.read("srv/twinhost/swarm/generations/1/cluster-id")).isEqualTo("cluster-new\n");
        assertThat(shell.read("srv/twinhost/swarm/generations/1/token")).isEqualTo(TOKEN);
        assertThat(shell.read("srv/twinhost/swarm/generations/1/founder")).isEqualTo(Machine.INSTANCE + "\n");
        assertThat(shell.read("var/lib/twinhost/cluster-id")).isEqualTo("cluster-new\n");
    }

    @Test
    void shouldKeepTheSwarmsAddressesAwayFromTheNetworkOfTheMachines() {
        shell.verb("join");

        assertThat(engine.body("POST", "/swarm/init"))
                .containsIgnoringWhitespaces("\"AdvertiseAddr\":\"10.0.0.10\"")
                .containsIgnoringWhitespaces("\"DefaultAddrPool\":[\"172.20.0.0/14\"]")
                .containsIgnoringWhitespaces("\"SubnetSize\":24");
    }

    @Test
    void shouldJoinThroughALiveManagerWithoutWaiting() throws IOException {
        recordCluster("cluster-old");
        engine.answer("POST", "/swarm/join", "")
                .then("POST", "/swarm/join", becomes(EngineStandIn.info("active", "cluster-old")));

        try (ServerSocket manager = listen()) {
            Shell.Result result = shell.verb("join");

            assertThat(result.status()).as(result.output()).isZero();
            assertThat(engine.body("POST", "/swarm/join"))
                    .containsIgnoringWhitespaces("\"RemoteAddrs\":[\"" + MANAGER + ":2377\"]")
                    .containsIgnoringWhitespaces("\"JoinToken\":\"" + TOKEN + "\"")
                    .containsIgnoringWhitespaces("\"Availability\":\"active\"");
            assertThat(shell.read("proc/uptime")).startsWith("1000.");
        }
    }

    @Test
    void shouldJoinDrainedAsAWitness() throws IOException {
        Machine.witness(shell);
        recordCluster("cluster-old");
        engine.answer("POST", "/swarm/join", "")
                .then("POST", "/swarm/join", becomes(EngineStandIn.info("active", "cluster-old")));

        try (ServerSocket manager = listen()) {
            shell.verb("join");

            assertThat(engine.body("POST", "/swarm/join")).containsIgnoringWhitespaces("\"Availability\":\"drain\"");
        }
    }

    @Test
    void shouldNeverPutTheTokenIntoACommandLineOrTheLog() throws IOException {
        recordCluster("cluster-old");
        engine.answer("POST", "/swarm/join", "")
                .then("POST", "/swarm/join", becomes(EngineStandIn.info("active", "cluster-old")));
        for (String command : new String[] {"jq", "cat", "timeout", "python3", "tee"}) {
            shell.standIn(
                    command,
                    "printf '" + command + " %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"\nPATH=${PATH#*:} exec "
                            + "$(PATH=${PATH#*:} command -v " + command + ") \"$@\"");
        }

        try (ServerSocket manager = listen()) {
            Shell.Result joined = shell.verb("join");
            engine.swarm("inactive", "");
            shell.bash("rm -r $TWINHOST_ROOT/srv");
            Shell.Result founded = shell.verb("join");

            assertThat(joined.output() + founded.output())
                    .contains("joins generation 1", "founds generation 1")
                    .doesNotContain(TOKEN);
            assertThat(engine.commands())
                    .anyMatch(command -> command.contains("/swarm/join"))
                    .noneMatch(command -> command.contains(TOKEN));
        }
    }

    @Test
    void shouldNeitherJoinNorFoundWithSwarmStateOnItsDisk() {
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        for (String state : new String[] {"active", "pending", "error", "locked"}) {
            engine.swarm(state, "");

            Shell.Result result = shell.verb("join");

            assertThat(result.status()).isZero();
            assertThat(result.lastLine())
                    .endsWith("has Swarm state on its disk: a survivor, which neither joins nor founds");
        }
        assertThat(engine.commands()).noneMatch(command -> command.contains("POST"));
        assertThat(shell.exists("srv/twinhost/swarm")).isFalse();
    }

    @Test
    void shouldBeginAgainAfterAJoinThatWasCutShort() {
        engine.swarm("pending", "");

        Shell.Result result = shell.verb("join");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("leaves what a join that was cut short has begun", "founds generation 1");
        assertThat(shell.read("var/lib/twinhost/cluster-id")).isEqualTo("cluster-new\n");
    }

    @Test
    void shouldLeaveWhatAManagerWithoutALeaderHasBegunAndFoundAfterAMinute() throws IOException {
        recordCluster("cluster-old");
        engine.refuse("POST", "/swarm/join", "rpc error: The swarm does not have a leader")
                .then("POST", "/swarm/join", becomes(EngineStandIn.info("pending", "")));

        try (ServerSocket manager = listen()) {
            Shell.Result result = shell.verb("join");

            assertThat(result.status()).as(result.output()).isZero();
            assertThat(result.output())
                    .contains(MANAGER + " did not take this machine in: rpc error: The swarm does not have a leader");
            assertThat(engine.commands()).anyMatch(command -> command.contains("/swarm/leave?force=true"));
            assertThat(shell.read("srv/twinhost/swarm/generations/2/cluster-id"))
                    .isEqualTo("cluster-new\n");
            assertThat(Integer.parseInt(shell.read("proc/uptime").split("\\.")[0]))
                    .isBetween(1060, 1080);
        }
    }

    @Test
    void shouldFoundAgainWhenEveryRecordedManagerIsGone() {
        recordCluster("cluster-old");

        Shell.Result result = shell.verb("join");

        assertThat(result.output()).contains("waits for a heartbeat of generation 1", "founds generation 2");
        assertThat(shell.read("var/lib/twinhost/cluster-id")).isEqualTo("cluster-new\n");
    }

    @Test
    void shouldSayWhatItWaitedForWhenTheRecordCannotBeRead() {
        shell.write("srv/twinhost/swarm", "a file where a folder should be");

        Shell.Result result = shell.verb("join");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).contains("waited 900 s for the cluster record to be readable: ");
    }

    private void recordCluster(String cluster) {
        shell.record("claim", "1", "i-old", MANAGER);
        shell.record("found", "1", cluster, TOKEN);
        shell.record("beat", "1", "i-old", "yes", MANAGER);
    }

    private static ServerSocket listen() throws IOException {
        return new ServerSocket(2377, 5, InetAddress.getByName(MANAGER));
    }

    private static String becomes(String info) {
        return "echo '" + info + "' >\"$TWINHOST_ROOT/engine/GET_info\"";
    }
}
