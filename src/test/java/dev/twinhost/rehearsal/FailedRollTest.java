package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.scaling.Instance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A deploy whose new machines cannot boot goes back by itself, under load, and without the boot of another machine. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
class FailedRollTest {
    @RegisterExtension
    static final TroubledSite site = new TroubledSite('b');

    @Test
    void shouldKeepTheOldMachinesWhereANewOneCannotBoot(@TempDir Path folder) throws Exception {
        List<Machine> before = site.machines();
        Path launcher = Files.writeString(folder.resolve("user-data.sh"), """
                echo "launcher: this release cannot boot" >>/var/log/twinhost.log
                exit 1
                """);

        Commands.Run roll = site.commands().run("roll", "--launcher", launcher.toString());
        site.awaitWhole();

        assertThat(site.endLoad("a machine update that fails%n%s", roll.output())
                        .failures())
                .isEmpty();
        assertThat(roll.status()).as(roll.output()).isEqualTo(1);
        assertThat(roll.output())
                .contains(
                        "The update of Hosts has failed, because 100 percent have to signal success: The user-data of")
                .contains("    launcher: this release cannot boot\n")
                .endsWith("CloudFormation has gone back: UPDATE_ROLLBACK_COMPLETE.\n");
        assertThat(roll.output().lines().filter(line -> line.endsWith(" is launched")))
                .as("machines that were launched")
                .hasSize(1);
        assertThat(site.machines()).containsExactlyInAnyOrderElementsOf(before);
        assertThat(site.hosts()).hasSize(2);
        assertThat(managers()).isEqualTo(3);
        for (String group : List.of("Hosts", "Witness")) {
            assertThat(site.rehearsal().groups().get(group).suspended()).isEmpty();
            assertThat(site.rehearsal().groups().get(group).active()).allMatch(Instance::healthy);
        }
    }

    private static long managers() {
        return site.inside(site.hosts().get(0), "docker", "node", "ls", "--format", "{{.ManagerStatus}}")
                .lines()
                .filter(line -> line.equals("Leader") || line.equals("Reachable"))
                .count();
    }
}
