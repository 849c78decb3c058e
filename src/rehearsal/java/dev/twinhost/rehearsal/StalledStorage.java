package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Cgroup;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The shared storage of one machine, which hangs for it alone: whoever touches it there waits, and obeys nothing but
 * SIGKILL. The processes that pass it through stand still, and a mark that the machine sees but cannot change lets every
 * later mount hang as well, so that booting again does not help.
 */
final class StalledStorage {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final String PASSES_THROUGH = "bindfs";

    private final Path mark;
    private final Cgroup processes;

    /**
     * @param folder the machine's folder
     * @param processes all of the machine's
     */
    StalledStorage(Path folder, Cgroup processes) {
        mark = folder.resolve("storage/stalled");
        this.processes = processes;
    }

    void begin() {
        Folders.make(mark.getParent());
        Folders.write(mark, "");
        signal("STOP");
        Await.that(
                "the shared storage to stand still",
                LIMIT,
                () -> passing().stream().allMatch(this::stopped));
    }

    void end() {
        try {
            Files.deleteIfExists(mark);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        signal("CONT");
    }

    boolean lasts() {
        return Files.exists(mark);
    }

    private void signal(String name) {
        // One that has ended meanwhile gets none, and needs none.
        passing().forEach(process -> Command.of("kill", "-" + name, process).result());
    }

    private List<String> passing() {
        return processes.processes().stream()
                .filter(process -> about(process, "comm").strip().equals(PASSES_THROUGH))
                .toList();
    }

    private boolean stopped(String process) {
        String status = about(process, "status");
        return status.isEmpty() || status.contains("\nState:\tT");
    }

    private static String about(String process, String file) {
        try {
            return Files.readString(Path.of("/proc", process, file));
        } catch (IOException ended) {
            return "";
        }
    }
}
