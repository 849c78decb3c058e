package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A copy of this working copy that a test may break: its sources, what was compiled from them, and the same node_modules. */
final class TreeCopy implements AutoCloseable {
    private static final List<String> PARTS =
            List.of("bin", "docker", "nginx", "src", "cdk.json", "package.json", "pom.xml");

    private final Path folder = Files.createTempDirectory("twinhost");

    TreeCopy() throws IOException {
        Path tree = Path.of("").toAbsolutePath();
        for (String part : PARTS) {
            Command.of("cp", "-a", tree.resolve(part).toString(), folder.toString())
                    .run();
        }
        Files.createSymbolicLink(folder.resolve("node_modules"), tree.resolve("node_modules"));
        Files.createDirectory(folder.resolve("target"));
        for (String part : List.of("classes", "app.classpath", "app.stamp")) {
            if (Files.exists(tree.resolve("target").resolve(part))) {
                Command.of("cp", "-a", "target/" + part, folder.resolve("target") + "/")
                        .run();
            }
        }
    }

    Path folder() {
        return folder;
    }

    TreeCopy append(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text, StandardOpenOption.APPEND);
        return this;
    }

    TreeCopy replace(String file, String old, String fresh) throws IOException {
        String text = Files.readString(folder.resolve(file));
        if (!text.contains(old)) {
            throw new IllegalArgumentException(file + " does not contain " + old);
        }
        Files.writeString(folder.resolve(file), text.replace(old, fresh));
        return this;
    }

    @Override
    public void close() {
        Folders.delete(folder);
    }
}
