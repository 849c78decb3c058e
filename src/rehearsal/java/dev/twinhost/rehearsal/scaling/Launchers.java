package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the machines of a group start with from now on, where a deploy has changed it since the template was read. */
public final class Launchers {
    private final Path folder;

    public Launchers(StateFolder state) {
        folder = state.launchers();
    }

    /** The script that stands in the place of the template's; none where that one holds. */
    Optional<String> of(String group) {
        Path file = folder.resolve(group);
        return Files.exists(file) ? Optional.of(Folders.read(file)) : Optional.empty();
    }

    void change(String group, Optional<String> launcher) {
        if (launcher.isPresent()) {
            Folders.write(folder.resolve(group), launcher.get());
            return;
        }
        try {
            Files.deleteIfExists(folder.resolve(group));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The user-data of a machine that is launched now: a changed launcher comes after the template's own variables. */
    public String userData(MachineGroup group) {
        String template = group.launchTemplate().userData();
        return of(group.id()).map(launcher -> variables(template) + launcher).orElse(template);
    }

    private static String variables(String userData) {
        return userData.lines()
                .takeWhile(line -> line.startsWith("#!") || line.startsWith("export "))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }
}
