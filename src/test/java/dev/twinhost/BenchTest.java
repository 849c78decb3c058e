package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinhost.rehearsal.system.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the measurements are called, and that what can be left out is still there. Nothing is measured here. */
class BenchTest {
    @TempDir
    Path root;

    @ParameterizedTest
    @ValueSource(strings = {"", "all", "edges", "--rounds"})
    void shouldSayInOneLineWhatCanBeMeasured(String argument) {
        Shell.Result bench = new Shell(root)
                .bash(Shell.CHECKOUT + "/bin/bench" + (argument.isEmpty() ? "" : " " + argument) + "; echo $?");

        assertThat(bench.output())
                .isEqualTo("bin/bench: wants edge, synth or boot, got \"" + argument
                        + "\"; type: sudo bin/bench edge --help\n2\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "edge --rounds 0 | --rounds: wants 1 to 99, got 0",
                "edge --seconds 61 | --seconds: wants 1 to 60, got 61",
                "edge --without maintenance+luck | --without: wants one of access-log, ",
                "edge --patch /nowhere | --patch: wants a file, got /nowhere",
                "edge --row tail | --row: TAIL needs SMALL in the same run, got [TAIL]",
                "edge --row fast | Invalid value for option '--row' (ROW): expected one of [SMALL, LARGE, HTTP2, CONNECTIONS, CACHE, TAIL] (case-insensitive) but was 'fast'",
                "edge fast | Unmatched argument at index 1: 'fast'",
                "synth --rounds x | Invalid value for option '--rounds': 'x' is not an int",
                "boot --rounds 0 | --rounds: wants 1 to 99, got 0"
            })
    void shouldRefuseInOneLineWhatItDoesNotUnderstand(String arguments, String sentence) {
        PrintStream error = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        int status;
        try {
            status = Bench.run(arguments.split(" "));
        } finally {
            System.setErr(error);
        }

        assertThat(said.toString(StandardCharsets.UTF_8))
                .startsWith("bin/bench: " + sentence)
                .endsWith("; type: sudo bin/bench " + arguments.split(" ")[0] + " --help\n")
                .hasLineCount(1);
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("dev.twinhost.Bench$Edge#parts")
    void shouldFindWhatItLeavesOut(String part) throws IOException {
        Path release = Files.createDirectory(root.resolve("release"));
        assertThat(new Shell(root)
                        .run("cp", "-r", Shell.CHECKOUT + "/nginx", release.toString())
                        .status())
                .isZero();

        Bench.Edge.leaveOut(part, release);

        assertThat(new Shell(root)
                        .run("diff", "-r", Shell.CHECKOUT + "/nginx", release + "/nginx")
                        .output())
                .as("what it changes")
                .isNotEmpty();
    }

    @Test
    void shouldRefuseAPatchThatDoesNotFit() throws IOException {
        Path patch = Files.writeString(root.resolve("some.patch"), "no patch");
        Files.createDirectory(root.resolve("release"));

        assertThatThrownBy(() -> Bench.Edge.apply(patch, root.resolve("release")))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("some.patch");
    }
}
