package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens to machines on ordinary days: they are rebooted, their Docker is restarted, a container dies, a clock is wrong. Under load. */
@Tag("rehearsal")
@Tag("trouble")
class OrdinaryTroubleTest {
    private static final int RATE = 20;

    private static RunningSite site;

    private Load load;

    @BeforeAll
    static void up() throws Exception {
        site = new RunningSite('o');
    }

    @AfterAll
    static void down() throws Exception {
        site.close();
    }

    @BeforeEach
    void beginOnAWholeSite() {
        site.awaitWhole();
        load = site.rehearsal().startLoad(RATE);
        Await.that(
                "some requests",
                Duration.ofSeconds(20),
                () -> load.soFar().requests().size() > 3 * RATE);
    }

    @AfterEach
    void endTheLoad() {
        if (!load.ended()) {
            load.stop();
        }
    }

    @Test
    void shouldLoseNoRequestWhenAHostIsRebooted() {
        Machine host = site.hosts().get(0);
        String boot = site.inside(host, "ps", "-o", "lstart=", "-p", "1");
        site.attempt(host, "systemctl", "reboot");
        Await.that(
                "the reboot of host " + host.name(),
                Duration.ofSeconds(180),
                () -> site.rehearsal().script(host).running()
                        && !boot.equals(site.attempt(host, "ps", "-o", "lstart=", "-p", "1")
                                .output()
                                .strip())
                        && !site.attempt(host, "ps", "-o", "lstart=", "-p", "1")
                                .output()
                                .isBlank());
        site.awaitWhole();

        assertThat(end("a host is rebooted").failures()).isEmpty();
        assertThat(site.machines()).contains(host);
    }

    @Test
    void shouldLoseNoRequestWhenDockerIsRestarted() {
        Machine host = site.hosts().get(1);
        site.inside(host, "systemctl", "restart", "docker.service");
        site.awaitWhole();

        assertThat(end("Docker is restarted on a host").failures()).isEmpty();
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

        LoadResult result =
                end("a container of the application dies; the next one runs after " + again.toMillis() / 1000.0 + " s");
        assertThat(result.failures()).isEmpty();
    }

    @Test
    void shouldStartAKilledEdgeAgainBeforeTheBalancerNoticesAHostThatDies() {
        Machine host = site.hosts().get(1);
        Instant death = Instant.now();
        site.inside(host, "docker", "kill", site.containers(host, "edge").get(0));
        site.awaitWhole();

        LoadResult result = end("an edge dies");
        assertThat(result.failuresBetween(death.plus(Noticed.by(site)), Instant.MAX))
                .isEmpty();
    }

    @Test
    void shouldDecideNothingByAClockThatIsAnHourOff() {
        Memory before = Memory.of(site.rehearsal());
        Machine host = site.leader().orElseThrow();
        site.inside(
                host,
                "sh",
                "-c",
                "printf '#!/bin/sh\\ncase $1 in -d|-u) exec /bin/date \"$@\" ;; esac; exec /bin/date -d \"1 hour\" \"$@\"\\n'"
                        + " >/usr/local/bin/date; chmod 755 /usr/local/bin/date; date");
        try {
            Machine other = site.hosts().stream()
                    .filter(candidate -> !candidate.equals(host))
                    .findFirst()
                    .orElseThrow();
            site.rehearsal().terminate(other);
            Await.that(
                    "the loss to be seen",
                    Duration.ofSeconds(60),
                    () -> !site.machines().contains(other));
            site.awaitWhole();
            Memory after = Memory.of(site.rehearsal());
            assertThat(after).isEqualTo(before);
            end("a host is replaced by a leader whose clock is an hour ahead");
        } finally {
            site.attempt(host, "rm", "-f", "/usr/local/bin/date");
        }
    }

    private LoadResult end(String what) {
        LoadResult result = load.stop();
        System.out.printf("%s%n%s%n", what, result.text());
        return result;
    }
}
