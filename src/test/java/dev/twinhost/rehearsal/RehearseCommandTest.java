package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bin/rehearse} says, in one line and before it touches anything, where it cannot work. */
class RehearseCommandTest {
    @Test
    void shouldSayThatItNeedsLinux(@TempDir Path fakes) throws IOException {
        fake(fakes, "uname", "echo Darwin");
        assertThat(rehearse(fakes + ":" + System.getenv("PATH")))
                .isEqualTo(new Command.Result(
                        1,
                        "",
                        "bin/rehearse: needs Linux, for its namespaces; run it on a Debian 12 machine, a virtual one will"
                                + " do\n"));
    }

    @Test
    @Tag("root")
    void shouldSayThatItNeedsRoot() {
        Command.Result result = Command.of("setpriv", "--reuid=65534", "--clear-groups", "bin/rehearse", "up")
                .result();
        assertThat(result)
                .isEqualTo(
                        new Command.Result(
                                1,
                                "",
                                "bin/rehearse: needs root, for namespaces and mounts of its own; type: sudo bin/rehearse up\n"));
    }

    @Test
    @Tag("root")
    void shouldSayHowMuchSpaceIsMissingWhere(@TempDir Path fakes) throws IOException {
        fake(fakes, "df", "printf 'Avail\\n12M\\n'");
        assertThat(rehearse(fakes + ":" + System.getenv("PATH")))
                .isEqualTo(new Command.Result(
                        1, "", "bin/rehearse: /var/lib has 12 MB free and the machines take 2500; make room there\n"));
    }

    @Test
    @Tag("root")
    void shouldSayWhichPackageCannotBeInstalled(@TempDir Path fakes) throws IOException {
        fake(fakes, "apt-get", "echo 'E: Unable to locate package mmdebstrap'; exit 100");
        Path withoutIt = fakes.resolve("without-mmdebstrap");
        Files.writeString(withoutIt, "command() { [[ $2 != mmdebstrap ]] && builtin command \"$@\"; }\n");
        Command.Result result = Command.of("bin/rehearse", "up")
                .with("PATH", fakes + ":" + System.getenv("PATH"))
                .with("BASH_ENV", withoutIt.toString())
                .result();
        assertThat(result)
                .isEqualTo(new Command.Result(
                        1,
                        "Installing mmdebstrap\n",
                        "bin/rehearse: cannot install mmdebstrap (Unable to locate package mmdebstrap); see to that and try"
                                + " again\n"));
    }

    @Test
    void shouldRefuseADiskThatIsTooSmall() throws Exception {
        Commands.Run run = new Commands(Path.of(""), 'x').run("up", "--disk", "999");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.output()).startsWith("--disk: got 999, want 1000 or more MiB\n");
    }

    @Test
    void shouldRefuseATimeBetweenPollsThatIsNone() throws Exception {
        Commands.Run run = new Commands(Path.of(""), 'x').run("release", "--polled", "0");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.output()).startsWith("--polled: got 0, want 1 to 3600 seconds\n");
    }

    @Test
    void shouldRefuseALauncherThatIsNotThere() throws Exception {
        Commands.Run run = new Commands(Path.of(""), 'x').run("roll", "--launcher", "missing.sh");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.output()).startsWith("--launcher: cannot be read, got missing.sh, want a script\n");
    }

    @Test
    void shouldRefuseAnImageThatIsNone() throws Exception {
        Commands.Run up = new Commands(Path.of(""), 'x').run("up", "--image", "pom.xml");
        assertThat(up.status()).isEqualTo(2);
        assertThat(up.output())
                .startsWith(
                        "--image: pom.xml: is no archive; want a file that docker save has written, or an OCI archive"
                                + " or folder\n");
        Commands.Run push = new Commands(Path.of(""), 'x').run("push", "missing.tar");
        assertThat(push.status()).isEqualTo(2);
        assertThat(push.output())
                .startsWith("FILE: missing.tar: cannot be read; want a file that docker save has written, or an OCI"
                        + " archive or folder\n");
    }

    private static Command.Result rehearse(String path) {
        return Command.of("bin/rehearse", "up").with("PATH", path).result();
    }

    private static void fake(Path folder, String command, String script) throws IOException {
        Path file = folder.resolve(command);
        Files.writeString(file, "#!/bin/bash\n" + script + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }
}
