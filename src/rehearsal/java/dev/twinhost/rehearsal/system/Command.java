package dev.twinhost.rehearsal.system;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A program of this machine that is run to its end. */
public final class Command {
    private final List<String> words;
    private final Map<String, String> environment = new HashMap<>();
    private String input = "";
    private Path folder;

    private Command(List<String> words) {
        this.words = words;
    }

    public static Command of(String... words) {
        return of(Arrays.asList(words));
    }

    public static Command of(List<String> words) {
        return new Command(new ArrayList<>(words));
    }

    public Command input(String text) {
        input = text;
        return this;
    }

    public Command with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    public Command in(Path workingFolder) {
        folder = workingFolder;
        return this;
    }

    /** What it wrote to its standard output; a failure tells what it wrote to its standard error. */
    public String run() {
        Result result = result();
        if (result.status() != 0) {
            throw new Failure(String.join(" ", words) + " failed with status " + result.status()
                    + (result.error().isBlank() ? "" : ": " + result.error().strip()));
        }
        return result.output();
    }

    public Result result() {
        try {
            Process process = builder(words).start();
            CompletableFuture<String> error = CompletableFuture.supplyAsync(
                    () -> text(process.getErrorStream()), task -> new Thread(task).start());
            try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException ended) {
                // It ended without reading everything: its status says more than a broken pipe.
            }
            String output = text(process.getInputStream());
            return new Result(process.waitFor(), output, error.join());
        } catch (IOException e) {
            throw new Failure(words.get(0) + " cannot be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw new Failure(words.get(0) + " was interrupted", e);
        }
    }

    /** Runs it with this process's own input and output, and returns its exit status. */
    public int attached() {
        try {
            return builder(words).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw new Failure(words.get(0) + " cannot be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw new Failure(words.get(0) + " was interrupted", e);
        }
    }

    /** Starts it in a session of its own, without input, its output appended to a file; it outlives this process. */
    public Process detached(Path log) {
        List<String> all = new ArrayList<>(List.of("setsid"));
        all.addAll(words);
        try {
            return builder(all)
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new Failure(words.get(0) + " cannot be run: " + e.getMessage(), e);
        }
    }

    private ProcessBuilder builder(List<String> all) {
        ProcessBuilder builder = new ProcessBuilder(all);
        builder.environment().putAll(environment);
        if (folder != null) {
            builder.directory(folder.toFile());
        }
        return builder;
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How it ended and what it wrote. */
    public record Result(int status, String output, String error) {}
}
