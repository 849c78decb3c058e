package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The host agent by itself: its unit tests, its types and its style. */
@Needs({"mypy", "openssl", "python3", "ruff"})
class AgentTest {
    private static final String TESTS = Shell.CHECKOUT + "/src/test/python";
    private static final Pattern COUNT = Pattern.compile("Ran (\\d+) tests? in ([0-9.]+)s");

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createShell() {
        shell = new Shell(root)
                .with("PYTHONPATH", Shell.CHECKOUT + "/docker/host:" + TESTS)
                .with("PYTHONPYCACHEPREFIX", root + "/pycache")
                .with("MYPY_CACHE_DIR", Shell.CHECKOUT + "/target/mypy")
                .with("RUFF_CACHE_DIR", Shell.CHECKOUT + "/target/ruff");
    }

    @Test
    void shouldPassItsUnitTests() {
        Shell.Result result = inCheckout("python3 -m unittest discover -b -s " + TESTS + " -t " + TESTS);

        assertThat(result.status()).as(result.output()).isZero();
        Matcher count = COUNT.matcher(result.output());
        assertThat(count.find()).as(result.output()).isTrue();
        assertThat(Integer.parseInt(count.group(1))).isGreaterThan(100);
        System.out.printf("The agent's unit tests: %s in %s s%n", count.group(1), count.group(2));
    }

    @Test
    void shouldBeTypedToTheLast() {
        Shell.Result result = inCheckout("mypy");

        assertThat(result.status()).as(result.output()).isZero();
    }

    @Test
    void shouldKeepToOneStyle() {
        Shell.Result result = inCheckout(
                "ruff check -q docker/host src/test/python && ruff format -q --check docker/host src/test/python");

        assertThat(result.status()).as(result.output()).isZero();
    }

    private Shell.Result inCheckout(String command) {
        return shell.bash("PATH=${PATH#*:}\nunset TWINHOST_ROOT\ncd " + Shell.CHECKOUT + " && " + command);
    }
}
