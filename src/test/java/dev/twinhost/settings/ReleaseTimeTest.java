package dev.twinhost.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReleaseTimeTest {
    @ParameterizedTest
    @CsvSource({
        "1, 60, 1, 540",
        "2, 60, 1, 540",
        "2, 178, 1, 540",
        "2, 179, 1, 542",
        "8, 60, 1, 946",
        "9, 60, 2, 625",
        "16, 60, 2, 946",
        "17, 60, 3, 732",
        "100, 60, 13, 946",
        "3, 900, 1, 2931",
        "100, 391, 13, 3594"
    })
    void shouldExchangeTheContainersInEightRoundsAtMostAndGiveEachItsTime(
            int replicas, int start, int parallelism, int converge) {
        ReleaseTime time = new ReleaseTime(replicas, start);

        assertThat(time.parallelism()).isEqualTo(parallelism);
        assertThat(time.convergeSeconds()).isEqualTo(converge);
    }

    @Test
    void shouldNotTakeLongerForAHundredContainersThanForEight() {
        int eight = new ReleaseTime(8, 60).convergeSeconds();

        assertThat(IntStream.rangeClosed(1, 100).map(replicas -> new ReleaseTime(replicas, 60).convergeSeconds()))
                .allMatch(seconds -> seconds <= eight);
    }

    @Test
    void shouldAddUpToWhatAnOrdinarySiteTakes() {
        ReleaseTime time = new ReleaseTime(2, 60);

        assertThat(time.backSeconds()).isEqualTo(450);
        assertThat(time.turnSeconds()).isEqualTo(60 + 135 + 180 + 540 + 20 + 450);
        assertThat(time.commandSeconds()).isEqualTo(3820);
        assertThat(time.stepSeconds()).isEqualTo(3940);
        assertThat(time.answerSeconds()).isEqualTo(4720);
    }

    /** One that began at the same moment, pulled as long, had its turn first, failed, and went back as slowly as it may. */
    @ParameterizedTest
    @CsvSource({"1, 5", "1, 900", "2, 60", "3, 900", "8, 391", "50, 200", "100, 60", "100, 391"})
    void shouldLeaveTimeForAReleaseThatHasToWaitForAnother(int replicas, int start) {
        ReleaseTime time = new ReleaseTime(replicas, start);
        int goingBack = time.convergeSeconds() > 540 ? time.convergeSeconds() - 90 + 210 : 450;
        int turn = start + 135 + 180 + time.convergeSeconds() + 20 + goingBack;

        assertThat(time.turnSeconds()).isGreaterThanOrEqualTo(turn);
        assertThat(time.commandSeconds())
                .as("a pull, the wait for the turn as the agent has it, and the own turn")
                .isGreaterThanOrEqualTo(900 + time.turnSeconds() + 120 + time.turnSeconds());
        assertThat(time.stepSeconds())
                .as("the command, and a minute until KILL")
                .isBetween(time.commandSeconds() + 60 + 1, 172_800);
        assertThat(time.answerSeconds())
                .as("ten minutes for a machine before that one")
                .isBetween(time.stepSeconds() + 600, 43_200);
    }
}
