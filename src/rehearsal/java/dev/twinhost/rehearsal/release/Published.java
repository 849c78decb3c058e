package dev.twinhost.rehearsal.release;

import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What has been deployed so far: the assembly that the site was started from, and one for each release since. The last
 * one has set the parameters; the assets of all of them stay, since a machine may still want an older release.
 */
public final class Published {
    private final StateFolder state;
    private final Map<Path, Site> read = new ConcurrentHashMap<>();

    public Published(StateFolder state) {
        this.state = state;
    }

    /** Moves an assembly here, so that whoever looks from now on sees it, whole. */
    public void add(Path assembly) {
        Path place = state.releases()
                .resolve("%04d".formatted(Folders.list(state.releases()).size() + 1));
        try {
            Files.move(assembly, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Values of the SSM parameters, by name. */
    public Map<String, String> parameters() {
        List<Path> assemblies = assemblies();
        return site(assemblies.get(assemblies.size() - 1)).parameters();
    }

    public List<FileAsset> assets() {
        return assemblies().stream()
                .flatMap(assembly -> site(assembly).assets().stream())
                .toList();
    }

    private List<Path> assemblies() {
        List<Path> found = new ArrayList<>(List.of(state.assembly()));
        found.addAll(Folders.list(state.releases()));
        return found;
    }

    private Site site(Path assembly) {
        return read.computeIfAbsent(assembly, Site::read);
    }
}
