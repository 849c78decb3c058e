package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Session tickets of one host's edge at the other one's, with the real Nginx and the real {@code twinhost tickets}. */
@Tag("root")
class EdgeTicketsTest {
    private static final Map<Place, String> ADDRESSES = Map.of(Place.EDGE, "10.0.3.1", Place.NEIGHBOUR, "10.0.3.2");
    private static final String TAKEN = "takes the keys of session tickets that the hosts share";
    private static final String REQUEST = "GET /livez HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n";
    private static final Pattern KIND = Pattern.compile("(?m)^(New|Reused), (TLSv1\\.[23]), ");
    private static final long SLOT = 43200;
    private static final long BEGIN = 40_000 * SLOT;

    @TempDir
    Path root;

    @AutoClose
    private EdgeSurroundings surroundings;

    @BeforeEach
    void open() throws Exception {
        surroundings = new EdgeSurroundings(root, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void shouldResumeASessionOfOneHostAtTheOther(String version) throws Exception {
        begin(version, Place.EDGE);
        assertThat(resume(version, Place.EDGE)).as("keys of its own").isEqualTo("Reused");
        assertThat(resume(version, Place.NEIGHBOUR)).as("keys of its own").isEqualTo("New");
        share(Place.EDGE, BEGIN);
        share(Place.NEIGHBOUR, BEGIN + SLOT - 1);

        begin(version, Place.EDGE);

        assertThat(resume(version, Place.NEIGHBOUR)).isEqualTo("Reused");
        restartEdge();
        assertThat(resume(version, Place.EDGE)).as("after a restart").isEqualTo("Reused");
        assertThat(resume(version, Place.NEIGHBOUR)).isEqualTo("Reused");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void shouldAcceptTheKeyBeforeAndTheNextButNoneThatIsGone(String version) {
        share(Place.EDGE, BEGIN);
        share(Place.NEIGHBOUR, BEGIN);
        begin(version, Place.NEIGHBOUR);

        share(Place.EDGE, BEGIN + SLOT);
        assertThat(resume(version, Place.EDGE)).as("the key before").isEqualTo("Reused");

        begin(version, Place.EDGE);
        assertThat(resume(version, Place.NEIGHBOUR)).as("the next key").isEqualTo("Reused");

        share(Place.EDGE, BEGIN + 3 * SLOT);
        assertThat(resume(version, Place.EDGE)).as("a key that is gone").isEqualTo("New");
    }

    @Test
    void shouldKeepItsKeysAndTakeANewCertificateWhereAKeyIsBroken() {
        share(Place.EDGE, BEGIN);
        share(Place.NEIGHBOUR, BEGIN);
        Map<Place, Set<String>> before =
                Map.of(Place.EDGE, workers(Place.EDGE), Place.NEIGHBOUR, workers(Place.NEIGHBOUR));
        surroundings.breakTickets();
        surroundings.issueCertificate();
        before.forEach((edge, workers) -> await(edge, "serves certificate ", 1, workers));

        begin("-tls1_3", Place.NEIGHBOUR);

        assertThat(resume("-tls1_3", Place.EDGE)).isEqualTo("Reused");
    }

    private void share(Place edge, long seconds) {
        Set<String> before = workers(edge);
        long lines = lines(edge, TAKEN);
        surroundings.shareTickets(edge, seconds);
        await(edge, TAKEN, lines + 1, before);
    }

    /** Waits until the edge has written so many lines that begin so, and none of these workers takes connections any more. */
    private void await(Place edge, String begin, long times, Set<String> before) {
        Await.that(
                begin,
                EdgeSurroundings.LIMIT,
                () -> lines(edge, begin) >= times && Collections.disjoint(workers(edge), before));
    }

    private Set<String> workers(Place edge) {
        String children = surroundings
                .run(edge, "sh", "-c", "read -r master </run/nginx.pid && cat /proc/$master/task/$master/children")
                .output()
                .strip();
        assertThat(children).isNotEmpty();
        return Set.of(children.split(" "));
    }

    private long lines(Place edge, String begin) {
        return surroundings.log(edge).stream()
                .filter(line -> line.startsWith(begin))
                .count();
    }

    private void restartEdge() throws InterruptedException {
        surroundings.signal(Place.EDGE, "TERM");
        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
        // the folder /run of a container begins empty
        assertThat(surroundings.run(Place.EDGE, "rm", "-r", "/run/tickets").status())
                .isZero();
        surroundings.startEdge(Place.EDGE);
    }

    /** A new session, which is kept. */
    private void begin(String version, Place edge) {
        assertThat(connect(version, edge, "-sess_out")).isEqualTo("New");
    }

    /** New or Reused: how the edge takes the session that is kept. */
    private String resume(String version, Place edge) {
        return connect(version, edge, "-sess_in");
    }

    private String connect(String version, Place edge, String session) {
        List<String> words = List.of(
                "openssl",
                "s_client",
                "-connect",
                ADDRESSES.get(edge) + ":8443",
                "-servername",
                "www.example.com",
                version,
                "-ign_eof",
                session,
                "/run/session");
        Ended ended = surroundings.runWithInput(REQUEST, Place.EDGE, words.toArray(String[]::new));
        assertThat(ended.output()).as(ended.error()).contains("HTTP/1.1 ");
        Matcher kind = KIND.matcher(ended.output());
        assertThat(kind.find()).as(ended.output()).isTrue();
        assertThat(kind.group(2)).isEqualTo(version.replace("-tls1_", "TLSv1."));
        return kind.group(1);
    }
}
