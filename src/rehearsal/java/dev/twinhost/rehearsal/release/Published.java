package dev.twinhost.rehearsal.release;

import dev.twinhost.rehearsal.assembly.CloudAssembly;
import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.WaitCondition;
import dev.twinhost.rehearsal.system.Command;
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
import java.util.Optional;
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

    /**
     * Moves an assembly here, so that whoever looks from now on sees it, whole. A wait condition that was not there
     * before has a new handle.
     */
    public void add(Path assembly) {
        Path place = next();
        Site before = current();
        boolean same = id(Site.read(assembly)).equals(id(before));
        Folders.write(
                assembly.resolve(CloudAssembly.DEPLOY),
                same ? before.place().deploy() : place.getFileName().toString());
        move(assembly, place);
    }

    /** What CloudFormation does where the last deploy has failed: everything is as before it, the handle as well. */
    public void goBack() {
        List<Path> assemblies = assemblies();
        Path copy = state.root().resolve("release-before");
        Command.of("cp", "-a", assemblies.get(assemblies.size() - 2).toString(), copy.toString())
                .run();
        move(copy, next());
    }

    /** The site as the last deploy has left it. */
    public Site current() {
        List<Path> assemblies = assemblies();
        return site(assemblies.get(assemblies.size() - 1));
    }

    private static Optional<String> id(Site site) {
        return site.waitCondition().map(WaitCondition::id);
    }

    private Path next() {
        return state.releases()
                .resolve("%04d".formatted(Folders.list(state.releases()).size() + 1));
    }

    private static void move(Path assembly, Path place) {
        try {
            Files.move(assembly, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Values of the SSM parameters, by name. */
    public Map<String, String> parameters() {
        return current().parameters();
    }

    public List<FileAsset> assets() {
        return assemblies().stream()
                .flatMap(assembly -> site(assembly).assets().stream())
                .toList();
    }

    /** Those of all deploys. */
    public List<WaitCondition> waitConditions() {
        return assemblies().stream()
                .flatMap(assembly -> site(assembly).waitCondition().stream())
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
