package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import java.time.Instant;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A site of two managers, of which one is lost, and the quorum with it (P6). */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(5)
class WithoutWitnessTest {
    @RegisterExtension
    static final TroubledSite site = new TroubledSite('w', "-c", "witness=false");

    @Test
    void shouldRebuildAroundTheSurvivorWhenOneOfTwoHostsDies() {
        Machine victim = site.hosts().get(0);
        Machine survivor = site.other(victim);
        Instant death = site.kill(victim);
        site.rehearsal().terminate(victim);

        Boot founded = site.awaitFounder();
        site.awaitWhole();

        LoadResult result = site.endLoad("one of two hosts dies, without a witness: the founder serves %s", founded);
        Noticed.assertAllThatWasLost(site, result, death);
        assertThat(site.hosts()).contains(survivor);
        Memory after = Memory.of(site.rehearsal());
        assertThat(after.generation()).isEqualTo(site.before().generation() + 1);
        assertThat(after.certificate()).isEqualTo(site.before().certificate());
        assertThat(founded.own()).isLessThan(LostQuorumTest.REBUILT);
    }
}
