package dev.twinhost.rehearsal.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder of cgroup v2 that every process of a rehearsal lives in, machines and daemons and the commands themselves:
 * who ends it has ended them all, whoever started them and however that one ended.
 */
public final class Cgroup {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Path folder;

    private Cgroup(Path folder) {
        this.folder = folder;
    }

    public static Cgroup named(String name) {
        return new Cgroup(root().resolve(name));
    }

    public static Cgroup at(Path folder) {
        return new Cgroup(folder);
    }

    public Path folder() {
        return folder;
    }

    /** A folder within it, made if it is missing. */
    public Path part(String name) {
        try {
            return Files.createDirectories(folder.resolve(name));
        } catch (IOException e) {
            throw new Failure("No cgroup can be made in " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Moves this very process into it. */
    public void enter() {
        try {
            Files.writeString(part("command").resolve("cgroup.procs"), "0");
        } catch (IOException e) {
            throw new Failure("This process cannot enter " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Moves this very process to the root of all, so that what is left of the folder can be ended. */
    public void leave() {
        try {
            Files.writeString(folder.resolveSibling("cgroup.procs"), "0");
        } catch (IOException e) {
            throw new Failure("This process cannot leave " + folder + ": " + e.getMessage(), e);
        }
    }

    /** The ids of all processes in it and in its parts, as this machine counts them. */
    public List<String> processes() {
        List<String> found = new ArrayList<>();
        collect(folder, found);
        return found;
    }

    private static void collect(Path part, List<String> found) {
        try (Stream<Path> entries = Files.list(part)) {
            found.addAll(Files.readAllLines(part.resolve("cgroup.procs")));
            entries.filter(Files::isDirectory).forEach(inner -> collect(inner, found));
        } catch (IOException goneMeanwhile) {
            return;
        }
    }

    public boolean populated() {
        try {
            return Files.readString(folder.resolve("cgroup.events")).contains("populated 1");
        } catch (IOException e) {
            return false;
        }
    }

    public void end() {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try {
            Files.writeString(folder.resolve("cgroup.kill"), "1");
            Await.that("the end of every process in " + folder, LIMIT, () -> !populated());
            try (Stream<Path> tree = Files.walk(folder)) {
                List<Path> folders = tree.filter(Files::isDirectory)
                        .sorted(Comparator.reverseOrder())
                        .toList();
                for (Path each : folders) {
                    Files.delete(each);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path root() {
        try (Stream<String> mounts = Files.lines(Path.of("/proc/mounts"))) {
            return mounts.map(line -> line.split(" "))
                    .filter(mount -> mount[2].equals("cgroup2"))
                    .map(mount -> Path.of(mount[1]))
                    .findFirst()
                    .orElseThrow(() -> new Failure("No cgroup v2 is mounted here; type: mkdir -p"
                            + " /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
