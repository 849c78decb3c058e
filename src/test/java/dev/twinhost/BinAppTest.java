package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The real {@code bin/app} in a tree of its own, with stand-ins for Maven and Java that note how they were started. */
class BinAppTest {
    private static final String COMPILATION = "mvn -q -B -DskipStyle process-classes";

    @TempDir
    private Path tree;

    private String path;

    @BeforeEach
    void makeTree() throws IOException {
        path = tree.resolve("programs") + ":" + System.getenv("PATH");
        write("pom.xml", "<project/>");
        write("src/main/java/App.java", "class App {}");
        write("src/main/resources/user-data.sh", "true");
        write("lib/one.jar", "");
        Files.createDirectory(tree.resolve("bin"));
        for (String script : List.of("bin/app", "bin/common.sh")) {
            Files.copy(Path.of(script), tree.resolve(script), StandardCopyOption.COPY_ATTRIBUTES);
        }
        program("node", "echo v22.0.0");
        program("mvn", """
                echo "mvn $*" >> log
                [[ ! -e broken ]] || { echo "it is broken"; exit 1; }
                mkdir -p target/classes && touch target/classes/App.class
                echo "$PWD/lib/one.jar" > target/app.classpath
                """);
        program("java", """
                [[ $1 != -version ]] || exit 0
                echo "java" >> log
                printf '%s\\n' "${PATH%%:*}" "$JSII_NODE" "$*" > started
                exit 7
                """);
    }

    @Test
    void shouldCompileOnceAndThenStartJavaAlone() throws Exception {
        assertThat(ended(run())).isEqualTo(7);
        assertThat(ended(run())).isEqualTo(7);

        assertThat(log()).containsExactly(COMPILATION, "java", "java");
    }

    @Test
    void shouldRunTheAppOnTheNodeOfThePackageFile() throws Exception {
        ended(run());

        assertThat(Files.readAllLines(tree.resolve("started")))
                .satisfiesExactly(
                        path -> assertThat(path).isEqualTo(tree.toRealPath() + "/node_modules/.bin"),
                        node -> assertThat(node).isEqualTo("node --single-threaded"),
                        arguments -> assertThat(arguments)
                                .endsWith("-cp target/classes:" + tree.toRealPath()
                                        + "/lib/one.jar dev.twinhost.TwinhostApp"));
    }

    @Test
    void shouldCompileAgainWhenASourceHasChanged() throws Exception {
        ended(run());
        write("src/main/resources/user-data.sh", "false");
        ended(run());

        assertThat(log()).hasSize(4).endsWith(COMPILATION, "java");
    }

    @Test
    void shouldCompileAgainWhenAChangedSourceCarriesAnOldTime() throws Exception {
        ended(run());
        write("src/main/java/App.java", "class App { int x; }");
        Files.setLastModifiedTime(tree.resolve("src/main/java/App.java"), FileTime.from(Instant.EPOCH));
        ended(run());

        assertThat(log()).hasSize(4);
    }

    @Test
    void shouldCompileAgainWhenASourceIsGone() throws Exception {
        ended(run());
        Files.delete(tree.resolve("src/main/resources/user-data.sh"));
        ended(run());

        assertThat(log()).hasSize(4);
    }

    @Test
    void shouldCompileAgainWhenSomebodyElseHasCompiledSince() throws Exception {
        ended(run());
        FileTime later = FileTime.from(Instant.now().plusSeconds(1));
        Files.setLastModifiedTime(tree.resolve("target/classes/App.class"), later);
        ended(run());

        assertThat(log()).hasSize(4);
    }

    @Test
    void shouldCompileAgainWhenALibraryIsGone() throws Exception {
        ended(run());
        Files.delete(tree.resolve("lib/one.jar"));
        ended(run());

        assertThat(log()).hasSize(4);
    }

    @Test
    void shouldNotStartWhatDidNotCompile() throws Exception {
        write("broken", "");

        assertThat(ended(run())).isEqualTo(1);
        assertThat(log()).containsExactly(COMPILATION);
        assertThat(tree.resolve("printed")).hasContent("Compiling the app\nit is broken\n");
    }

    @Test
    void shouldCompileOnceWhenTwoStartAtOnce() throws Exception {
        List<Process> both = List.of(run(), run());
        for (Process one : both) {
            assertThat(ended(one)).isEqualTo(7);
        }

        assertThat(log()).containsExactlyInAnyOrder(COMPILATION, "java", "java").startsWith(COMPILATION);
    }

    /** With bash 3.2, where the property {@code twinhost.laptop} names a folder that has one. */
    @Test
    void shouldRunOnALaptop() throws Exception {
        path = tree.resolve("programs") + ":" + Laptop.path();

        assertThat(ended(run())).isEqualTo(7);
        assertThat(ended(run())).isEqualTo(7);
        assertThat(log()).containsExactly(COMPILATION, "java", "java");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "java | install a JDK, 17 or later (macOS: brew install openjdk@17; Debian: apt-get install openjdk-17-jdk-headless)",
                "mvn | install Maven 3.8 or later (macOS: brew install maven; Debian: apt-get install maven)",
                "node | install Node 22 or later, which brings it: https://nodejs.org"
            })
    void shouldNameAToolThatIsMissing(String tool, String remedy) throws Exception {
        path = tree.resolve("programs") + ":" + Laptop.path();
        Files.delete(tree.resolve("programs/" + tool));

        assertThat(ended(run())).isEqualTo(2);
        assertThat(tree.resolve("printed"))
                .hasContent("bin/app: needs " + tool + ", which is not installed; " + remedy + "\n");
    }

    /** As on a Mac without a JDK. */
    @Test
    void shouldNameAJavaThatDoesNotStart() throws Exception {
        program("java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1");

        assertThat(ended(run())).isEqualTo(2);
        assertThat(tree.resolve("printed"))
                .content()
                .startsWith("bin/app: java does not start; install a JDK, 17 or later");
    }

    @Test
    void shouldRefuseANodeThatTheCdkNoLongerSupports() throws Exception {
        program("node", "echo v20.20.2");

        assertThat(ended(run())).isEqualTo(2);
        assertThat(tree.resolve("printed")).content().startsWith("bin/app: needs Node 22 or later, got 20.20.2; ");
    }

    /** On Linux package.json brings one, whatever the machine has. */
    @Test
    void shouldTakeTheNodeOfThePackageFileFirst() throws Exception {
        program("node", "echo v20.20.2");
        write("node_modules/.bin/node", "#!/bin/bash\necho v24.21.0\n");
        assertThat(tree.resolve("node_modules/.bin/node").toFile().setExecutable(true))
                .isTrue();

        assertThat(ended(run())).isEqualTo(7);
    }

    private Process run() throws IOException {
        ProcessBuilder builder = new ProcessBuilder("bin/app")
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .redirectOutput(tree.resolve("printed").toFile());
        builder.environment().put("PATH", path);
        builder.environment().remove("JSII_NODE");
        return builder.start();
    }

    private static int ended(Process app) throws InterruptedException {
        assertThat(app.waitFor(60, TimeUnit.SECONDS))
                .as("bin/app ends within 60 s")
                .isTrue();
        return app.exitValue();
    }

    private List<String> log() throws IOException {
        return Files.readAllLines(tree.resolve("log"), StandardCharsets.UTF_8);
    }

    private void program(String name, String script) throws IOException {
        write("programs/" + name, "#!/bin/bash\nset -eu\n" + script);
        assertThat(tree.resolve("programs/" + name).toFile().setExecutable(true))
                .isTrue();
    }

    private void write(String name, String content) throws IOException {
        Path file = tree.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }
}
