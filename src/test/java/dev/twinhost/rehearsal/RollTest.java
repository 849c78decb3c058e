package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Command;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every machine is replaced by CloudFormation's rolling update (P4), under load. */
@Tag("rehearsal")
@Tag("trouble")
@Order(6)
class RollTest {
    /** Leadership moves on when the leader steps down; an election takes a few seconds, on a busy machine more. */
    private static final Duration ELECTION = Duration.ofSeconds(30);

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('r');

    @Test
    void shouldReplaceEveryMachineWithoutALostRequestOrALostQuorum() throws Exception {
        List<Machine> before = site.machines();
        List<String> votes = new ArrayList<>();
        List<Instant> seen = new ArrayList<>(List.of(Instant.now()));
        ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor();
        watch.scheduleWithFixedDelay(
                () -> majority().ifPresent(vote -> {
                    seen.add(Instant.now());
                    if (!vote.isEmpty()) {
                        votes.add(vote);
                    }
                }),
                0,
                1,
                TimeUnit.SECONDS);

        Commands.Run roll = site.commands().run("roll");
        site.awaitWhole();
        seen.add(Instant.now());
        watch.shutdownNow();

        LoadResult result = site.endLoad("every machine is replaced%n%s", roll.output());
        assertThat(roll.status()).as(roll.output()).isZero();
        assertThat(roll.output()).containsPattern("At most [456] machines existed at the same time");
        assertThat(site.machines())
                .extracting(Machine::instanceId)
                .doesNotContainAnyElementsOf(
                        before.stream().map(Machine::instanceId).toList());
        assertThat(result.failures()).isEmpty();
        assertThat(votes).as("moments without a majority").isEmpty();
        for (int i = 1; i < seen.size(); i++) {
            assertThat(Duration.between(seen.get(i - 1), seen.get(i)))
                    .as("time without a leader")
                    .isLessThan(ELECTION);
        }
    }

    /** What the leader says of the managers where they have no majority, an empty text where they have; nothing where nobody leads. */
    private static Optional<String> majority() {
        for (Machine machine : site.machines()) {
            if (site.rehearsal().script(machine).running()) {
                Command.Result result =
                        site.attempt(machine, "timeout", "5", "docker", "node", "ls", "--format", "{{.ManagerStatus}}");
                if (result.status() == 0) {
                    List<String> managers = result.output()
                            .lines()
                            .filter(line -> !line.isBlank())
                            .toList();
                    long reachable = managers.stream()
                            .filter(line -> !line.equals("Unreachable"))
                            .count();
                    return Optional.of(2 * reachable > managers.size() ? "" : managers.toString());
                }
            }
        }
        return Optional.empty();
    }
}
