package dev.twinhost;

import dev.twinhost.rehearsal.system.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** The root file systems of the rehearsal, made if they are not there. */
public final class RootFileSystems {
    private RootFileSystems() {}

    /** Where the rehearsal keeps them. */
    public static Path cache() {
        return Path.of(System.getenv().getOrDefault("TWINHOST_REHEARSAL_CACHE", "/var/cache/twinhost-rehearsal"));
    }

    /** @param name {@code host} or {@code tools} */
    public static Path tree(String name) {
        Command.of(Shell.CHECKOUT + "/src/rehearsal/machine/rootfs.sh").run();
        return real(name);
    }

    /** What is put beside the edge and the other trees have not. */
    public static Path rivals() {
        Command.of(Shell.CHECKOUT + "/src/rehearsal/machine/rootfs.sh", "rivals")
                .run();
        return real("rivals");
    }

    private static Path real(String name) {
        try {
            return cache().resolve(name).toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
