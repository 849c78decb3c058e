package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleaseArchiveTest {
    private static final Map<String, String> SETTINGS = Map.of("TWINHOST_DOMAIN", "example.org");

    @TempDir
    private Path checkout;

    @BeforeEach
    void makeCheckout() throws IOException {
        write("nginx/nginx.conf", "events {}");
        write("docker/stack.yml", "services: {}");
        write("docker/host/twinhost", "#!/bin/bash");
        write("docker/host/b", "");
        write("README.md", "not part of a release");
    }

    @Test
    void shouldHoldTheTwoFoldersAndTheSettingsInOrder() throws IOException {
        assertThat(entries(archive().bytes()))
                .containsExactly(
                        Map.entry("docker/host/b", ""),
                        Map.entry("docker/host/twinhost", "#!/bin/bash"),
                        Map.entry("docker/stack.yml", "services: {}"),
                        Map.entry("nginx/nginx.conf", "events {}"),
                        Map.entry("settings.env", "export TWINHOST_DOMAIN='example.org'\n"));
    }

    @Test
    void shouldLeaveOutNotesAndWhatEditorsLeaveBehind() throws IOException {
        String before = archive().sha256();
        for (String name : List.of("README.md", "a.conf~", ".a.conf.swp", "#a.conf#", ".DS_Store", "a.pyc")) {
            write("nginx/site.d/" + name, "not for the hosts");
        }
        Files.createSymbolicLink(checkout.resolve("nginx/site.d/.#a.conf"), Path.of("someone@somewhere.1"));
        assertThat(archive().sha256()).isEqualTo(before);

        write("nginx/site.d/.users", "for the hosts");
        assertThat(entries(archive().bytes())).contains(Map.entry("nginx/site.d/.users", "for the hosts"));
    }

    @Test
    void shouldBeTheSameBytesForTheSameFilesAndSettings() throws IOException {
        String first = archive().sha256();
        Files.setLastModifiedTime(checkout.resolve("docker/stack.yml"), FileTime.from(Instant.ofEpochSecond(1)));
        assertThat(checkout.resolve("docker/host/twinhost").toFile().setExecutable(true))
                .isTrue();
        TimeZone zone = TimeZone.getDefault();
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Kiritimati"));
            assertThat(archive().sha256()).isEqualTo(first);
        } finally {
            TimeZone.setDefault(zone);
        }
    }

    @Test
    void shouldDifferWhenAFileOrASettingDiffers() throws IOException {
        String first = archive().sha256();
        assertThat(new ReleaseArchive(checkout, Map.of("TWINHOST_DOMAIN", "other.example.org")).sha256())
                .isNotEqualTo(first);
        write("docker/host/b", "x");
        assertThat(archive().sha256()).isNotEqualTo(first);
    }

    @Test
    void shouldBeNamedByItsOwnHash() throws Exception {
        ReleaseArchive archive = archive();
        assertThat(archive.sha256())
                .isEqualTo(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(archive.bytes())));
    }

    @Test
    void shouldNotCompress() throws IOException {
        try (ZipInputStream zip =
                new ZipInputStream(new ByteArrayInputStream(archive().bytes()))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                assertThat(entry.getMethod()).as(entry.getName()).isEqualTo(ZipEntry.STORED);
                assertThat(entry.getTimeLocal()).hasToString("1980-02-01T00:00");
            }
        }
    }

    @Test
    void shouldRefuseACheckoutWithoutOneOfTheFolders() throws IOException {
        Files.delete(checkout.resolve("nginx/nginx.conf"));
        Files.delete(checkout.resolve("nginx"));

        assertThatThrownBy(this::archive)
                .isInstanceOf(IncompleteCheckout.class)
                .hasMessage("nginx/: is missing; run cdk in a complete checkout of Twinhost");
    }

    @Test
    void shouldRefuseALinkInsteadOfSendingWhatItPointsTo() throws IOException {
        Files.createSymbolicLink(checkout.resolve("docker/link"), Path.of("stack.yml"));

        assertThatThrownBy(this::archive)
                .isInstanceOf(IncompleteCheckout.class)
                .hasMessage("docker/link: is a link, or no file at all; put the file itself there");
    }

    @Test
    void shouldRefuseTheLineEndsOfWindows() throws IOException {
        write("nginx/nginx.conf", "events {}\r\n");
        write("docker/host/b", "#!/bin/bash\r\n");

        assertThatThrownBy(this::archive)
                .isInstanceOf(IncompleteCheckout.class)
                .hasMessage("docker/host/b (and 1 more): has the line ends of Windows, got CR LF, want LF alone;"
                        + " commit what is yours, then type: git rm -rq --cached docker nginx src && git checkout HEAD --"
                        + " docker nginx src; clone and work inside WSL");
    }

    @Test
    void shouldTakeAnyByteInAPicture() throws IOException {
        write("nginx/logo.png", "\211PNG\r\n\032\n\0");

        assertThat(entries(archive().bytes())).extracting(Map.Entry::getKey).contains("nginx/logo.png");
    }

    private ReleaseArchive archive() {
        return new ReleaseArchive(checkout, SETTINGS);
    }

    private void write(String name, String content) throws IOException {
        Path file = checkout.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }

    private static List<Map.Entry<String, String>> entries(byte[] archive) throws IOException {
        Map<String, String> entries = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), new String(zip.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        return new ArrayList<>(entries.entrySet());
    }
}
