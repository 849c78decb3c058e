package dev.twinhost;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Runs the scripts of the hosts as they are, below a folder that plays the root of a machine ({@code TWINHOST_ROOT}),
 * with stand-ins first on the path. Of the environment of the tests nothing reaches them but the
 * programs that the test {@link Needs}.
 */
final class Shell {
    static final Path CHECKOUT = Path.of("").toAbsolutePath();
    private static final long LIMIT_SECONDS = 300;

    private final Path root;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Map<Process, Path> outputs = new ConcurrentHashMap<>();

    /** What a script left behind: its exit status, and what it said on both streams. */
    record Result(int status, String output) {
        String lastLine() {
            return output.lines().reduce("", (first, second) -> second);
        }
    }

    Shell(Path root) {
        this.root = root;
        environment.put("PATH", root.resolve("stand-ins") + ":" + Programs.path());
        environment.put("TWINHOST_ROOT", root.toString());
        environment.put("LANG", "C.UTF-8");
        try {
            Files.createDirectories(root.resolve("stand-ins"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        uptime(1000);
        pace(10);
        standIn("sleep", """
                read -r now _ <"$TWINHOST_ROOT/proc/uptime"
                echo "$((${now%.*} + $(<"$TWINHOST_ROOT/pace") * $1)).00 0.00" >"$TWINHOST_ROOT/proc/uptime"
                exec /bin/sleep 0.01""");
    }

    Shell with(String name, String value) {
        environment.put(name, value);
        return this;
    }

    Path path(String inRoot) {
        return root.resolve(inRoot);
    }

    /** Puts a file there, with the folders above it. */
    Path write(String inRoot, String content) {
        Path file = root.resolve(inRoot);
        try {
            Files.createDirectories(file.getParent());
            return Files.writeString(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String read(String inRoot) {
        try {
            return Files.readString(root.resolve(inRoot));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean exists(String inRoot) {
        return Files.exists(root.resolve(inRoot));
    }

    /** Stands in for a command; {@code script} is bash, and {@code $TWINHOST_ROOT} its folder for notes. */
    void standIn(String command, String script) {
        Path file = write("stand-ins/" + command, "#!/bin/bash\nset -u\n" + script + "\n");
        try {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sets the clock of the machine. It goes on only where a script sleeps. */
    void uptime(int seconds) {
        write("proc/uptime", seconds + ".00 0.00\n");
    }

    /** How many seconds a script's second of sleep takes on the machine's clock; almost none on the real one. */
    void pace(int seconds) {
        write("pace", seconds + "\n");
    }

    /** Runs a script of this checkout, or a command, and waits for its end. */
    Result run(String... command) {
        return await(start(command));
    }

    Result bash(String script) {
        return run("bash", "-c", script);
    }

    /** A verb of this checkout, as the machine runs it. */
    Result verb(String verb, String... arguments) {
        List<String> command = new ArrayList<>(List.of("bash", CHECKOUT + "/docker/host/twinhost", verb));
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }

    /** Reads or writes the cluster record by the agent's own code: src/test/python/record.py. */
    Result record(String... arguments) {
        List<String> command = new ArrayList<>(List.of("python3", "-B", CHECKOUT + "/src/test/python/record.py"));
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }

    /** Fills in the folder nginx/ of a release as a release does, into that folder of the machine's state. */
    Result render(String sha, String target) {
        return run("python3", "-B", CHECKOUT + "/src/test/python/render.py", sha, target);
    }

    Process start(String... command) {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(root.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(environment);
        try {
            Process process = builder.redirectOutput(
                            Files.createTempFile(root, "output-", ".txt").toFile())
                    .start();
            process.getOutputStream().close();
            outputs.put(process, builder.redirectOutput().file().toPath());
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Result await(Process process) {
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new AssertionError("Waited " + LIMIT_SECONDS + " s for "
                        + process.info().commandLine() + ", it said: " + Files.readString(outputs.get(process)));
            }
            return new Result(process.exitValue(), Files.readString(outputs.get(process)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
