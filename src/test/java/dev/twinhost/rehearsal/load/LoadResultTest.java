package dev.twinhost.rehearsal.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadResultTest {
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void shouldTellHowALoadWent() {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            requests.add(request(i * 1000, 7, "i-1", "one", ""));
        }
        requests.add(request(8000, 5000, "i-2", "", "answer: not within 5 s"));
        requests.add(request(9000, 1034, "i-1", "two", ""));
        requests.add(request(10500, 2, "", "", "connection: Connection refused"));
        requests.add(request(10400, 5000, "i-3", "", "answer: not within 5 s"));
        assertThat(new LoadResult(20, requests, Map.of("i-1", "1", "i-2", "witness")).text())
                .isEqualTo("""
                        12 requests in 10.5 s, 20 a second: 3 failed
                        window      2.5 s, from 8.0 s to 10.5 s
                        error       2 × answer: not within 5 s
                        error       1 × connection: Connection refused
                        time        half within 7 ms, slowest 1034 ms at 9.0 s
                        host        1 (i-1): 9
                        host        witness (i-2): 1, 1 of them failed
                        host        ? (i-3): 1, 1 of them failed
                        host        none: 1, 1 of them failed
                        container   one: 8
                        container   two: 1""");
    }

    @Test
    void shouldTellOfALoadWithoutFailures() {
        LoadResult result = new LoadResult(20, List.of(request(0, 7, "i-1", "one", "")), Map.of("i-1", "1"));
        assertThat(result.failures()).isEmpty();
        assertThat(result.window()).isZero();
        assertThat(result.text()).startsWith("1 requests in 0.0 s, 20 a second: 0 failed\ntime  ");
    }

    @Test
    void shouldTellOfALoadThatHasSentNothingYet() {
        assertThat(new LoadResult(20, List.of(), Map.of()).text())
                .isEqualTo("0 requests in 0.0 s, 20 a second: 0 failed");
    }

    @Test
    void shouldSayThatItWasLateItself() {
        Request late = new Request(BEGIN, Duration.ofMillis(7), Duration.ofMillis(340), "i-1", "one", "");
        assertThat(new LoadResult(20, List.of(late), Map.of()).text())
                .contains("late        this machine was busy: requests were sent up to 340 ms late");
    }

    @Test
    void shouldCountTheFailuresBetweenTwoMoments() {
        LoadResult result = new LoadResult(
                20,
                List.of(
                        request(1000, 5000, "", "", "answer: none"),
                        request(1999, 5000, "", "", "answer: none"),
                        request(1500, 5, "i-1", "one", ""),
                        request(2000, 5000, "", "", "answer: none")),
                Map.of());
        assertThat(result.failuresBetween(BEGIN.plusMillis(1000), BEGIN.plusMillis(2000)))
                .extracting(Request::start)
                .containsExactly(BEGIN.plusMillis(1000), BEGIN.plusMillis(1999));
        assertThat(result.window()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void shouldReadWhatTheGeneratorHasWritten() {
        RequestLine line = new RequestLine(5, 7, 9, 40000, "one", "handshake: two\twords\n");
        assertThat(RequestLine.of(line.line()))
                .isEqualTo(new RequestLine(5, 7, 9, 40000, "one", "handshake: two words"));
    }

    @Test
    void shouldFindTheTargetOfAConnectionByPortAndTime(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("balancer.log"), """
                [NOTICE]   (11) : Server Https/i-1 is UP
                connection 203.0.113.10:40000 1700000001000 Https/i-1 1/0/53 2952 SD
                connection 203.0.113.10:40000 1700000900000 Https-open/i-2 1/0/53 2952 SD
                connection 203.0.113.10:40001 1700000001000 Https/<NOSRV> 1/-1/53 0 SC
                """);
        BalancerLog log = BalancerLog.read(file);
        assertThat(log.target(40000, 1700000000998L, Duration.ofMillis(50))).contains("i-1");
        assertThat(log.target(40000, 1700000899998L, Duration.ofMillis(50))).contains("i-2");
        assertThat(log.target(40000, 1700000500000L, Duration.ofMillis(50))).isEmpty();
        assertThat(log.target(40001, 1700000001000L, Duration.ofMillis(50))).isEmpty();
    }

    private static Request request(int millis, int took, String host, String container, String error) {
        return new Request(BEGIN.plusMillis(millis), Duration.ofMillis(took), Duration.ZERO, host, container, error);
    }
}
