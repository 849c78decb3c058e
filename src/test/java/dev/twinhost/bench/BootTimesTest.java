package dev.twinhost.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import dev.twinhost.rehearsal.system.Failure;
import org.assertj.core.data.MapEntry;
import org.junit.jupiter.api.Test;

class BootTimesTest {
    /** The clock of the kernel began at 16:00:00; systemd began at 16:16:40. Times as Docker writes them. */
    private static final String NOTED = """
            {"uptime":1030.00,"now":1796055430.000000000,"userspace":1000000000,"docker":{"begun":1002000000,"active":1004500000},
             "task":"2026-11-30T16:16:47.000000001Z","created":"2026-11-30T16:16:47.5Z","started":"2026-11-30T16:16:48.000000001Z",
             "probe":{"Start":"2026-11-30T17:16:53.1+01:00","End":"2026-11-30T17:16:53.2+01:00"}}
            """;

    @Test
    void shouldAddUpWhatWasDoneAndNotWhatWasWaitedFor() {
        BootTimes times = BootTimes.of(NOTED);

        assertThat(times.parts().entrySet())
                .extracting(entry -> entry(entry.getKey(), Math.round(entry.getValue() * 1000)))
                .containsExactly(
                        part("boot", 2000),
                        part("dockerd", 2500),
                        part("join", 2500),
                        part("image there", 500),
                        part("task up", 600));
        assertThat(times.sum()).isCloseTo(8.1, within(0.001));
        // the probe came 5.1 s after the container's start
        assertThat(times.whole()).isCloseTo(13.2, within(0.001));
    }

    @Test
    void shouldRefuseWhatAnEarlierBootHasLeft() {
        assertThatThrownBy(() -> BootTimes.of(NOTED.replace("T16:16:47.0", "T16:06:47.0")))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("The part \"join\" took -597.");
    }

    @Test
    void shouldRefuseWhatIsNotWhole() {
        assertThatThrownBy(() -> BootTimes.of(NOTED.replace("1002000000", "0")))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("/docker/begun is missing");
        assertThatThrownBy(() -> BootTimes.of(NOTED.replace("\"End\"", "\"end\"")))
                .isInstanceOf(Failure.class)
                .hasMessageStartingWith("Not what boot-times.sh prints: ");
    }

    private static MapEntry<String, Long> part(String name, long milliseconds) {
        return entry(name, milliseconds);
    }
}
