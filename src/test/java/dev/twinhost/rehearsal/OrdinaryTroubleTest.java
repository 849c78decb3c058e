package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What happens to machines on ordinary days: they are rebooted, their Docker is restarted, a container dies, a disk is full, a clock is wrong. Under load. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(7)
class OrdinaryTroubleTest {
    @RegisterExtension
    static final TroubledSite site = new TroubledSite('o', "--disk", "1500");

    @Test
    void shouldLoseNoRequestWhenAHostIsRebooted() {
        Machine host = site.hosts().get(0);
        site.reboot(host);
        site.awaitWhole();

        assertThat(site.endLoad("a host is rebooted").failures()).isEmpty();
        assertThat(site.machines()).contains(host);
    }

    @Test
    void shouldLoseNoRequestWhenDockerIsRestarted() {
        Machine host = site.hosts().get(1);
        site.inside(host, "systemctl", "restart", "docker.service");
        site.awaitWhole();

        assertThat(site.endLoad("Docker is restarted on a host").failures()).isEmpty();
    }

    @Test
    void shouldStartAKilledContainerOfTheApplicationAgainWithoutALostRequest() {
        Machine host = site.hosts().get(0);
        String container = site.containers(host, "app").get(0);
        Instant death = Instant.now();
        site.inside(host, "docker", "kill", container);
        Await.that(
                "another container",
                Duration.ofSeconds(60),
                () -> site.containers(host, "app").stream().anyMatch(id -> !id.equals(container)));
        Duration again = Duration.between(death, Instant.now());
        site.awaitWhole();

        LoadResult result = site.endLoad(
                "a container of the application dies: the next one runs after %.1f s", again.toMillis() / 1000.0);
        assertThat(result.failures()).isEmpty();
    }

    @Test
    void shouldStartAKilledEdgeAgainBeforeTheBalancerNoticesAHostThatDies() {
        Machine host = site.hosts().get(1);
        Instant death = Instant.now();
        site.inside(host, "docker", "kill", site.containers(host, "edge").get(0));
        site.awaitWhole();

        LoadResult result = site.endLoad("an edge dies");
        assertThat(result.failuresBetween(death.plus(Noticed.by(site)), Instant.MAX))
                .isEmpty();
    }

    @Test
    void shouldServeARenewedCertificateFromBothHostsWithinAMinuteWithoutALostRequest() {
        Map<Machine, Duration> served = Renewal.of(site.rehearsal()).run(site.hosts());

        assertThat(site.hosts())
                .extracting(site::served)
                .allMatch(site.served(site.hosts().get(0))::equals);
        assertThat(served.values()).hasSize(2).allMatch(time -> time.compareTo(Renewal.LIMIT) <= 0);
        LoadResult result = site.endLoad(
                "the certificate is renewed: served by both hosts %.1f s after its issue",
                Collections.max(served.values()).toMillis() / 1000.0);
        assertThat(result.failures()).isEmpty();
    }

    @Test
    void shouldGoOnServingWithAFullDiskAndSayThatItIsFull() {
        Machine other = site.hostOf("certbot");
        Machine host = site.other(other);
        X509Certificate old = site.served(host);
        try {
            site.attempt(host, "sh", "-c", "cat /dev/zero >/var/filler; cat /dev/zero >>/var/filler");
            // what the dead container had taken is free again, and enough for the next one
            String dead = site.containers(host, "app").get(0);
            site.attempt(
                    host,
                    "sh",
                    "-c",
                    "docker kill " + dead + "; for i in $(seq 40); do cat /dev/zero >>/var/filler; sleep 0.2; done");
            site.renew(other);
            Await.that("the host to say what is wrong", Duration.ofSeconds(120), RunningSite.LOOK, () -> {
                String wrong = site.status(host)
                        .map(status -> status.path("wrong").toString())
                        .orElse("");
                return wrong.contains("the disk of this machine is 100 % full: Docker may start nothing here")
                        && wrong.contains("the service app runs 1 of 2: ")
                        && wrong.contains("no space left on device");
            });
            assertThat(site.served(host)).isEqualTo(old);
        } finally {
            site.inside(host, "rm", "-f", "/var/filler");
        }
        // What Docker could not write down it has forgotten: a task that Swarm has given to this host would stay
        // "Accepted" for ever.
        site.inside(host, "systemctl", "restart", "docker.service");
        site.awaitWhole();
        assertThat(site.served(host)).isEqualTo(site.served(other));
        assertThat(site.machines()).contains(host);
        assertThat(site.endLoad("a host's disk is full").failures()).isEmpty();
    }

    @Test
    void shouldDecideNothingByAClockThatIsAnHourOff() {
        Machine host = site.leader().orElseThrow();
        site.inside(
                host,
                "sh",
                "-c",
                "printf '#!/bin/sh\\ncase $1 in -d|-u) exec /bin/date \"$@\" ;; esac; exec /bin/date -d \"1 hour\" \"$@\"\\n'"
                        + " >/usr/local/bin/date; chmod 755 /usr/local/bin/date; date");
        try {
            Machine other = site.other(host);
            Instant death = site.kill(other);
            site.rehearsal().terminate(other);
            site.successor(other, host);
            site.awaitWhole();
            assertThat(Memory.of(site.rehearsal())).isEqualTo(site.before());
            LoadResult result = site.endLoad("a host is replaced by a leader whose clock is an hour ahead");
            Noticed.assertAllThatWasLost(site, result, death);
        } finally {
            site.attempt(host, "rm", "-f", "/usr/local/bin/date");
        }
    }
}
