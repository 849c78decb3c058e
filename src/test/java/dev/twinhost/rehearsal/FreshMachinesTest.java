package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;

/** Hosts and witness booted at the same moment, on empty disks and an empty storage, which CloudFormation never does. */
@Tag("rehearsal")
@Tag("extended")
class FreshMachinesTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final Commands COMMANDS = new Commands(Path.of(""), 'f');
    private static final Rehearsal REHEARSAL = COMMANDS.rehearsal();

    @BeforeAll
    static void prepare() throws Exception {
        COMMANDS.run("down");
        REHEARSAL.claim();
        REHEARSAL.synthesise(List.of());
        REHEARSAL.buildRootFileSystems();
        REHEARSAL.makeNetwork();
        REHEARSAL.startSurroundings();
    }

    @AfterAll
    static void end() {
        REHEARSAL.end();
    }

    @RepeatedTest(5)
    void shouldMakeOneSwarmOfThreeMachinesThatBootAtOnce() {
        ProcessWatch watch = new ProcessWatch("SWMTKN-", "th-" + COMMANDS.id());
        List<Machine> machines = REHEARSAL.launch(REHEARSAL.site().machineGroups());
        try {
            assertThat(machines).hasSize(3);
            for (Machine machine : machines) {
                Await.that("machine " + machine.name() + " to see three managers", LIMIT, () -> managers(machine) == 3);
            }
            Set<String> clusters = new TreeSet<>();
            machines.forEach(machine -> clusters.add(docker(machine, "info", "--format", "{{.Swarm.Cluster.ID}}")));
            assertThat(clusters).hasSize(1).doesNotContain("");
            assertThat(Folders.list(record().resolve("generations")))
                    .extracting(generation -> generation.getFileName().toString())
                    .containsExactly("1");
            assertThat(Folders.read(record().resolve("generations/1/cluster-id"))
                            .strip())
                    .isEqualTo(clusters.iterator().next());
            assertThat(watch.end()).isEmpty();
        } finally {
            watch.end();
            REHEARSAL.remove(machines);
            REHEARSAL.emptyStorage();
        }
    }

    private static Path record() {
        return REHEARSAL.state().storage(REHEARSAL.site().fileSystem()).resolve("swarm");
    }

    /** How many managers of its cluster a machine sees alive; 0 while it is in none. */
    private static long managers(Machine machine) {
        return docker(machine, "node", "ls", "--format", "{{.Status}} {{.ManagerStatus}}")
                .lines()
                .filter(line -> line.matches("Ready (Leader|Reachable)"))
                .count();
    }

    private static String docker(Machine machine, String... words) {
        List<String> all = Stream.concat(Stream.of("docker"), Stream.of(words)).toList();
        Command.Result result = REHEARSAL.inside(machine, all).result();
        return result.status() == 0 ? result.output().strip() : "";
    }

    /** Looks at every process of a cgroup, again and again, for a word in its arguments. */
    private static final class ProcessWatch {
        private static final Duration PAUSE = Duration.ofMillis(10);

        private final String word;
        private final String cgroup;
        private final Set<String> seen = new ConcurrentSkipListSet<>();
        private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

        ProcessWatch(String word, String cgroup) {
            this.word = word;
            this.cgroup = cgroup;
            thread.scheduleWithFixedDelay(this::lookAtAll, 0, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
        }

        Set<String> end() {
            thread.shutdown();
            return seen;
        }

        private void lookAtAll() {
            try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
                processes
                        .filter(process -> process.getFileName().toString().matches("\\d+"))
                        .forEach(this::look);
            } catch (IOException e) {
                seen.add("the watch itself failed: " + e);
            }
        }

        private void look(Path process) {
            try {
                String words = Files.readString(process.resolve("cmdline"));
                if (words.contains(word)
                        && Files.readString(process.resolve("cgroup")).contains(cgroup)) {
                    seen.add(words.replace('\0', ' '));
                }
            } catch (IOException endedMeanwhile) {
                return;
            }
        }
    }
}
