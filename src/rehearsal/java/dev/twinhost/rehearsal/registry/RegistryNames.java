package dev.twinhost.rehearsal.registry;

import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.FrontCertificate;
import dev.twinhost.rehearsal.system.RuntimeSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The names under which the registry answers: those of the certificate of its front, and those that lead there in DNS. A
 * name can come while all of it runs; none goes.
 */
final class RegistryNames {
    private static final String MOUNTED = "/mnt/" + FrontCertificate.FILE;

    private final FrontCertificate certificate;
    private final Path folder;
    private final List<Path> dns;

    /**
     * @param scripts of the rehearsal
     * @param cache with the authority that the machines trust
     * @param folder the registry's
     * @param dns folders from which the name servers read hosts files as soon as these change
     */
    RegistryNames(Path scripts, Path cache, Path folder, List<Path> dns) {
        certificate = new FrontCertificate(scripts, cache, folder);
        this.folder = folder;
        this.dns = dns;
    }

    /** Issues the first certificate. The Hub is in it from the start, as one has to be; it is in DNS when an image comes from there. */
    void begin() {
        issue(known());
    }

    void add(Collection<String> hosts) {
        Set<String> known = known();
        if (known.addAll(hosts)) {
            issue(known);
            RuntimeSocket front = RunningRegistry.front(folder);
            if (Files.exists(front.file())) {
                replace(front);
            }
            Folders.write(file(), String.join("\n", known) + "\n");
            StringBuilder text = new StringBuilder();
            known.forEach(name ->
                    text.append(Fabric.REGISTRY).append(' ').append(name).append('\n'));
            dns.forEach(server -> Folders.write(server.resolve("names"), text.toString()));
        }
    }

    private Set<String> known() {
        return new TreeSet<>(Files.exists(file()) ? Folders.read(file()).lines().toList() : List.of());
    }

    private void issue(Set<String> names) {
        Set<String> all = new TreeSet<>(names);
        all.add(Reference.HUB);
        certificate.issue(all);
    }

    /** Nothing of what is sent may be in a message: the key is. */
    private void replace(RuntimeSocket front) {
        String pem = Folders.read(folder.resolve(FrontCertificate.FILE));
        String answer = front.ask("set ssl cert " + MOUNTED + " <<\n" + pem) + front.ask("commit ssl cert " + MOUNTED);
        if (!answer.contains("Success!")) {
            throw new Failure("The registry's front refuses its certificate: " + answer.strip());
        }
    }

    private Path file() {
        return folder.resolve("names");
    }
}
