package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkout of Git for Windows, and what the app says of a file that has its line ends nevertheless. */
@Needs("git")
class LineEndsTest {
    private static final String CLONE = """
            set -e
            git init -q tree
            cp -R "$CHECKOUT/.gitattributes" "$CHECKOUT/bin" "$CHECKOUT/docker" "$CHECKOUT/nginx" tree/
            git -C tree add -A
            git -C tree -c user.name=A -c user.email=a@example.com commit -qm 'Write the site'
            git -c core.autocrlf=true clone -q tree clone
            """;

    @TempDir
    Path root;

    @Test
    void shouldNotComeFromGitForWindows() {
        Shell shell =
                new Shell(root).with("CHECKOUT", Shell.CHECKOUT.toString()).with("HOME", root.toString());

        Shell.Result cloned = shell.bash(CLONE);

        assertThat(cloned.status()).as(cloned.output()).isZero();
        assertThat(files(root.resolve("clone")))
                .hasSizeGreaterThan(50)
                .noneMatch(file -> read(file).contains("\r\n"));
        assertThat(new ReleaseArchive(root.resolve("clone"), Map.of()).sha256())
                .isEqualTo(new ReleaseArchive(Shell.CHECKOUT, Map.of()).sha256());
    }

    /** So that the test above can fail. */
    @Test
    void shouldComeFromGitForWindowsWithoutTheAttributes() {
        Shell shell =
                new Shell(root).with("CHECKOUT", Shell.CHECKOUT.toString()).with("HOME", root.toString());

        shell.bash(CLONE.replace("\"$CHECKOUT/.gitattributes\" ", ""));

        assertThatThrownBy(() -> new ReleaseArchive(root.resolve("clone"), Map.of()))
                .isInstanceOf(IncompleteCheckout.class)
                .hasMessageContaining("has the line ends of Windows, got CR LF, want LF alone; ");
        String remedy =
                "cp \"$CHECKOUT/.gitattributes\" clone/; cd clone; git rm -rq --cached docker nginx && git checkout HEAD"
                        + " -- docker nginx";
        assertThat(shell.bash(remedy).status()).isZero();
        assertThat(new ReleaseArchive(root.resolve("clone"), Map.of()).bytes()).isNotEmpty();
    }

    @Test
    void shouldBeRefusedInTheLauncher() {
        assertThat(Launcher.text("set -eu\n".getBytes(StandardCharsets.UTF_8))).isEqualTo("set -eu\n");
        assertThatThrownBy(() -> Launcher.text("set -eu\r\n".getBytes(StandardCharsets.UTF_8)))
                .hasMessageStartingWith(
                        "src/main/resources/dev/twinhost/user-data.sh: has the line ends of Windows, got CR LF,"
                                + " want LF alone; ");
    }

    private static Stream<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files
                    .filter(file ->
                            Files.isRegularFile(file) && !file.toString().contains("/.git/"))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
