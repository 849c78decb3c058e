package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fast test that lacks a program says so, and none runs a program that it does not name. */
class NeedsTest {
    private static final String SENTENCE =
            "needs jq (package jq), envsubst (package gettext-base): install it, or run" + " bin/test";

    @TempDir
    Path folder;

    @Test
    void shouldNameWhatIsMissingAndItsPackage() {
        new Shell(folder).standIn("openssl", "exit 0");
        String path = folder.resolve("stand-ins").toString();

        assertThat(Needs.Condition.missing(new String[] {"openssl", "jq", "envsubst"}, path))
                .hasValue(SENTENCE);
        assertThat(Needs.Condition.missing(new String[] {"openssl"}, path)).isEmpty();
    }

    @Test
    void shouldNameTheCommandThatInstallsPackagesOfNpm() {
        assertThat(Needs.Condition.missing(new String[] {"src/test/nowhere/node_modules"}, ""))
                .hasValue("needs src/test/nowhere/node_modules (npm ci --prefix src/test/nowhere): install it, or run"
                        + " bin/test");
        assertThat(Needs.Condition.missing(new String[] {"src/main/resources"}, ""))
                .isEmpty();
    }

    @Test
    void shouldFailInTheGateWhereAProgramIsMissing() {
        assertThatThrownBy(() -> Needs.Condition.judge(SENTENCE, true)).hasMessage(SENTENCE);
    }

    @Test
    void shouldHideFromATestWhatItDoesNotName() {
        Shell shell = new Shell(folder);

        for (String program : Programs.packages().keySet()) {
            assertThat(shell.bash("command -v " + program)).as(program).isEqualTo(new Shell.Result(1, ""));
        }
        assertThat(shell.bash("command -v node sed").status()).isZero();
    }

    @Test
    void shouldKnowThePackagesThatTheGateInstalls() {
        assertThat(Programs.packages())
                .containsEntry("envsubst", "gettext-base")
                .containsEntry("testssl", "testssl.sh")
                .containsEntry("openssl", "openssl")
                .doesNotContainKeys("node", "mvn");
    }
}
