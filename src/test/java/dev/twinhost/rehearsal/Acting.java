package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Who may change something. */
final class Acting {
    private static final Duration PAUSE = Duration.ofSeconds(5);

    private Acting() {}

    /** The clusters of which a machine both sees a leader and has the right to act. */
    static Set<String> clusters(RunningSite site) {
        Set<String> acting = new TreeSet<>();
        for (Machine machine : site.machines()) {
            if (!site.rehearsal().script(machine).running()) {
                continue;
            }
            Optional<JsonNode> status = site.status(machine);
            if (status.isPresent()
                    && status.get().at("/machine/mayAct").asBoolean()
                    && !status.get().path("nodes").isNull()) {
                acting.add(site.attempt(machine, "timeout", "5", "docker", "info", "--format", "{{.Swarm.Cluster.ID}}")
                        .output()
                        .strip());
            }
        }
        acting.remove("");
        return acting;
    }

    /** Looks every few seconds until a moment, and fails as soon as two clusters act. */
    static void assertOne(RunningSite site, Instant until) {
        while (Instant.now().isBefore(until)) {
            assertThat(clusters(site)).as("clusters that act").hasSizeLessThan(2);
            Instant next = Instant.now().plus(PAUSE);
            Await.that(
                    "the next look", Duration.ofMinutes(1), () -> Instant.now().isAfter(next));
        }
    }
}
