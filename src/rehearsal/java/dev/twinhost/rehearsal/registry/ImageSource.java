package dev.twinhost.rehearsal.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An image in a file or a folder: an archive of {@code docker save}, or the image layout of the OCI, packed or not. */
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
public record ImageSource(Path file, Kind kind) {
    /** What is wanted where a file is something else. */
    public static final String WANTED = "want a file that docker save has written, or an OCI archive or folder";

    private static final String DOCKER = "manifest.json";
    private static final String INDEX = "index.json";
    private static final String MAGIC = "ustar";
    private static final int MAGIC_OFFSET = 257;

    enum Kind {
        DOCKER_ARCHIVE,
        OCI_ARCHIVE,
        OCI_FOLDER
    }

    /** Looks what it is; fails where it is none. */
    public static ImageSource of(Path file) {
        if (Files.isDirectory(file)) {
            if (!Files.isRegularFile(file.resolve(INDEX))) {
                throw new Failure(file + ": has no " + INDEX + "; " + WANTED);
            }
            return new ImageSource(file, Kind.OCI_FOLDER);
        }
        if (!Files.isReadable(file)) {
            throw new Failure(file + ": cannot be read; " + WANTED);
        }
        List<String> names = names(file);
        if (names.contains(DOCKER)) {
            return new ImageSource(file, Kind.DOCKER_ARCHIVE);
        }
        if (names.contains(INDEX)) {
            return new ImageSource(file, Kind.OCI_ARCHIVE);
        }
        throw new Failure(file + ": is no archive of an image; " + WANTED);
    }

    /** Brings it into a folder, and returns the name under which it lies there. */
    String bringInto(Path folder) {
        Path place = folder.resolve(kind == Kind.DOCKER_ARCHIVE ? "image.tar" : "image");
        switch (kind) {
            case OCI_ARCHIVE ->
                Command.of(
                                "tar",
                                "-xf",
                                argument(file),
                                "-C",
                                Folders.make(place).toString())
                        .run();
            // A hard link where the file system allows.
            case DOCKER_ARCHIVE, OCI_FOLDER -> {
                if (Command.of("cp", "-Lrl", argument(file), place.toString())
                                .result()
                                .status()
                        != 0) {
                    Folders.delete(place);
                    Command.of("cp", "-Lr", "--reflink=auto", argument(file), place.toString())
                            .run();
                }
            }
        }
        return place.getFileName().toString();
    }

    /** Whether a folder in which the image lies has more than one at its top. */
    static boolean several(Path folder) {
        try {
            JsonNode index = new ObjectMapper().readTree(folder.resolve(INDEX).toFile());
            return index.path("manifests").size() > 1;
        } catch (IOException e) {
            throw new Failure(INDEX + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** As a program takes it: what begins with a slash is no option and, to tar, on no other machine. */
    private static String argument(Path file) {
        return file.toAbsolutePath().toString();
    }

    private static List<String> names(Path file) {
        Command.Result listed = Command.of("tar", "-tf", argument(file)).result();
        if (listed.status() != 0) {
            throw new Failure(file + ": is no archive; " + WANTED);
        }
        if (!isPlain(file)) {
            throw new Failure(file + ": is compressed; unpack it first, as with gunzip");
        }
        return listed.output()
                .lines()
                .map(name -> name.replaceFirst("^\\./", ""))
                .toList();
    }

    /** Whether it is an archive as it stands, which tar also lists where it is compressed: the header of tar(5) says so. */
    private static boolean isPlain(Path file) {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] head = stream.readNBytes(MAGIC_OFFSET + MAGIC.length());
            return new String(head, StandardCharsets.ISO_8859_1).endsWith(MAGIC);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
