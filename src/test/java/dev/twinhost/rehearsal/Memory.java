package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * What a site knows beyond the life of its machines.
 *
 * @param generation the highest of the cluster record
 * @param founder the instance that has claimed it
 * @param lineages names of the certificates, each with a folder of its own
 * @param account names of the ACME accounts
 * @param certificate the chain that is current
 * @param orders how many certificates the CA was asked for
 */
record Memory(
        int generation, String founder, List<String> lineages, List<String> account, String certificate, long orders) {
    static Memory of(Rehearsal rehearsal) {
        Path storage = rehearsal.state().storage(rehearsal.site().fileSystem());
        Path letsencrypt = storage.resolve("letsencrypt/production");
        // one that is being claimed has no founder yet
        Path newest = Folders.list(storage.resolve("swarm/generations")).stream()
                .filter(folder -> Files.exists(folder.resolve("founder")))
                .max(Comparator.comparingInt(folder -> number(folder)))
                .orElseThrow();
        return new Memory(
                number(newest),
                Folders.read(newest.resolve("founder")).strip(),
                names(letsencrypt.resolve("live")).stream()
                        .filter(name -> !name.equals("README"))
                        .toList(),
                Folders.list(letsencrypt.resolve("accounts")).stream()
                        .flatMap(server -> Folders.list(server.resolve("directory")).stream())
                        .map(folder -> folder.getFileName().toString())
                        .toList(),
                Folders.read(letsencrypt.resolve("live/example.com/fullchain.pem")),
                Folders.read(rehearsal.state().logs().resolve("pebble.log"))
                        .lines()
                        .filter(line -> line.contains("/order-plz"))
                        .count());
    }

    private static int number(Path folder) {
        return Integer.parseInt(folder.getFileName().toString());
    }

    private static List<String> names(Path folder) {
        return Folders.list(folder).stream()
                .map(path -> path.getFileName().toString())
                .toList();
    }
}
