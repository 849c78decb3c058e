package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Everything on this machine that belongs to a rehearsal: what has to be empty after {@code down}. */
final class Leftovers {
    private final String id;

    Leftovers(String id) {
        this.id = id;
    }

    /** One line for each thing found. */
    List<String> find() throws IOException {
        List<String> found = new ArrayList<>();
        String name = "th-" + id;
        Path state = StateFolder.of(id).root();
        for (Path process : list(Path.of("/proc"))) {
            if (process.getFileName().toString().matches("\\d+")) {
                String cgroup = read(process.resolve("cgroup"));
                String words = read(process.resolve("cmdline")).replace('\0', ' ');
                // Of one that has ended, the machine's own init has only not taken notice yet.
                boolean ended = read(process.resolve("status")).contains("State:\tZ");
                if (!ended && (cgroup.contains(name) || words.contains(name) || words.contains(state.toString()))) {
                    found.add("process " + process.getFileName() + " " + words);
                }
            }
        }
        read(Path.of("/proc/self/mountinfo"))
                .lines()
                .filter(line -> line.contains(name) || line.contains(state.toString()))
                .forEach(line -> found.add("mount " + line));
        Command.of("ip", "netns", "list")
                .run()
                .lines()
                .filter(line -> line.startsWith(name))
                .forEach(line -> found.add("namespace " + line));
        for (Path hierarchy : cgroups()) {
            if (Files.exists(hierarchy.resolve(name))) {
                found.add("cgroup " + hierarchy.resolve(name));
            }
        }
        if (Files.exists(state)) {
            found.add("folder " + state);
        }
        return found;
    }

    /** The network links of the machine itself, which no rehearsal may add to. */
    static String links() {
        return Command.of("ip", "-o", "link", "show")
                .run()
                .lines()
                .map(line -> line.split(":")[1])
                .sorted()
                .toList()
                .toString();
    }

    private static List<Path> cgroups() {
        return read(Path.of("/proc/mounts"))
                .lines()
                .map(line -> line.split(" "))
                .filter(mount -> mount[2].startsWith("cgroup"))
                .map(mount -> Path.of(mount[1]))
                .toList();
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        }
    }

    /** A file of /proc; nothing where its process has ended meanwhile. */
    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException ended) {
            return "";
        }
    }
}
