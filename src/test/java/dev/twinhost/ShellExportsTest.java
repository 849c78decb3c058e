package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShellExportsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "plain",
                " two  spaces ",
                "it's",
                "''",
                "a'\"'b",
                "$HOME",
                "${x}",
                "$(id)",
                "`id`",
                "back\\slash\\",
                "!$&;|<>*?[]{}#~",
                "-n",
                "größe"
            })
    void shouldBringAValueThroughTheShellAsItIs(String value) throws Exception {
        assertThat(throughShell(value)).isEqualTo(value);
    }

    @Test
    void shouldWriteOneLineForEachVariable() {
        assertThat(ShellExports.of(Map.of("A_1", "it's"))).isEqualTo("export A_1='it'\\''s'\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"two\nlines", "carriage\rreturn", "nul\0", "tab\t", "escape\u001b", "next\u0085line"})
    void shouldRefuseControlCharactersWithoutShowingTheValue(String value) {
        assertThatThrownBy(() -> ShellExports.of(Map.of("NAME", value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A control character in the value of NAME");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "lower", "1A", "A B", "A;id", "A="})
    void shouldRefuseWhatIsNoNameOfAVariable(String name) {
        assertThatThrownBy(() -> ShellExports.of(Map.of(name, "value")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Not the name of a shell variable: " + name);
    }

    private static String throughShell(String value) throws IOException, InterruptedException {
        String script = ShellExports.of(Map.of("NAME", value)) + "exec printenv NAME\n";
        Process shell = new ProcessBuilder("sh", "-eu").start();
        try (var stdin = shell.getOutputStream()) {
            stdin.write(script.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(shell.waitFor(10, TimeUnit.SECONDS)).as("sh ends").isTrue();
        assertThat(shell.exitValue()).isZero();
        return output.substring(0, output.length() - 1);
    }
}
