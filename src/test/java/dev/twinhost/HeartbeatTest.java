package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs({"jq", "python3"})
class HeartbeatTest {
    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createManager() {
        shell = Machine.host(new Shell(root));
        engine = new EngineStandIn(shell).swarm("active", "cluster-a");
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.record("claim", "1", "i-founder", "10.0.0.9");
        shell.record("found", "1", "cluster-a");
    }

    @Test
    void shouldAdvanceItsCounterAndSayThatItSeesALeader() {
        assertThat(shell.verb("heartbeat")).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.verb("heartbeat")).isEqualTo(new Shell.Result(0, ""));

        assertThat(counter()).isEqualTo("2 yes 10.0.0.10\n");
    }

    @Test
    void shouldBeatOnWithoutALeader() {
        engine.swarm("active", "");

        shell.verb("heartbeat");

        assertThat(counter()).isEqualTo("1 no 10.0.0.10\n");
    }

    @Test
    void shouldGiveTheRightToActForThirtySeconds() {
        assertThat(mayAct()).isEqualTo("the cluster record was not read since this machine started");

        shell.verb("heartbeat");
        assertThat(mayAct()).isEmpty();

        shell.uptime(1030);
        assertThat(mayAct()).isEmpty();

        shell.uptime(1031);
        assertThat(mayAct()).isEqualTo("the cluster record was last read 31 s ago");
    }

    @Test
    void shouldTakeTheRightToActFromAManagerOfAnotherCluster() {
        engine.swarm("active", "cluster-b");
        shell.write("var/lib/twinhost/cluster-id", "cluster-b\n");

        shell.verb("heartbeat");

        assertThat(shell.exists("srv/twinhost/swarm/generations/1/managers/" + Machine.INSTANCE))
                .isFalse();
        assertThat(mayAct()).isEqualTo("the cluster record names another cluster than the one of this machine");
    }

    @Test
    void shouldTakeTheRightToActFromEveryManagerOfAGenerationThatWasSuperseded() {
        shell.record("claim", "2", "i-next", "10.0.0.8");

        shell.verb("heartbeat");

        assertThat(mayAct()).isEqualTo("the cluster record names another cluster than the one of this machine");
    }

    @Test
    void shouldBeatForAFounderOnlyWhileItFounds() {
        engine.swarm("inactive", "");
        shell.bash("rm $TWINHOST_ROOT/var/lib/twinhost/cluster-id");
        shell.record("claim", "2", Machine.INSTANCE, Machine.ADDRESS);
        long pid = ProcessHandle.current().pid();
        shell.bash("echo \"" + pid + " $(sed 's/.*) //' /proc/" + pid
                + "/stat | cut -d ' ' -f 20)\" >run/twinhost/founding");

        shell.verb("heartbeat");
        assertThat(shell.read("srv/twinhost/swarm/generations/2/managers/" + Machine.INSTANCE))
                .isEqualTo("2 no 10.0.0.10\n");

        // a process that is gone, one that has its number now, and a mark that was cut short
        for (String mark : new String[] {
            "999999999 5",
            ProcessHandle.current().pid() + " 5",
            "" + ProcessHandle.current().pid(),
            ""
        }) {
            shell.write("run/twinhost/founding", mark + "\n");
            shell.verb("heartbeat");
            assertThat(shell.read("srv/twinhost/swarm/generations/2/managers/" + Machine.INSTANCE))
                    .isEqualTo("2 no 10.0.0.10\n");
        }
    }

    @Test
    void shouldSayOnceThatTheRecordCannotBeReadAndOnceThatItCanBe() {
        shell.verb("heartbeat");
        shell.bash("mv $TWINHOST_ROOT/srv $TWINHOST_ROOT/away && touch $TWINHOST_ROOT/srv");

        Shell.Result first = shell.verb("heartbeat");
        Shell.Result second = shell.verb("heartbeat");
        shell.bash("rm $TWINHOST_ROOT/srv && mv $TWINHOST_ROOT/away $TWINHOST_ROOT/srv");
        Shell.Result third = shell.verb("heartbeat");

        assertThat(first.status()).isZero();
        assertThat(first.output()).contains("the cluster record cannot be read");
        assertThat(second).isEqualTo(new Shell.Result(0, ""));
        assertThat(third.output()).contains("the cluster record can be read again");
        assertThat(mayAct()).isEmpty();
    }

    private String counter() {
        return shell.read("srv/twinhost/swarm/generations/1/managers/" + Machine.INSTANCE);
    }

    private String mayAct() {
        return shell.record("lease").output().strip();
    }
}
