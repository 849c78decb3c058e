package dev.twinhost.rehearsal.machines;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Boots, enters and kills one machine, through machine.sh. */
public final class MachineScript {
    private final Path script;
    private final Path folder;

    public MachineScript(Path script, Path folder) {
        this.script = script;
        this.folder = folder;
    }

    /** Writes what the machine is made from. Values may hold anything but a single quote. */
    public void prepare(Map<String, String> environment, String userData) {
        Folders.write(
                folder.resolve("machine.env"),
                environment.entrySet().stream()
                        .map(entry -> entry.getKey() + "='" + entry.getValue() + "'\n")
                        .sorted()
                        .collect(Collectors.joining()));
        Folders.write(folder.resolve("user-data"), userData);
    }

    /** Boots it, from the disk that it has or from a new one; returns when its PID 1 runs. */
    public void start() {
        call("start").run();
    }

    /** Asks its PID 1 to power off; returns at once. */
    public void shutDown() {
        call("shutdown").run();
    }

    /** Cuts its power; returns when no process of it is left. Its disk stays. */
    public void kill() {
        call("kill").run();
    }

    /** Kills it and deletes its disk. */
    public void remove() {
        call("remove").run();
    }

    /** A command inside it. */
    public Command inside(List<String> words) {
        return call("exec", words.toArray(String[]::new));
    }

    public boolean running() {
        Path pid = folder.resolve("init.pid");
        try {
            return Files.exists(pid)
                    && Files.exists(Path.of("/proc", Folders.read(pid).strip()));
        } catch (UncheckedIOException endedMeanwhile) {
            return false;
        }
    }

    /** Whether its PID 1 has ended by itself, to be started again. */
    public boolean rebooted() {
        return ended("rebooted");
    }

    /** Whether its PID 1 has ended by itself, for good. */
    public boolean poweredOff() {
        return ended("powered-off");
    }

    /** A file of the machine as it sees it itself, while it runs. */
    public Path file(String path) {
        return Path.of("/proc", Folders.read(folder.resolve("init.pid")).strip(), "root", path);
    }

    /** A file on its disk, only what it has written itself; where the disk has a size of its own, only while it runs. */
    public Path diskFile(String path) {
        if (Files.exists(folder.resolve("disk/image")) && running()) {
            return file(path);
        }
        return folder.resolve("disk/upper").resolve(path.replaceFirst("^/", ""));
    }

    public Path console() {
        return folder.resolve("console.log");
    }

    private boolean ended(String how) {
        try {
            return Files.readString(folder.resolve("ended")).strip().equals(how);
        } catch (IOException itRuns) {
            return false;
        }
    }

    private Command call(String verb, String... words) {
        List<String> all = new ArrayList<>(List.of(script.toString(), verb, folder.toString()));
        all.addAll(List.of(words));
        return Command.of(all);
    }
}
