package dev.twinhost.rehearsal.registry;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.RootFileSystems;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Images of an application that behaves as its environment says: see {@code play.py}. Made of files of the tools' tree, without an
 * engine, always the same bytes for the same tree; all share the layer with the runtime, 12 MB of which 6 MB are sent.
 */
public final class PlayImage {
    /** The port of the application, unless its environment has another one. */
    public static final int PORT = 8080;

    private static final Path SCRIPT = Path.of("src/test/resources/dev/twinhost/rehearsal/registry/play.sh");
    private static final int KIB = 1024;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String version;
    private final Map<String, String> environment = new TreeMap<>();
    private String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    private String healthcheck = "";
    private String kind = "FULL";
    private int ballast;

    /** @param version the first line of what the application answers */
    public PlayImage(String version) {
        this.version = version;
    }

    /** A variable that the image sets; those of the site's appEnvironment are stronger. */
    public PlayImage with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** A HEALTHCHECK of the image's own, every two seconds: a line for its shell, as in {@code wget -q -O /dev/null http://127.0.0.1:8080/}. */
    public PlayImage withHealthcheck(String line) {
        healthcheck = line;
        return this;
    }

    /** The image says that it is for this architecture; its program stays that of this machine. */
    public PlayImage withArchitecture(String name) {
        architecture = name;
        return this;
    }

    /** It has no shell, and nothing that could ask for a health path. */
    public PlayImage withoutTools() {
        kind = "BARE";
        return this;
    }

    /** A layer of its own that nothing makes smaller, so that a pull takes its time. */
    public PlayImage withBallast(int kibibytes) {
        ballast = kibibytes;
        return this;
    }

    /**
     * Makes it; needs root, and makes the root file systems if they are not there.
     *
     * @param folder an empty one, or one that is not there yet
     * @return an archive like those of {@code docker save}
     */
    // https://github.com/moby/docker-image-spec/blob/main/spec.md
    public Path write(Path folder) {
        Folders.make(folder);
        String tree = RootFileSystems.tree("tools").toString();
        Command.of(SCRIPT.toString(), tree, kind, folder.toString()).run();
        try {
            Path own = Files.createDirectory(folder.resolve("own"));
            Files.writeString(own.resolve("version"), version + "\n");
            if (ballast > 0) {
                byte[] bytes = new byte[ballast * KIB];
                new Random(version.hashCode()).nextBytes(bytes);
                Files.write(own.resolve("ballast"), bytes);
            }
            tar(own, folder.resolve("own.tar"), ".");
            Files.writeString(
                    folder.resolve("config.json"), configuration(folder).toString());
            ObjectNode image = JSON.createObjectNode().put("Config", "config.json");
            image.putArray("RepoTags").add("example/play:" + version);
            image.putArray("Layers").add("runtime.tar").add("own.tar");
            Files.writeString(
                    folder.resolve("manifest.json"),
                    JSON.createArrayNode().add(image).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path archive = folder.resolve("image.tar");
        tar(folder, archive, "manifest.json", "config.json", "runtime.tar", "own.tar");
        return archive;
    }

    private ObjectNode configuration(Path folder) throws IOException {
        ObjectNode image = JSON.createObjectNode()
                .put("architecture", architecture)
                .put("os", "linux")
                .put("created", "1970-01-01T00:00:00Z");
        ObjectNode config = image.putObject("config");
        config.putArray("Entrypoint")
                .add("/usr/bin/python3")
                .add("-I")
                .add("-S")
                .add("-u")
                .add("/play.py");
        config.putObject("ExposedPorts").putObject(PORT + "/tcp");
        ArrayNode variables = config.putArray("Env").add("PATH=/usr/bin:/bin");
        environment.forEach((name, value) -> variables.add(name + "=" + value));
        if (!healthcheck.isEmpty()) {
            ObjectNode check = config.putObject("Healthcheck")
                    .put("Interval", 2_000_000_000L)
                    .put("Timeout", 2_000_000_000L)
                    .put("Retries", 3);
            check.putArray("Test").add("CMD-SHELL").add(healthcheck);
        }
        image.putObject("rootfs")
                .put("type", "layers")
                .putArray("diff_ids")
                .add(digest(folder.resolve("runtime.tar")))
                .add(digest(folder.resolve("own.tar")));
        return image;
    }

    private static void tar(Path folder, Path archive, String... names) {
        List<String> words = new ArrayList<>(List.of("tar", "-C", folder.toString()));
        words.addAll(List.of("--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf", archive.toString()));
        words.addAll(List.of(names));
        Command.of(words).run();
    }

    private static String digest(Path file) throws IOException {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return "sha256:" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
