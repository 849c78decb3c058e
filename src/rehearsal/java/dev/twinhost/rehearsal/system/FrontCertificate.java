package dev.twinhost.rehearsal.system;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a front shows that answers under others' names: a certificate of the rehearsal's authority, which the machines trust.
 *
 * @param scripts of the rehearsal
 * @param cache with the authority
 * @param folder the front's
 */
public record FrontCertificate(Path scripts, Path cache, Path folder) {
    /** The chain and the key. */
    public static final String FILE = "front.pem";

    /** Issues it, anew where there is one; what checks it finds the chain in {@code ca.pem}. */
    public void issue(Collection<String> names) {
        List<String> words = new ArrayList<>(names);
        words.addAll(0, List.of(scripts.resolve("machine/ca.sh").toString(), "leaf"));
        words.add(folder.toString());
        Command.of(words).with("TWINHOST_REHEARSAL_CACHE", cache.toString()).run();
        String chain = Folders.read(folder.resolve("fullchain.pem"));
        Folders.write(folder.resolve("ca.pem"), chain);
        Folders.write(folder.resolve(FILE), chain + Folders.read(folder.resolve("privkey.pem")));
    }
}
