package dev.twinhost.rehearsal.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The programs of the tools' root file system (HAProxy, dnsmasq, pebble, curl), run inside namespaces of the rehearsal. */
public final class Tools {
    private static final int LAST_LINES = 5;

    private final Path enter;
    private final Path tree;
    private final Cgroup cgroup;
    private final Path logs;

    public Tools(Path enter, Path tree, Cgroup cgroup, Path logs) {
        this.enter = enter;
        this.tree = tree;
        this.cgroup = cgroup;
        this.logs = logs;
    }

    /** A program that ends by itself; it sees the folder as /mnt. */
    public Command command(Namespace where, Path work, String... words) {
        return entering("tool", where.name(), work, Arrays.asList(words));
    }

    /** A program of this machine with the DNS and the authorities that stand in the folder. */
    public Command asVisitor(Namespace where, Path work, List<String> words) {
        return entering("visitor", where.name(), work, words);
    }

    /** A program that goes on running when this process has ended. */
    public Daemon daemon(String name, Namespace where, Path work, String... words) {
        Path log = log(name);
        return new Daemon(
                name, urgent("tool", where, work, Arrays.asList(words)).detached(log), log);
    }

    /** A program of this machine, not of the tools, that goes on running when this process has ended. */
    public Daemon ownDaemon(String name, Namespace where, List<String> words) {
        Path log = log(name);
        return new Daemon(name, urgent("own", where, logs, words).detached(log), log);
    }

    /** The same with the DNS and the authorities that stand in the folder. */
    public Daemon visitorDaemon(String name, Namespace where, Path work, List<String> words) {
        Path log = log(name);
        return new Daemon(name, urgent("visitor", where, work, words).detached(log), log);
    }

    /** Where a daemon's output goes. */
    public Path log(String name) {
        return logs.resolve(name + ".log");
    }

    /** A program of this machine that makes namespaces, outside of all of them. */
    public Daemon outsideDaemon(String name, List<String> words) {
        Path log = log(name);
        return new Daemon(name, entering("outside", "", logs, words).detached(log), log);
    }

    /** What is around the machines is many machines on AWS: where these wait for a processor, it should not. */
    private Command urgent(String how, Namespace where, Path work, List<String> words) {
        return entering(List.of("urgent", how), where.name(), work, words);
    }

    private Command entering(String how, String where, Path work, List<String> words) {
        return entering(List.of(how), where, work, words);
    }

    private Command entering(List<String> how, String where, Path work, List<String> words) {
        List<String> all = new ArrayList<>(List.of(enter.toString()));
        all.addAll(how);
        all.addAll(words);
        try {
            return Command.of(all)
                    .with("NETNS", where)
                    .with("CGROUP", cgroup.part("tools").toString())
                    .with("TOOLS", Files.exists(tree) ? tree.toRealPath().toString() : tree.toString())
                    .with("WORK", work.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A running daemon. */
    public record Daemon(String name, Process process, Path log) {
        /** Whether it has written anything to its log, for those that tell so that they are ready. */
        public boolean spoke() {
            return !Folders.read(log).isBlank();
        }

        /** Fails with the daemon's own last words if it has ended. */
        public boolean running() {
            if (!process.isAlive()) {
                List<String> lines = Folders.read(log).lines().toList();
                throw new Failure(name + " ended at once: "
                        + String.join("\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size())));
            }
            return true;
        }
    }
}
