package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Machines lose each other, but not their power: there is never a second Swarm that acts, and everything joins up afterwards. Under load. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(3)
class CutOffTest {
    /** A request that is under way when the network comes back may be lost to that. */
    private static final Duration UNDER_WAY = Duration.ofSeconds(5);

    private static final Duration LASTS = Duration.ofSeconds(45);

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('c');

    @Test
    void shouldHaveOneClusterThatActsWhenTheLeaderIsCutOffFromTheOthers() {
        Machine leader = leader();

        live("the leader is cut off", () -> site.rehearsal().isolate(leader));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheLeaderHearsTheOthersButIsNotHeard() {
        Machine leader = leader();

        live("the leader is not heard", () -> site.rehearsal().mute(leader));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenAPlainHostIsCutOffFromTheOthers() {
        Machine plain = site.other(leader());

        live("a plain host is cut off", () -> site.rehearsal().isolate(plain));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheWitnessIsCutOffFromTheOthers() {
        live("the witness is cut off", () -> site.rehearsal().isolate(site.witness()));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheHostsAreCutOffFromEachOther() {
        List<Machine> hosts = site.hosts();

        live("the hosts are cut off from each other", () -> site.rehearsal().cutBoth(hosts.get(0), hosts.get(1)));
    }

    @Test
    void shouldHealThroughAnotherManagerWhenTheLeaderIsCutOffFromTheStorage() {
        Machine leader = leader();
        Machine witness = site.witness();
        site.rehearsal().stall(leader);
        site.kill(witness);
        site.rehearsal().terminate(witness);

        Machine fresh = site.successor(witness);
        Boot complete = site.boot(fresh);
        Await.that(
                "the node of the dead witness to be removed",
                Duration.ofSeconds(240),
                () -> site.inside(leader, "docker", "node", "ls", "-q").lines().count() == 3);
        assertThat(site.leader()).contains(leader);
        assertThat(Acting.clusters(site)).hasSize(1);
        site.rehearsal().unstall(leader);
        site.awaitWhole();

        LoadResult result =
                site.endLoad("the witness dies while the leader has no storage: the next one complete %s", complete);
        assertThat(result.failures()).isEmpty();
    }

    private static Machine leader() {
        Machine leader = site.hosts().get(0);
        site.makeLeader(leader);
        return leader;
    }

    private static void live(String what, Runnable cut) {
        Instant start = Instant.now();
        cut.run();
        Acting.assertOne(site, start.plus(LASTS));
        assertThat(Memory.of(site.rehearsal())).isEqualTo(site.before());
        site.rehearsal().mend();
        Instant mended = Instant.now();
        site.awaitWhole();

        LoadResult result = site.endLoad(
                "%s for %d s: whole %.1f s after it was mended",
                what, LASTS.toSeconds(), Duration.between(mended, Instant.now()).toMillis() / 1000.0);
        assertThat(Memory.of(site.rehearsal())).isEqualTo(site.before());
        assertThat(Noticed.failuresBefore(result, start)).isEmpty();
        assertThat(result.failuresBetween(start.plus(Noticed.by(site)), mended.minus(UNDER_WAY)))
                .as("failures when the balancer has noticed")
                .isEmpty();
        assertThat(result.failuresBetween(mended.plus(Noticed.by(site)), Instant.MAX))
                .as("failures afterwards")
                .isEmpty();
    }
}
