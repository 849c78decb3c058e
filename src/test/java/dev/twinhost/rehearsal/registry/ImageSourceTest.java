package dev.twinhost.rehearsal.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageSourceTest {
    @TempDir
    Path folder;

    /** The archives of newer Dockers are both. */
    @ParameterizedTest
    @CsvSource({
        "manifest.json repositories, DOCKER_ARCHIVE, image.tar",
        "manifest.json index.json oci-layout, DOCKER_ARCHIVE, image.tar",
        "./index.json ./oci-layout, OCI_ARCHIVE, image"
    })
    void shouldTellArchivesApartByWhatIsInThem(String names, ImageSource.Kind kind, String name) throws IOException {
        ImageSource image = ImageSource.of(archive("shop:1.tar", names));
        assertThat(image.kind()).isEqualTo(kind);
        assertThat(image.bringInto(Files.createDirectory(folder.resolve("incoming"))))
                .isEqualTo(name);
        Path brought = folder.resolve("incoming").resolve(name);
        if (kind == ImageSource.Kind.DOCKER_ARCHIVE) {
            assertThat(brought).hasSameBinaryContentAs(image.file());
        } else {
            assertThat(brought.resolve("index.json")).exists();
        }
    }

    @Test
    void shouldTakeAFolder() throws IOException {
        Path layout = Files.createDirectory(folder.resolve("layout"));
        Files.writeString(layout.resolve("index.json"), "{\"manifests\": [{}, {}]}");
        ImageSource image = ImageSource.of(layout);
        assertThat(image.kind()).isEqualTo(ImageSource.Kind.OCI_FOLDER);
        Path incoming = Files.createDirectory(folder.resolve("incoming"));
        assertThat(ImageSource.several(incoming.resolve(image.bringInto(incoming))))
                .isTrue();
        Files.writeString(layout.resolve("index.json"), "{\"manifests\": [{}]}");
        assertThat(ImageSource.several(layout)).isFalse();
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        Files.writeString(folder.resolve("Dockerfile"), "FROM scratch\n");
        Path archive = archive("backup.tar", "a b");
        Path compressed = folder.resolve("shop.tar.gz");
        Command.of("tar", "-C", folder.toString(), "-czf", compressed.toString(), "a")
                .run();
        assertRefused("missing.tar", "cannot be read; " + ImageSource.WANTED);
        assertRefused("Dockerfile", "is no archive; " + ImageSource.WANTED);
        assertRefused(archive.getFileName().toString(), "is no archive of an image; " + ImageSource.WANTED);
        assertRefused("shop.tar.gz", "is compressed; unpack it first, as with gunzip");
        assertRefused("", "has no index.json; " + ImageSource.WANTED);
    }

    private void assertRefused(String name, String reason) {
        Path file = name.isEmpty() ? folder : folder.resolve(name);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> ImageSource.of(file))
                .withMessage(file + ": " + reason);
    }

    private Path archive(String name, String members) throws IOException {
        Path archive = folder.resolve(name);
        for (String member : members.split(" ")) {
            Files.writeString(folder.resolve(member), "{}");
        }
        List<String> words =
                new ArrayList<>(List.of("tar", "--force-local", "-C", folder.toString(), "-cf", archive.toString()));
        words.addAll(List.of(members.split(" ")));
        Command.of(words).run();
        return archive;
    }
}
