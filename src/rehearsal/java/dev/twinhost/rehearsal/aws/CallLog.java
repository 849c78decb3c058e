package dev.twinhost.rehearsal.aws;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Every call that machines made of the stand-in, a line each. */
final class CallLog {
    private final Path file;

    CallLog(Path file) {
        this.file = file;
    }

    synchronized void add(String machine, String call, int status) {
        String line = Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + machine + " " + call + " " + status + "\n";
        try {
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
