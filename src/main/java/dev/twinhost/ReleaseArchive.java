package dev.twinhost;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDateTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What a release brings to a host: {@code docker/}, {@code nginx/} and {@code settings.env}, in one zip.
 * The same files and settings make the same bytes on every machine: entries are sorted, stored without compression
 * (which differs between JDKs) and carry one fixed time. File modes are not kept.
 */
final class ReleaseArchive {
    static final String SETTINGS = "settings.env";
    /** Notes for people, and what editors, desktops and Python leave behind. */
    private static final Pattern LEFT_OUT =
            Pattern.compile(".*\\.md|.*~|\\.#.*|#.*#|\\..*\\.sw[a-p]|\\.DS_Store|.*\\.pyc");

    private static final List<String> FOLDERS = List.of("docker", "nginx");

    // Local by definition, so the zone of the machine does not matter. A zip's time starts with 1980, but for its first
    // day the JDK adds a second time, which does depend on the zone.
    private static final LocalDateTime TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

    private final byte[] bytes;

    /**
     * @param root the checkout, which holds {@code docker/} and {@code nginx/}
     * @param settings what the hosts are told about the site
     */
    ReleaseArchive(Path root, Map<String, String> settings) {
        SortedMap<String, byte[]> entries = new TreeMap<>();
        FOLDERS.forEach(folder -> collect(root, folder, entries));
        LineEnds.check(entries);
        entries.put(SETTINGS, ShellExports.of(settings).getBytes(StandardCharsets.UTF_8));
        bytes = zip(entries);
    }

    byte[] bytes() {
        return bytes.clone();
    }

    String sha256() {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every JDK has SHA-256", e);
        }
    }

    private static void collect(Path root, String folder, SortedMap<String, byte[]> entries) {
        if (!Files.isDirectory(root.resolve(folder))) {
            throw new IncompleteCheckout(folder + "/", "is missing", "run cdk in a complete checkout of Twinhost");
        }
        try (Stream<Path> paths = Files.walk(root.resolve(folder))) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                String name = root.relativize(path).toString().replace('\\', '/');
                if (LEFT_OUT.matcher(path.getFileName().toString()).matches()) {
                    continue;
                }
                if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    entries.put(name, Files.readAllBytes(path));
                } else if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    throw new IncompleteCheckout(name, "is a link, or no file at all", "put the file itself there");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] zip(SortedMap<String, byte[]> entries) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes, StandardCharsets.UTF_8)) {
            for (Map.Entry<String, byte[]> file : entries.entrySet()) {
                zip.putNextEntry(stored(file.getKey(), file.getValue()));
                zip.write(file.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static ZipEntry stored(String name, byte[] content) {
        CRC32 checksum = new CRC32();
        checksum.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setTimeLocal(TIME);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(checksum.getValue());
        return entry;
    }
}
