package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * A host loses its power (P2) and is replaced (P3), under load. Each test leaves a whole site to the next one, so that
 * a host dies, is replaced, and then the other one dies.
 */
@Tag("rehearsal")
@Tag("trouble")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LostHostTest {
    private static final int RATE = 20;
    private static final Duration REPLACED = Duration.ofSeconds(60);

    private static RunningSite site;

    @BeforeAll
    static void up() throws Exception {
        site = new RunningSite('l');
    }

    @AfterAll
    static void down() throws Exception {
        site.close();
    }

    @BeforeEach
    void awaitWhole() {
        site.awaitWhole();
    }

    @Test
    @Order(1)
    void shouldNoticeTheLossOfAPlainHostInTimeAndReplaceItAtItsOwnAddress() {
        Machine busy = site.hostOf("certbot");
        Machine plain = site.other(busy);
        site.makeLeader(busy);

        Machine fresh = loseAndReplace("a plain host", plain, site.rehearsal()::terminate);

        assertThat(fresh.address()).isEqualTo(plain.address());
    }

    @Test
    @Order(2)
    void shouldNoticeTheLossOfTheLeaderInTimeAndReplaceItAtAnotherAddress() {
        Machine older = site.hosts().get(0);
        site.makeLeader(older);

        Machine fresh = loseAndReplace("the Raft leader", older, site.rehearsal()::replace);

        assertThat(fresh.address()).isNotEqualTo(older.address());
    }

    @Test
    @Order(3)
    void shouldNoticeTheLossOfTheHostThatRunsCertbotInTime() {
        Machine busy = site.hostOf("certbot");

        loseAndReplace("the host that runs certbot", busy, site.rehearsal()::terminate);

        Await.that(
                "certbot on the survivor",
                Duration.ofSeconds(60),
                () -> site.runningHosts().stream()
                        .anyMatch(host -> !site.containers(host, "certbot").isEmpty()));
    }

    /** Kills a host under load and has it replaced; returns the new one. */
    private static Machine loseAndReplace(String what, Machine victim, Consumer<Machine> replace) {
        Machine survivor = site.other(victim);
        Load load = site.rehearsal().startLoad(RATE);
        Await.that(
                "some requests",
                Duration.ofSeconds(20),
                () -> load.soFar().requests().size() > 3 * RATE);
        Instant death = Instant.now();
        site.rehearsal().kill(victim);
        Await.that(
                "both containers of the application on the survivor",
                Duration.ofSeconds(60),
                () -> site.containers(survivor, "app").size() == 2);
        Duration moved = Duration.between(death, Instant.now());
        awaitLater(death.plus(Noticed.by(site)).plusSeconds(5));

        replace.accept(victim);
        Machine fresh = awaitValue(
                "a new host",
                () -> site.hosts().stream()
                        .filter(host -> !host.instanceId().equals(victim.instanceId()) && !host.equals(survivor))
                        .findFirst()
                        .orElse(null));
        Instant boot = Instant.now();
        Await.that(
                "the signal of the new host",
                Duration.ofSeconds(180),
                () -> site.rehearsal().signal(fresh).isPresent());
        Duration complete = Duration.between(boot, Instant.now());
        site.awaitWhole();
        LoadResult result = load.stop();

        System.out.printf(
                "%s dies: window %.1f s of at most %.1f s; containers moved after %.1f s; replacement complete %.1f s after"
                        + " its boot, whole after %.1f s%n%s%n",
                what,
                result.window().toMillis() / 1000.0,
                Noticed.by(site).toMillis() / 1000.0,
                moved.toMillis() / 1000.0,
                complete.toMillis() / 1000.0,
                Duration.between(boot, Instant.now()).toMillis() / 1000.0,
                result.text());
        assertThat(result.requests()).hasSizeGreaterThan(30 * RATE);
        assertThat(Noticed.failuresBefore(result, death)).isEmpty();
        assertThat(result.failuresBetween(death.plus(Noticed.by(site)), Instant.MAX))
                .isEmpty();
        assertThat(complete).isLessThan(REPLACED);
        return fresh;
    }

    private static void awaitLater(Instant moment) {
        Await.that("a moment", Duration.ofMinutes(2), () -> Instant.now().isAfter(moment));
    }

    private static <T> T awaitValue(String what, Supplier<T> source) {
        return Await.value(what, Duration.ofMinutes(2), () -> Optional.ofNullable(source.get()));
    }
}
