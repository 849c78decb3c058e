package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of a rehearsal, at whatever moment it comes. */
@Tag("rehearsal")
class DownTest {
    private final Commands commands = new Commands(Path.of(""), 'd');
    private String links;

    @BeforeEach
    void begin() throws Exception {
        commands.run("down");
        links = Leftovers.links();
    }

    @AfterEach
    void end() throws Exception {
        assertThat(commands.run("down")).extracting(Commands.Run::status).isEqualTo(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Synthesise the template", "Network: ", "Boot 2 of ", "Wait for the signals"})
    void shouldLeaveNothingAlsoAfterTheCommandWasKilled(String moment) throws Exception {
        Process up = commands.start("up");
        try (BufferedReader output = up.inputReader()) {
            String line = output.readLine();
            while (!line.contains(moment)) {
                line = output.readLine();
            }
            up.destroyForcibly();
            up.waitFor();
            Commands.Run down = commands.run("down");
            assertThat(down.status()).isZero();
            assertThat(down.output()).isEqualTo("Nothing of the rehearsal is left.\n");
            assertThat(new Leftovers(commands.id()).find()).isEmpty();
            assertThat(Leftovers.links()).isEqualTo(links);
            assertThat(commands.run("down")).isEqualTo(new Commands.Run(0, "There was nothing to end.\n"));
        }
    }
}
