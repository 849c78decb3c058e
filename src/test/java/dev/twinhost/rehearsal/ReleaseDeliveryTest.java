package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A release of which machines hear late. Under load, of which nothing is lost. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
class ReleaseDeliveryTest {
    @RegisterExtension
    static final TroubledSite site = new TroubledSite('m');

    @Test
    void shouldLoseNothingWhereMachinesOnlyAskForTheReleaseFromTimeToTime() throws Exception {
        Commands.Run run;
        try (TreeCopy tree =
                new TreeCopy().append("nginx/conf.d/site.conf", "\n# Another change that every edge takes.\n")) {
            run = new Commands(tree.folder(), 'm').run("release", "--polled", "45");
        }
        String converged = release(site.hosts().get(0));

        assertThat(run.output()).contains("The deploy would succeed: release " + converged + " has converged\n");
        assertThat(run.status()).isZero();
        assertThat(site.machines()).allMatch(machine -> release(machine).equals(converged));
        assertThat(site.endLoad("a release for which machines ask%n%s", run.output())
                        .failures())
                .isEmpty();
    }

    private static String release(Machine machine) {
        return Path.of(site.inside(machine, "readlink", "-f", "/opt/twinhost/current"))
                .getFileName()
                .toString();
    }
}
