package dev.twinhost;

import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Networks, root file systems and processes that a script of a test makes in namespaces of its own and keeps until this
 * is closed; they end with this process, however it ends. Needs root, and makes the tools' tree if it is not there.
 */
final class Enclosure implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Path script;
    private final Path work;
    private final Path cache;
    private final Process keeper;

    /** @param work the script's folder, in which its log is surroundings.log */
    Enclosure(Path script, Path work) throws IOException {
        this.script = script;
        this.work = work;
        RootFileSystems.tree("tools");
        cache = RootFileSystems.cache();
        ProcessBuilder open = environment(new ProcessBuilder("bash", script.toString(), "open"));
        open.environment().put("CACHE", cache.toString());
        Path log = work.resolve("surroundings.log");
        keeper = open.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            Await.that("the surroundings", LIMIT, () -> {
                if (!keeper.isAlive()) {
                    throw new AssertionError("The surroundings ended at once: " + Folders.read(log));
                }
                return Folders.read(log).contains("ready");
            });
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Calls a function of the script inside, with nothing in its environment but what it needs itself. */
    ProcessBuilder entering(String function, List<String> words) {
        long first;
        try (Stream<ProcessHandle> children = keeper.children()) {
            first = children.findFirst().orElseThrow().pid();
        }
        List<String> all = new ArrayList<>(List.of("nsenter", "--target", Long.toString(first)));
        all.addAll(List.of("--mount", "--net", "--pid", "--", "bash", script.toString(), function));
        all.addAll(words);
        return environment(new ProcessBuilder(all));
    }

    private ProcessBuilder environment(ProcessBuilder builder) {
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        builder.environment().put("WORK", work.toString());
        builder.environment().put("CHECKOUT", Shell.CHECKOUT.toString());
        return builder;
    }

    @Override
    public void close() {
        try {
            keeper.getOutputStream().close(); // it ends with its input, and takes every process and mount with it
            if (!keeper.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                keeper.destroyForcibly().waitFor();
            }
            Files.deleteIfExists(cache.resolve("users/enclosure-" + keeper.pid()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
