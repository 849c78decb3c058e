package dev.twinhost.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What h2load 1.70.0 has printed and logged. */
class H2loadTest {
    /** Two clients with 50 requests a second each. */
    private static final double RATE = 100;

    @Test
    void shouldReadRequestsASecond() {
        assertThat(H2load.requestsPerSecond(recorded("h2load.txt"))).isEqualTo(442.50);
    }

    @Test
    void shouldReadTheBytesOfBodies() {
        assertThat(H2load.bytes(recorded("h2load.txt"))).isEqualTo(7968);
        assertThatThrownBy(() -> H2load.bytes(recorded("h2load.txt").replace("(7968) data", "(0) data")))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("No answers had a body:\n");
    }

    /** After as many requests as a server takes over one connection of HTTP/2, h2load has stopped before its time. */
    @Test
    void shouldRefuseARunInWhichNothingWasMeasured() {
        assertThatThrownBy(() -> H2load.requestsPerSecond(recorded("h2load-nothing.txt")))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("Not every request was answered well:\nstarting benchmark...")
                .hasMessageContaining("finished in 2.00s, 0.00 req/s");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 failed | 1 failed",
                "0 errored | 1 errored",
                "0 timeout | 1 timeout",
                "0 3xx | 1 3xx",
                "0 5xx | 885 5xx",
                "885 2xx | 884 2xx",
                "885 succeeded | 884 succeeded",
                "finished in | ended in"
            })
    void shouldRefuseARunInWhichARequestFailed(String words, String others) {
        String printed = recorded("h2load.txt");
        assertThat(printed).contains(words);

        assertThatThrownBy(() -> H2load.requestsPerSecond(printed.replace(words, others)))
                .isInstanceOf(Failure.class);
    }

    @Test
    void shouldCountFromWhenARequestWasDue() {
        H2load.Tail tail = H2load.due(stalled(), 40, 2, RATE, 0);

        // those of the other client are due 5 ms after those of the first: five of them wait for the end of the stall
        assertThat(tail.late()).hasSize(38);
        assertThat(tail.late()[37]).isCloseTo(50, within(0.001));
        assertThat(tail.late()[36]).isCloseTo(45, within(0.001));
        assertThat(tail.late()[32]).isCloseTo(5, within(0.001));
        assertThat(tail.late()[31]).isCloseTo(0, within(0.001));
        assertThat(tail.latencies()[37]).isCloseTo(50.4, within(0.001));
        assertThat(tail.latencies()[0]).isCloseTo(0.4, within(0.001));
        assertThat(tail.taken()).hasSize(38).containsOnly(0.4);
    }

    @Test
    void shouldLeaveOutTheTimeInWhichConnectionsAreMade() {
        H2load.Tail tail = H2load.due(stalled(), 40, 2, RATE, 250_000);

        assertThat(tail.late()[tail.late().length - 1]).isCloseTo(0, within(0.001));
        assertThat(tail.late()).hasSize(12);
    }

    @Test
    void shouldRefuseALogThatLacksARequestOrHasOneThatFailed() {
        List<String> log = stalled();
        assertThatThrownBy(() -> H2load.due(log.subList(1, 40), 40, 2, RATE, 0))
                .isInstanceOf(Failure.class)
                .hasMessage("h2load has logged 39 requests instead of 40");

        log.set(7, log.get(7).replace("\t200\t", "\t-1\t"));
        assertThatThrownBy(() -> H2load.due(log, 40, 2, RATE, 0))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("A request was not answered well: ");
    }

    @ParameterizedTest
    @CsvSource({"50, 2", "75, 3", "76, 4", "99.9, 4", "100, 4", "1, 1"})
    void shouldTakeTheNearestRank(double percent, double figure) {
        assertThat(H2load.Tail.percentile(new double[] {1, 2, 3, 4}, percent)).isEqualTo(figure);
    }

    /** A log of 400 ms in the order of its ends: nothing was sent between 100 and 150 ms, and then everything at once. */
    private static List<String> stalled() {
        List<String> log = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            long due = i / 2 * 20_000L + i % 2 * 5_000L;
            long sent = due >= 100_000 && due < 150_000 ? 150_000 : due;
            log.add((1_796_058_113_000_000L + sent) + "\t200\t400");
        }
        return log;
    }

    private static String recorded(String name) {
        try (var file = H2loadTest.class.getResourceAsStream(name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
