package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the commands that act on machines refuse, in one sentence each; they change nothing of the site. */
@OnSharedSite
class MachineCommandsTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    start 1 | Machine 1 is on already.
                    kill 9 | There is no machine 9; there are: 1, 2, witness
                    start 9 | There is no machine 9; there are: 1, 2, witness
                    replace 9 | There is no machine 9; there are: 1, 2, witness
                    roll Nobody | There is no group Nobody; there are: Hosts, Witness
                    """)
    void shouldRefuseInOneSentence(String command, String sentence, SharedSite site) throws Exception {
        Commands.Run run = site.commands().run(command.split(" "));
        assertThat(run).isEqualTo(new Commands.Run(1, sentence + "\n"));
    }
}
