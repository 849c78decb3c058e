package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two of three managers, or all of them, are lost at once (P6, P7), under load: the site rebuilds itself around its storage. */
@Tag("rehearsal")
@Tag("trouble")
@Order(1)
class LostQuorumTest {
    static final Duration REBUILT = Duration.ofSeconds(120);

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('q');

    @Test
    void shouldRebuildAroundTheSurvivingHostWhenTheLeaderAndTheWitnessDie() {
        Machine victim = site.hosts().get(0);
        site.makeLeader(victim);
        Machine witness = site.witness();
        Instant death = site.kill(victim);
        site.kill(witness);
        List.of(victim, witness).forEach(site.rehearsal()::terminate);

        LoadResult result = rebuild("the leader and the witness die", () -> {});

        Noticed.assertAllThatWasLost(site, result, death);
    }

    @Test
    @Tag("extended")
    void shouldRebuildWhenBothHostsDieAndTheWitnessLives() {
        List<Machine> hosts = site.hosts();
        hosts.forEach(site::kill);
        hosts.forEach(site.rehearsal()::terminate);

        rebuildFromNothing("both hosts die", () -> {});
    }

    @Test
    @Tag("extended")
    void shouldStartAgainFromTheStorageWhenEveryMachineIsLost() {
        List<Machine> all = site.machines();
        all.forEach(site::kill);
        all.forEach(site.rehearsal()::terminate);

        rebuildFromNothing("every machine dies", () -> {});
    }

    @Test
    @Tag("extended")
    void shouldTakeInTwoManagersThatComeBackAfterANewClusterWasFounded() {
        Machine lost = site.hosts().get(0);
        Machine stopped = site.hosts().get(1);
        Machine witness = site.witness();
        List.of(lost, stopped, witness).forEach(site::kill);
        site.rehearsal().terminate(lost);

        rebuildFromNothing("every machine dies, and two come back to a new cluster", () -> {
            site.rehearsal().start(stopped);
            site.rehearsal().start(witness);
        });

        assertThat(site.machines()).contains(stopped, witness);
    }

    @Test
    @Tag("extended")
    void shouldHaveAMachineReplacedWhenTheEnginesOfBothHostsAreDeadThoughTheyRun() {
        List<Machine> hosts = site.hosts();
        site.limit("LEADERLESS=40");
        hosts.parallelStream()
                .forEach(host -> site.inside(host, "systemctl", "stop", "docker.service", "docker.socket"));

        rebuildFromNothing("the engines of both hosts are dead, and ten minutes are 40 s", () -> {
            Machine other =
                    hosts.stream().filter(site.hosts()::contains).findFirst().orElseThrow();
            site.inside(other, "systemctl", "start", "docker.service");
        });

        assertThat(site.hosts()).isNotEqualTo(hosts);
    }

    /** No host is left: visitors are without the site until a machine has founded the next cluster, and then with it. */
    private static void rebuildFromNothing(String what, Runnable then) {
        Instant[] serves = {null};
        LoadResult result = rebuild(what, () -> {
            serves[0] = Instant.now();
            then.run();
        });
        assertThat(result.failuresBetween(serves[0], Instant.MAX))
                .as("failures when the founder serves")
                .isEmpty();
    }

    /** Waits for a founder, does what comes then, and waits for the whole site: with the same certificate, account and no new order. */
    private static LoadResult rebuild(String what, Runnable then) {
        Boot founded = site.awaitFounder();
        then.run();
        site.awaitWhole();

        LoadResult result = site.endLoad("%s: the founder serves %s", what, founded);
        Memory after = Memory.of(site.rehearsal());
        assertThat(after.generation()).isEqualTo(site.before().generation() + 1);
        assertThat(after.account()).isEqualTo(site.before().account());
        assertThat(after.certificate()).isEqualTo(site.before().certificate());
        assertThat(after.orders()).isEqualTo(site.before().orders());
        assertThat(founded.own()).isLessThan(REBUILT);
        return result;
    }
}
