package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The shared storage does not answer (P9): what is served goes on being served. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(9)
class ServedWithoutStorageTest {
    private static final Duration STALLED = Duration.ofMinutes(2);

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('t');

    @Test
    void shouldGoOnServingAlsoFromAHostThatRebootsAndAnEdgeThatRestartsMeanwhile() {
        Machine renews = site.hostOf("certbot");
        Machine stalled = site.other(renews);
        X509Certificate old = site.served(stalled);
        Instant start = Instant.now();
        site.machines().forEach(site.rehearsal()::stall);

        Await.that(
                "the host to say what is wrong",
                Duration.ofSeconds(60),
                RunningSite.LOOK,
                () -> site.status(stalled)
                        .filter(status -> status.path("wrong")
                                .toString()
                                .contains("this machine may not act: the cluster record was last read"))
                        .isPresent());
        String edge = site.containers(stalled, "edge").get(0);
        site.inside(stalled, "docker", "stop", "-t", "100", edge);
        Await.that(
                "another edge",
                Duration.ofSeconds(60),
                () -> site.containers(stalled, "edge").stream().anyMatch(id -> !id.equals(edge)));
        awaitServing(stalled);
        site.reboot(stalled);
        awaitServing(stalled);
        assertThat(site.served(stalled)).isEqualTo(old);
        Await.that("two minutes", STALLED.plusSeconds(10), () -> Instant.now().isAfter(start.plus(STALLED)));

        for (Machine host : site.hosts()) {
            assertThat(site.inside(host, "ps", "-eo", "stat=,comm=").lines())
                    .as("what waits for the storage on host " + host.name())
                    .noneMatch(line -> line.startsWith("D") && line.endsWith("nginx"));
        }

        // The others have it back first, so that a renewal passes this host by.
        site.machines().stream().filter(machine -> !machine.equals(stalled)).forEach(site.rehearsal()::unstall);
        site.renew(renews);
        assertThat(site.served(stalled)).isEqualTo(old);
        Instant end = Instant.now();
        site.rehearsal().unstall(stalled);
        Await.that(
                "the renewed certificate",
                Duration.ofSeconds(60),
                () -> site.served(stalled).equals(site.served(renews)));
        Duration caughtUp = Duration.between(end, Instant.now());
        site.awaitWhole();

        LoadResult result = site.endLoad(
                "the storage stalls for every machine, for one of them %d s: renewed certificate %.1f s after the end",
                Duration.between(start, end).toSeconds(), caughtUp.toMillis() / 1000.0);
        assertThat(result.failures()).isEmpty();
    }

    private static void awaitServing(Machine host) {
        Await.that(
                "host " + host.name() + " to serve",
                Duration.ofSeconds(180),
                () -> site.visitHost(host, "/").status() == 0);
    }
}
