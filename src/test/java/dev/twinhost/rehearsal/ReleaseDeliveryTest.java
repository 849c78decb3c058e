package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A release of which a machine hears late, or never: those that hear of it bring it to the cluster, and {@code heal} brings
 * it to a machine that has missed it. Under load, of which nothing is lost.
 */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
class ReleaseDeliveryTest {
    @RegisterExtension
    static final TroubledSite site = new TroubledSite('m');

    @Test
    void shouldBringAMachineThatMissesAReleaseToIt() throws Exception {
        Machine missed = site.hosts().get(1);
        String before = release(missed);
        Commands.Run run;
        try (TreeCopy tree = new TreeCopy().append("nginx/conf.d/site.conf", "\n# A change that every edge takes.\n")) {
            run = new Commands(tree.folder(), 'm').run("release", "--miss", missed.name());
        }
        String converged = release(site.other(missed));

        assertThat(run.output()).contains("  " + missed.name() + ": has missed the association\n");
        assertThat(run.output()).contains("The deploy would succeed: release " + converged + " has converged\n");
        assertThat(run.status()).isZero();
        assertThat(converged).isNotEqualTo(before);
        assertThat(release(missed)).isEqualTo(before);
        // The note of when it was first seen to be behind: five minutes ago at least, for who cannot wait that long.
        site.inside(missed, "sh", "-c", "echo 0 " + converged + " >/run/twinhost/behind");
        Await.that(
                "machine " + missed.name() + " to come to the release that converged",
                Duration.ofMinutes(6),
                () -> release(missed).equals(converged));
        site.awaitWhole();
        assertThat(site.endLoad("a release that a machine misses%n%s", run.output())
                        .failures())
                .isEmpty();
    }

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
