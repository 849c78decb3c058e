package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the person at the terminal reads when a site cannot come up. */
@Tag("rehearsal")
class FailedStartTest {
    private Commands commands;

    @AfterEach
    void end() throws Exception {
        // From here: the copy that was rehearsed is gone.
        assertThat(new Commands(Path.of(""), 'r').run("down"))
                .extracting(Commands.Run::status)
                .isEqualTo(0);
    }

    @Test
    void shouldFailWithNginxsOwnMessageWhereAFileOfNginxIsBroken() throws Exception {
        try (TreeCopy copy = new TreeCopy()) {
            copy.append("nginx/conf.d/site.conf", "\nserve_better on;\n");
            Commands.Run up = up(copy.folder());
            assertThat(up.status()).isEqualTo(1);
            assertThat(up.output())
                    .contains("unknown directive \"serve_better\"")
                    .containsPattern("host \\d \\(i-0\\w+, 10\\.42\\.\\d\\.10\\) has signalled failure\\.")
                    .endsWith(
                            "Everything is left as it is now. Look at it with bin/rehearse status and bin/rehearse exec"
                                    + " HOST bash, end it with bin/rehearse down.\n");
            assertThat(commands.run("up").output())
                    .isEqualTo(
                            "A rehearsal of this working copy is being started, or was left by a start that did not end:"
                                    + " end it with bin/rehearse down.\n");
            assertThat(commands.run("exec", "1", "cat", "/etc/hostname").output())
                    .isEqualTo("ip-10-42-0-10\n");
        }
    }

    @Test
    void shouldShowTheLastLinesOfAHostWhoseUserDataFails() throws Exception {
        try (TreeCopy copy = new TreeCopy()) {
            copy.replace(
                    "src/main/resources/dev/twinhost/user-data.sh",
                    "set -Eeuo pipefail\n",
                    "echo 'the disk is on fire'\nexit 3\n");
            Commands.Run up = up(copy.folder());
            assertThat(up.status()).isEqualTo(1);
            String host = "host \\d \\(i-0\\w+, 10\\.42\\.\\d\\.10\\)";
            assertThat(up.output())
                    .containsPattern("The user-data of " + host + " has failed: .*scripts_user")
                    .containsPattern("The last lines of [\\w.-]+ of " + host + ":\n")
                    .contains("    the disk is on fire\n");
        }
    }

    @Test
    @Tag("extended")
    void shouldFailWithWhatIamSaysWhereTheRoleLacksAStatement() throws Exception {
        try (TreeCopy copy = new TreeCopy()) {
            copy.replace(
                    "src/main/java/dev/twinhost/MachineRole.java",
                    "allow(\"SignalToTheStackByItsName\", List.of(\"cloudformation:SignalResource\"), stackByName());",
                    "stackByName();");
            Commands.Run up = up(copy.folder());
            assertThat(up.status()).isEqualTo(1);
            assertThat(up.output())
                    .containsPattern("host \\d \\(i-0\\w+, 10\\.42\\.\\d\\.10\\) was denied a call of AWS: User:"
                            + " arn:aws:sts::123456789012:assumed-role/\\S+ is not authorized to perform:"
                            + " cloudformation:SignalResource on resource: \\S+:stack/Twinhost/\\* because no identity-based"
                            + " policy allows the cloudformation:SignalResource action\\.");
        }
    }

    @Test
    void shouldRefuseACertificateAuthorityByNameAndLeaveNothing() throws Exception {
        commands = new Commands(Path.of(""), 'r');
        Commands.Run up = commands.run("up", "-c", "acmeServer=https://acme.example.net/directory");
        assertThat(up.status()).isEqualTo(1);
        assertThat(up.output())
                .endsWith("acmeServer https://acme.example.net/directory: the rehearsal cannot play this CA; it plays"
                        + " production and staging of Let's Encrypt\n");
        assertThat(new Leftovers(commands.id()).find()).isEmpty();
    }

    @Test
    void shouldPassOnWhatIsWrongWithTheSettings() throws Exception {
        commands = new Commands(Path.of(""), 'r');
        Commands.Run up = commands.run("up", "-c", "appReplicas=none", "-c", "zones=9");
        assertThat(up.status()).isEqualTo(1);
        assertThat(up.output())
                .contains("appReplicas: ", "zones: ")
                .endsWith("The template cannot be synthesised, for the reason above.\n");
        assertThat(new Leftovers(commands.id()).find()).isEmpty();
    }

    private Commands.Run up(Path checkout) throws Exception {
        commands = new Commands(checkout, 'r');
        commands.run("down");
        return commands.run("up");
    }
}
