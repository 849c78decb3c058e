package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may found a cluster, as a machine without Swarm state judges it on its own clock: section 6 of the design. */
@Needs("jq")
class FoundingTest {
    private static final int HOST = 0;
    private static final int WITNESS = 60;

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createShell() {
        shell = new Shell(root);
        shell.write("run/twinhost/keep", "");
    }

    @Test
    void shouldFoundTheFirstClusterAtOnceAsAHost() {
        assertThat(verdictAt(1000, HOST, 0, "")).isEqualTo("claim 1");
    }

    @Test
    void shouldGiveTheHostsAHeadStartAsAWitness() {
        assertThat(verdictAt(1000, WITNESS, 0, "")).isEqualTo("wait for the hosts to found a cluster");
        assertThat(verdictAt(1059, WITNESS, 0, "")).isEqualTo("wait for the hosts to found a cluster");
        assertThat(verdictAt(1060, WITNESS, 0, "")).isEqualTo("claim 1");
    }

    @Test
    void shouldWaitForAFounderWhoseHeartBeats() {
        assertThat(verdictAt(1000, HOST, 1, "", manager("i-1", 1, false)))
                .isEqualTo("wait for a heartbeat of generation 1");
        for (int now = 1010, beat = 2; now <= 1200; now += 10, beat++) {
            assertThat(verdictAt(now, HOST, 1, "", manager("i-1", beat, false)))
                    .isEqualTo("wait for i-1 to found generation 1");
        }
    }

    @Test
    void shouldSupersedeAClaimThatWasAbandonedAMinuteAgo() {
        verdictAt(1000, HOST, 1, "", manager("i-1", 1, false));
        verdictAt(1010, HOST, 1, "", manager("i-1", 2, false));

        assertThat(verdictAt(1070, HOST, 1, "", manager("i-1", 2, false)))
                .isEqualTo("wait for i-1 to found generation 1");
        assertThat(verdictAt(1071, HOST, 1, "", manager("i-1", 2, false))).isEqualTo("claim 2");
    }

    @Test
    void shouldSupersedeAClaimWithoutAnyHeartbeat() {
        verdictAt(1000, HOST, 1, "");

        assertThat(verdictAt(1059, HOST, 1, "")).isEqualTo("wait for a heartbeat of generation 1");
        assertThat(verdictAt(1060, HOST, 1, "")).isEqualTo("claim 2");
    }

    @Test
    void shouldNeverFoundWhileAFreshHeartbeatSeesALeader() {
        for (int now = 1000, beat = 1; now <= 1300; now += 10, beat++) {
            assertThat(verdictAt(now, HOST, 3, "cluster-a", manager("i-1", beat, true), manager("i-2", 7, false)))
                    .startsWith("wait for");
        }
    }

    @Test
    void shouldFoundThoughManagersLiveWhenNoneHasSeenALeaderForAMinute() {
        for (int now = 1000, beat = 1; now < 1060; now += 10, beat++) {
            assertThat(verdictAt(now, HOST, 3, "cluster-a", manager("i-1", beat, false)))
                    .isEqualTo("wait for a heartbeat of generation 3");
        }
        assertThat(verdictAt(1060, HOST, 3, "cluster-a", manager("i-1", 7, false)))
                .isEqualTo("claim 4");
    }

    @Test
    void shouldBearWithAnElectionInWhichNobodySeesALeader() {
        verdictAt(1000, HOST, 3, "cluster-a", manager("i-1", 1, true));
        verdictAt(1010, HOST, 3, "cluster-a", manager("i-1", 2, true));
        verdictAt(1065, HOST, 3, "cluster-a", manager("i-1", 7, false));

        assertThat(verdictAt(1070, HOST, 3, "cluster-a", manager("i-1", 8, false)))
                .isEqualTo("wait for a manager of generation 3 that takes this machine in");
        assertThat(verdictAt(1071, HOST, 3, "cluster-a", manager("i-1", 8, false)))
                .isEqualTo("claim 4");
    }

    @Test
    void shouldNotTakeACounterThatStandsStillForALife() {
        verdictAt(1000, HOST, 3, "cluster-a", manager("i-1", 500, true), manager("i-2", 400, true));

        assertThat(verdictAt(1060, HOST, 3, "cluster-a", manager("i-1", 500, true), manager("i-2", 400, true)))
                .isEqualTo("claim 4");
    }

    @Test
    void shouldTakeAManagerThatAppearsForALife() {
        verdictAt(1000, HOST, 3, "cluster-a");

        assertThat(verdictAt(1059, HOST, 3, "cluster-a", manager("i-1", 1, true)))
                .isEqualTo("wait for a manager of generation 3 that takes this machine in");
        assertThat(verdictAt(1100, HOST, 3, "cluster-a", manager("i-1", 1, true)))
                .isEqualTo("wait for a manager of generation 3 that takes this machine in");
    }

    @Test
    void shouldWatchANewGenerationFromItsBeginning() {
        verdictAt(1000, HOST, 3, "cluster-a");
        verdictAt(1055, HOST, 4, "");

        assertThat(verdictAt(1060, HOST, 4, "")).isEqualTo("wait for a heartbeat of generation 4");
        assertThat(verdictAt(1115, HOST, 4, "")).isEqualTo("claim 5");
    }

    private String verdictAt(int uptime, int headStart, int generation, String cluster, String... managers) {
        shell.uptime(uptime);
        String record = "{\"generation\":" + generation + ",\"founder\":\"i-1\",\"cluster\":\"" + cluster
                + "\",\"release\":\"\",\"managers\":[" + String.join(",", managers) + "]}";
        Shell.Result result = shell.lib("watched=$(watch_record '" + record + "')\nverdict \"$watched\" " + headStart);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output().strip();
    }

    private static String manager(String instance, int counter, boolean leader) {
        return "{\"instance\":\"" + instance + "\",\"counter\":" + counter + ",\"leader\":" + leader
                + ",\"address\":\"10.0.0.1\"}";
    }
}
