package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A host loses its power (P2) and is replaced (P3), under load. Each test leaves a whole site to the next one, so that
 * a host dies, is replaced, and then the other one dies.
 */
@Tag("rehearsal")
@Tag("trouble")
@Order(2)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LostHostTest {
    private static final Duration REPLACED = Duration.ofSeconds(60);

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('l');

    @Test
    @Order(1)
    void shouldNoticeTheLossOfAPlainHostInTimeAndReplaceItAtItsOwnAddress() {
        Machine busy = site.hostOf("certbot");
        Machine plain = site.other(busy);
        site.makeLeader(busy);

        Machine fresh = replace("a plain host dies", plain, site.kill(plain), site.rehearsal()::terminate);

        assertThat(fresh.address()).isEqualTo(plain.address());
    }

    @Test
    @Tag("extended")
    @Order(2)
    void shouldKeepTheLineageAndBeReplacedUnaskedWhenTheHostDiesThatIsRenewingTheCertificate() {
        site.limit("DOWN=20");
        Machine renews = site.hostOf("certbot");
        CompletableFuture<?> renewal = CompletableFuture.runAsync(() -> new Renewal(site.rehearsal(), renews).order());
        Await.that(
                "an order of the renewal",
                Duration.ofSeconds(60),
                () -> Memory.of(site.rehearsal()).orders() > site.before().orders());
        Instant death = site.kill(renews);
        renewal.join();

        // Nobody tells its group: the cluster itself has it replaced. It would wait while one that a test before had
        // replaced still warms up.
        replace("a host dies that is renewing the certificate", renews, death, lost -> {});
        assertThat(site.rehearsal().instance(renews)).get().matches(instance -> !instance.healthy());
        Memory after = Memory.of(site.rehearsal());
        assertThat(after.lineages()).isEqualTo(site.before().lineages());
        assertThat(after.account()).isEqualTo(site.before().account());
        Machine next = site.hostOf("certbot");
        site.renew(next);
        Await.that(
                "the renewed certificate on both hosts",
                Duration.ofSeconds(60),
                () -> site.served(site.other(next)).equals(site.served(next)));
        assertThat(Memory.of(site.rehearsal()).lineages())
                .isEqualTo(site.before().lineages());
    }

    @Test
    @Tag("extended")
    @Order(3)
    void shouldNoticeTheLossOfTheHostThatRunsCertbotInTime() {
        Machine busy = site.hostOf("certbot");

        replace("the host that runs certbot dies", busy, site.kill(busy), site.rehearsal()::terminate);

        assertThat(site.hostOf("certbot")).isNotEqualTo(busy);
    }

    @Test
    @Tag("extended")
    @Order(4)
    void shouldNoticeTheLossOfAHostInTimeThatIsInTheMiddleOfARelease() throws Exception {
        // The host that comes first runs the release, and dies while its own edge is exchanged.
        Machine releases = site.runningHosts().get(0);
        try (TreeCopy tree = new TreeCopy().append("nginx/conf.d/site.conf", "\n# A change that every edge takes.\n")) {
            Rehearsal changed = new Commands(tree.folder(), 'l').rehearsal();
            CompletableFuture<List<MachineRelease>> release =
                    CompletableFuture.supplyAsync(() -> changed.release(Map.of()));
            Await.that(
                    "the edge of host " + releases.name() + " to be exchanged",
                    Duration.ofSeconds(180),
                    () -> site.health(releases).stream().anyMatch(state -> !state.equals("healthy")));
            Instant death = site.kill(releases);
            assertThat(release.join()).noneMatch(MachineRelease::succeeded);

            replace("a host dies in the middle of a release", releases, death, site.rehearsal()::terminate);
            assertThat(changed.release(Map.of()))
                    .filteredOn(result -> site.machines().contains(result.machine()))
                    .hasSize(3)
                    .allMatch(MachineRelease::succeeded);
        }
        site.awaitWhole();
    }

    @Test
    @Tag("extended")
    @Order(5)
    void shouldNoticeTheLossOfTheLeaderInTimeAndReplaceItAtAnotherAddress() {
        Machine older = site.hosts().get(0);
        site.makeLeader(older);

        Machine fresh = replace("the Raft leader dies", older, site.kill(older), site.rehearsal()::replace);

        assertThat(fresh.address()).isNotEqualTo(older.address());
    }

    /** Under a load that goes on: waits for what Swarm does, has a dead host replaced, and returns the new one. */
    private static Machine replace(String what, Machine victim, Instant death, Consumer<Machine> replace) {
        Machine survivor = site.other(victim);
        Await.that(
                "both containers of the application on the survivor",
                Duration.ofSeconds(60),
                () -> site.containers(survivor, "app").size() == 2);
        Duration moved = Duration.between(death, Instant.now());
        Instant noticed = death.plus(Noticed.by(site)).plusSeconds(5);
        Await.that("the balancer", Duration.ofMinutes(1), () -> Instant.now().isAfter(noticed));

        replace.accept(victim);
        Machine fresh = site.successor(victim, survivor);
        Boot complete = site.boot(fresh);
        site.awaitWhole();

        LoadResult result = site.endLoad(
                "%s: containers moved after %.1f s; the next one complete %s, site whole after %d s",
                what, moved.toMillis() / 1000.0, complete, site.uptime(fresh).toSeconds());
        Noticed.assertAllThatWasLost(site, result, death);
        assertThat(complete.own()).isLessThan(REPLACED);
        return fresh;
    }
}
