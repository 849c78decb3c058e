package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two of three managers, or all of them, are lost at once (P6, P7), under load: the site rebuilds itself around its storage. */
@Tag("rehearsal")
@Tag("trouble")
class LostQuorumTest {
    private static final int RATE = 20;
    private static final Duration REBUILT = Duration.ofSeconds(120);

    private static RunningSite site;

    private Load load;
    private Memory before;

    @BeforeAll
    static void up() throws Exception {
        site = new RunningSite('q');
    }

    @AfterAll
    static void down() throws Exception {
        site.close();
    }

    @BeforeEach
    void beginOnAWholeSite() {
        site.awaitWhole();
        before = Memory.of(site.rehearsal());
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
    void shouldRebuildAroundTheSurvivingHostWhenTheLeaderAndTheWitnessDie() {
        Machine victim =
                site.leader().filter(site.hosts()::contains).orElse(site.hosts().get(0));
        site.makeLeader(victim);
        Machine witness = site.witness();
        Instant death = Instant.now();
        site.rehearsal().kill(victim);
        site.rehearsal().kill(witness);
        site.rehearsal().terminate(victim);
        site.rehearsal().terminate(witness);

        Duration rebuilt = awaitFounder();
        site.awaitWhole();
        LoadResult result = end("the leader and the witness die", rebuilt);

        assertThat(Noticed.failuresBefore(result, death)).isEmpty();
        assertThat(result.failuresBetween(death.plus(Noticed.by(site)), Instant.MAX))
                .isEmpty();
    }

    @Test
    void shouldRebuildWhenBothHostsDieAndTheWitnessLives() {
        List<Machine> hosts = site.hosts();
        hosts.forEach(site.rehearsal()::kill);
        hosts.forEach(site.rehearsal()::terminate);

        Duration rebuilt = awaitFounder();
        Instant serves = Instant.now();
        site.awaitWhole();
        LoadResult result = end("both hosts die", rebuilt);

        assertThat(result.failuresBetween(serves, Instant.MAX)).isEmpty();
    }

    @Test
    void shouldStartAgainFromTheStorageWhenEveryMachineIsLost() {
        List<Machine> all = site.machines();
        all.forEach(site.rehearsal()::kill);
        all.forEach(site.rehearsal()::terminate);

        Duration rebuilt = awaitFounder();
        Instant serves = Instant.now();
        site.awaitWhole();
        LoadResult result = end("every machine dies", rebuilt);

        assertThat(result.failuresBetween(serves, Instant.MAX)).isEmpty();
    }

    @Test
    void shouldTakeInTwoManagersThatComeBackAfterANewClusterWasFounded() {
        Machine lost = site.hosts().get(0);
        Machine stopped = site.hosts().get(1);
        Machine witness = site.witness();
        List.of(lost, stopped, witness).forEach(site.rehearsal()::kill);
        site.rehearsal().terminate(lost);
        Duration rebuilt = awaitFounder();
        Instant serves = Instant.now();

        site.rehearsal().start(stopped);
        site.rehearsal().start(witness);
        site.awaitWhole();
        LoadResult result = end("two managers come back to a new cluster", rebuilt);

        assertThat(result.failuresBetween(serves, Instant.MAX)).isEmpty();
        assertThat(site.machines())
                .extracting(Machine::instanceId)
                .contains(stopped.instanceId(), witness.instanceId());
    }

    @Test
    void shouldHaveAMachineReplacedWhenTheEnginesOfBothHostsAreDeadThoughTheyRun() {
        List<Machine> hosts = site.hosts();
        site.limit("LEADERLESS=40");
        hosts.forEach(host -> site.inside(host, "systemctl", "stop", "docker.service", "docker.socket"));
        Await.that(
                "one of the hosts to be replaced",
                Duration.ofSeconds(240),
                () -> !site.hosts().containsAll(hosts));
        Duration rebuilt = awaitFounder();
        Instant serves = Instant.now();
        Machine other =
                hosts.stream().filter(site.hosts()::contains).findFirst().orElseThrow();

        site.inside(other, "systemctl", "start", "docker.service");
        site.awaitWhole();
        LoadResult result = end("the engines of both hosts are dead", rebuilt);

        assertThat(result.failuresBetween(serves, Instant.MAX)).isEmpty();
    }

    /** Waits until a new generation has a founder that serves; returns the time since that machine's boot. */
    private Duration awaitFounder() {
        Await.that(
                "a machine to found",
                Duration.ofSeconds(300),
                () -> Memory.of(site.rehearsal()).generation() > before.generation());
        String founder = Memory.of(site.rehearsal()).founder();
        Machine machine = site.machines().stream()
                .filter(candidate -> candidate.instanceId().equals(founder))
                .findFirst()
                .orElseThrow();
        Await.that(
                "the founder to signal",
                Duration.ofSeconds(200),
                () -> site.rehearsal().signal(machine).isPresent());
        return site.uptime(machine);
    }

    private LoadResult end(String what, Duration rebuilt) {
        LoadResult result = load.stop();
        System.out.printf(
                "%s: rebuilt %.1f s after the boot of the founder%n%s%n",
                what, rebuilt.toMillis() / 1000.0, result.text());
        Memory after = Memory.of(site.rehearsal());
        assertThat(after.generation()).isEqualTo(before.generation() + 1);
        assertThat(after.account()).isEqualTo(before.account());
        assertThat(after.certificate()).isEqualTo(before.certificate());
        assertThat(after.orders()).isEqualTo(before.orders());
        assertThat(rebuilt).isLessThan(REBUILT);
        return result;
    }
}
