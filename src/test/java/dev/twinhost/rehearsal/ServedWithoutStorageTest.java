package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shared storage does not answer (P9): what is served goes on being served. */
@Tag("rehearsal")
@Tag("trouble")
class ServedWithoutStorageTest {
    private static final int RATE = 20;
    private static final Duration STALLED = Duration.ofMinutes(2);

    private static RunningSite site;

    @BeforeAll
    static void up() throws Exception {
        site = new RunningSite('t');
    }

    @AfterAll
    static void down() throws Exception {
        site.close();
    }

    @Test
    void shouldGoOnServingAlsoFromAHostThatRebootsAndAnEdgeThatRestartsMeanwhile() {
        site.awaitWhole();
        Machine renews = site.hostOf("certbot");
        Machine stalled = site.other(renews);
        X509Certificate old = served(stalled);
        Load load = site.rehearsal().startLoad(RATE);
        Await.that(
                "some requests",
                Duration.ofSeconds(20),
                () -> load.soFar().requests().size() > 3 * RATE);
        Instant start = Instant.now();
        site.rehearsal().stall(stalled);

        Await.that(
                "the host to say what is wrong",
                Duration.ofSeconds(60),
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
        renew(renews);
        assertThat(served(renews)).isNotEqualTo(old);
        String boot = site.inside(stalled, "ps", "-o", "lstart=", "-p", "1");
        site.attempt(stalled, "systemctl", "reboot");
        Await.that("the reboot", Duration.ofSeconds(240), () -> {
            String now = site.attempt(stalled, "ps", "-o", "lstart=", "-p", "1")
                    .output()
                    .strip();
            return !now.isBlank() && !now.equals(boot);
        });
        awaitServing(stalled);
        assertThat(served(stalled)).isEqualTo(old);
        Await.that("two minutes", STALLED.plusSeconds(10), () -> Instant.now().isAfter(start.plus(STALLED)));

        Instant end = Instant.now();
        site.rehearsal().unstall(stalled);
        Await.that(
                "the renewed certificate",
                Duration.ofSeconds(60),
                () -> !served(stalled).equals(old));
        Duration caughtUp = Duration.between(end, Instant.now());
        site.awaitWhole();
        LoadResult result = load.stop();

        System.out.printf(
                "the storage stalls for %d s: renewed certificate %.1f s after its end%n%s%n",
                Duration.between(start, end).toSeconds(), caughtUp.toMillis() / 1000.0, result.text());
        assertThat(result.failures()).isEmpty();
    }

    private static void awaitServing(Machine host) {
        Await.that(
                "host " + host.name() + " to serve",
                Duration.ofSeconds(180),
                () -> site.visitHost(host, "/").status() == 0);
    }

    private static void renew(Machine host) {
        X509Certificate old = served(host);
        site.inside(
                host,
                "docker",
                "exec",
                site.containers(host, "certbot").get(0),
                "certbot",
                "renew",
                "--force-renewal",
                "-n",
                "--config-dir",
                "/srv/letsencrypt/production",
                "--work-dir",
                "/tmp/renewal/work",
                "--logs-dir",
                "/tmp/renewal/logs");
        Await.that(
                "the renewed certificate",
                Duration.ofSeconds(60),
                () -> !served(host).equals(old));
    }

    private static X509Certificate served(Machine host) {
        return new ServedCertificate(site.rehearsal(), host, "www.example.com")
                .certificate()
                .orElseThrow();
    }
}
