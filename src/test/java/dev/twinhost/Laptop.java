package dev.twinhost;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The tools of a laptop with macOS, in place of those of this machine: stand-ins that refuse what only GNU or OpenSSL has
 * ({@code laptop.sh}), and no others. What is not named here, such as {@code timeout} or {@code flock}, is not installed.
 * The property {@code twinhost.laptop} names a folder of real ones, such as a bash 3.2, which are taken instead.
 */
final class Laptop {
    private static final Path STAND_IN = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/laptop.sh");
    private static final Path REAL = Path.of(System.getProperty("twinhost.laptop", "/nowhere"));

    /** What macOS 13 and later have in /bin and /usr/bin, of what the scripts may come to want. */
    private static final List<String> TOOLS = List.of(
            "awk",
            "basename",
            "cat",
            "chmod",
            "cksum",
            "cp",
            "cut",
            "date",
            "dirname",
            "false",
            "find",
            "grep",
            "head",
            "id",
            "mkdir",
            "mktemp",
            "mv",
            "openssl",
            "paste",
            "readlink",
            "rm",
            "sed",
            "sh",
            "sleep",
            "sort",
            "stat",
            "tail",
            "tee",
            "touch",
            "tr",
            "true",
            "uname",
            "wc",
            "xargs");

    /** The same on every system. */
    private static final List<String> EVERYWHERE = List.of("bash", "curl", "env", "git", "jq");

    /** Made once: the tools do not change. */
    private static final class Made {
        private static final String PATH = path(REAL);
        private static final String STAND_INS = path(Path.of("/nowhere"));
    }

    private Laptop() {}

    /** The path on which a script finds the tools: the real ones where there are some, stand-ins otherwise. */
    static String path() {
        return Made.PATH;
    }

    /** The path on which a script finds stand-ins alone. */
    static String standIns() {
        return Made.STAND_INS;
    }

    /** The path of a laptop that lacks a tool. */
    static String without(String tool) {
        String path = path(REAL);
        try {
            Files.deleteIfExists(Path.of(path, tool));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return path;
    }

    private static String path(Path real) {
        Path folder = SynthesisedTemplate.temporaryFolder("laptop");
        try {
            for (String tool : TOOLS) {
                link(folder, tool, real, STAND_IN);
            }
            for (String tool : EVERYWHERE) {
                link(folder, tool, real, Path.of("/usr/bin", tool));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder.toString();
    }

    private static void link(Path folder, String tool, Path real, Path otherwise) throws IOException {
        Path taken = Files.exists(real.resolve(tool)) ? real.resolve(tool) : otherwise;
        Files.createSymbolicLink(folder.resolve(tool), taken);
    }
}
