package dev.twinhost.rehearsal.network;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The folder in which {@code ip netns} keeps namespaces. It mounts it onto itself when it makes the first one and leaves
 * that mount for ever: where it was not there before the first rehearsal, the last one takes it away again.
 */
final class Handles {
    private static final Path FOLDER = Path.of("/run/netns");
    private static final Path OURS = Path.of("/run/twinhost-rehearsal-netns");

    void claim() {
        if (!mounted()) {
            Folders.write(OURS, "");
        }
    }

    void release() {
        if (Files.exists(OURS) && Folders.list(FOLDER).isEmpty()) {
            while (mounted()) {
                Command.of("umount", FOLDER.toString()).run();
            }
            try {
                Files.deleteIfExists(OURS);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static boolean mounted() {
        try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"))) {
            return mounts.anyMatch(line -> line.split(" ")[1].equals(FOLDER.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
