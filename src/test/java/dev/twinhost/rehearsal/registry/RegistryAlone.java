package dev.twinhost.rehearsal.registry;

import dev.twinhost.RootFileSystems;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.system.Cgroup;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.Tools;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** The registry of a rehearsal without one: its daemons in a namespace of their own. Needs root; makes the root file systems if they are not there. */
final class RegistryAlone implements AutoCloseable {
    private static final Path SCRIPTS = Path.of("src/rehearsal").toAbsolutePath();

    private final Path folder;
    private final Path dns;
    private final Cgroup cgroup;
    private final Namespace internet;
    private final Tools tools;
    private final RunningRegistry registry;

    /** @param root an empty folder */
    RegistryAlone(Path root) {
        Path tree = RootFileSystems.tree("tools");
        Path cache = RootFileSystems.cache();
        String id = "th-" + HexFormat.of().toHexDigits(new Random().nextInt());
        folder = Folders.make(root.resolve("registry"));
        dns = Folders.make(root.resolve("dns"));
        cgroup = Cgroup.named(id);
        internet = new Namespace(id);
        tools = new Tools(SCRIPTS.resolve("tools/enter.sh"), tree, cgroup, Folders.make(root.resolve("logs")));
        registry = new RunningRegistry(SCRIPTS, cache, folder, List.of(dns), internet, tools);
        internet.make();
        try {
            internet.ip("addr add " + Fabric.REGISTRY + "/32 dev lo");
            new Registry(SCRIPTS, cache, folder, internet, tools).start();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    RunningRegistry registry() {
        return registry;
    }

    /** Where the registry's folder is /mnt. */
    Command.Result tool(String... words) {
        return tools.command(internet, folder, words).result();
    }

    Tools.Daemon daemon(String name, String... words) {
        return tools.ownDaemon(name, internet, List.of(words));
    }

    /** curl of a path of a registry, as a machine asks: by its name, with trust in the rehearsal's authority. */
    Command.Result ask(String host, String path, String... options) {
        List<String> words = new ArrayList<>(List.of("curl", "-sS", "-i", "--cacert", "/mnt/ca.pem"));
        words.addAll(List.of("--resolve", host + ":443:" + Fabric.REGISTRY));
        words.addAll(List.of("-H", "Accept: application/vnd.docker.distribution.manifest.v2+json"));
        words.addAll(Arrays.asList(options));
        words.add("https://" + host + "/v2/" + path);
        return tool(words.toArray(String[]::new));
    }

    /** The registry's. */
    Path folder() {
        return folder;
    }

    /** The name servers'. */
    Path dns() {
        return dns;
    }

    @Override
    public void close() {
        cgroup.end();
        internet.delete();
    }
}
