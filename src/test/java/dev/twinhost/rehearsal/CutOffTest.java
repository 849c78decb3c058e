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

/** Machines lose each other, but not their power: there is never a second Swarm that acts, and everything joins up afterwards. Under load. */
@Tag("rehearsal")
@Tag("trouble")
class CutOffTest {
    private static final int RATE = 20;
    /** A request that is under way when the network comes back may be lost to that. */
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private static final Duration LASTS = Duration.ofSeconds(45);

    private static RunningSite site;

    private Load load;
    private Memory before;

    @BeforeAll
    static void up() throws Exception {
        site = new RunningSite('c');
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
    void mend() {
        site.rehearsal().mend();
        if (!load.ended()) {
            load.stop();
        }
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheLeaderIsCutOffFromTheOthers() {
        Machine leader = site.hosts().get(0);
        site.makeLeader(leader);

        live("the leader is cut off", () -> Acting.cutOff(site, leader));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheWitnessIsCutOffFromTheOthers() {
        live("the witness is cut off", () -> Acting.cutOff(site, site.witness()));
    }

    @Test
    void shouldHaveOneClusterThatActsWhenTheHostsAreCutOffFromEachOther() {
        List<Machine> hosts = site.hosts();

        live("the hosts are cut off from each other", () -> site.rehearsal().cutBoth(hosts.get(0), hosts.get(1)));
    }

    private void live(String what, Runnable cut) {
        Instant start = Instant.now();
        cut.run();
        Acting.assertOne(site, start.plus(LASTS));
        assertThat(Memory.of(site.rehearsal())).isEqualTo(before);
        site.rehearsal().mend();
        Instant mended = Instant.now();
        site.awaitWhole();
        LoadResult result = load.stop();

        System.out.printf(
                "%s for %d s: whole %.1f s after it was mended%n%s%n",
                what, LASTS.toSeconds(), Duration.between(mended, Instant.now()).toMillis() / 1000.0, result.text());
        assertThat(Memory.of(site.rehearsal())).isEqualTo(before);
        assertThat(Noticed.failuresBefore(result, start)).isEmpty();
        assertThat(result.failuresBetween(start.plus(Noticed.by(site)), mended.minus(LIMIT)))
                .isEmpty();
        assertThat(result.failuresBetween(mended.plus(Noticed.by(site)), Instant.MAX))
                .isEmpty();
    }
}
