package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Command;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The shared storage of the witness, which serves nobody, while it hangs and afterwards. */
@OnSharedSite
class StalledStorageTest {
    private static final int HUNG = 124;
    private static final int KILLED = 137;

    private final Rehearsal rehearsal;
    private final Machine witness;
    private final Machine host;

    StalledStorageTest(SharedSite site) {
        rehearsal = site.rehearsal();
        witness = rehearsal.machines().named("witness");
        host = site.hosts().get(0);
    }

    @BeforeEach
    void stall() {
        rehearsal.stall(witness);
    }

    @AfterEach
    void unstall() {
        rehearsal.unstall(witness);
        assertThat(inside(witness, "umount -q /mnt; timeout 5 ls /srv/twinhost").output())
                .contains("swarm");
    }

    @Test
    void shouldHangForOneMachineAlone() {
        assertThat(inside(witness, "timeout 2 ls /srv/twinhost").status()).isEqualTo(HUNG);
        assertThat(inside(host, "timeout 5 ls /srv/twinhost").output()).contains("swarm");
    }

    @Test
    void shouldLetWhoWaitsForItBeKilled() {
        assertThat(inside(witness, "timeout -s KILL 1 ls /srv/twinhost").status())
                .isEqualTo(KILLED);
        assertThat(inside(witness, "pgrep -x ls").output()).isEmpty();
    }

    @Test
    void shouldLetAMountHangUntilItIsMended() {
        String mount = "mount.efs " + rehearsal.site().fileSystem() + ":/ /mnt -o tls,iam";
        assertThat(inside(witness, "timeout 2 " + mount).status()).isEqualTo(HUNG);
        rehearsal.unstall(witness);
        assertThat(inside(witness, "timeout 5 " + mount + " && ls /mnt").output())
                .contains("swarm");
    }

    @Test
    void shouldKeepTheMachineFromUndoingIt() {
        assertThat(inside(witness, "rm /run/rehearsal/storage/stalled").error()).contains("Read-only file system");
    }

    private Command.Result inside(Machine machine, String script) {
        return rehearsal.inside(machine, List.of("sh", "-c", script)).result();
    }
}
