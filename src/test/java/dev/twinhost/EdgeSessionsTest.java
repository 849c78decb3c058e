package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is open while the edge takes a new certificate, which is a reload, or is exchanged by a release. */
@Tag("root")
class EdgeSessionsTest {
    private static final String WWW = "https://www.example.com";
    private static final String PACE = "300/m";
    private static final int LAME_DUCK_SECONDS = 4;
    // https://curl.se/libcurl/c/libcurl-errors.html
    private static final int COULD_NOT_CONNECT = 7;

    @TempDir
    Path root;

    @AutoClose
    private EdgeSurroundings surroundings;

    private Visitor visitor;

    private void open(int lastSeconds) throws Exception {
        surroundings = new EdgeSurroundings(
                root,
                Map.of(
                        "TWINHOST_LAME_DUCK",
                        Integer.toString(LAME_DUCK_SECONDS),
                        "TWINHOST_EDGE_LAST",
                        Integer.toString(lastSeconds)));
        visitor = new Visitor(surroundings);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldAnswerEveryRequestOfASessionAcrossAReload(String protocol) throws Exception {
        open(60);
        CompletableFuture<Ended> session = session(protocol, 80);
        surroundings.issueCertificate();
        Await.that("the reload", EdgeSurroundings.LIMIT, this::hasReloaded);
        assertThat(session).isNotDone();

        Ended ended = session.get();

        assertThat(ended.status()).as(ended.error()).isZero();
        assertThat(ended.output().lines()).hasSize(80).allMatch(line -> line.startsWith("200 "));
        assertThat(connections(ended))
                .as("one more, after the word that it was the last")
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldAnswerEveryRequestOfASessionUntilItsEdgeHasGone(String protocol) throws Exception {
        open(60);
        CompletableFuture<Ended> session = session(protocol, 120);
        surroundings.signal(Place.EDGE, "TERM");
        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();

        Ended ended = session.get();

        // Only a new connection is refused: in a cluster the balancer leads it to the other host.
        assertThat(ended.status()).as(ended.error()).isEqualTo(COULD_NOT_CONNECT);
        List<String> answers = ended.output().lines().toList();
        assertThat(answers.subList(0, answers.size() - 1))
                .hasSizeGreaterThan(5 * LAME_DUCK_SECONDS)
                .allMatch(line -> line.startsWith("200 "));
        assertThat(answers.get(answers.size() - 1)).startsWith("000 ");
        assertThat(connections(ended)).isEqualTo(1);
    }

    @Test
    void shouldTakeAnUploadThatBeganBeforeItsEdgeWasToldToGo() throws Exception {
        open(60);
        CompletableFuture<Ended> upload = upload(900_000, "60k");
        surroundings.signal(Place.EDGE, "TERM");
        awaitNoNewConnections();
        assertThat(upload).isNotDone();

        assertThat(upload.get().output()).contains("\"received\": 900000,").endsWith("\n200");
        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
    }

    @Test
    void shouldEndAnUploadThatTakesLongerThanAnEdgeMayTakeToGo() throws Exception {
        open(2);
        CompletableFuture<Ended> upload = upload(1_500_000, "60k");
        surroundings.signal(Place.EDGE, "TERM");

        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
        assertThat(upload.get().status()).isNotZero();
        assertThat(upload.get().output()).isEqualTo("\n000");
    }

    @Test
    void shouldKeepAWebSocketOpenAcrossAReload() throws Exception {
        open(60);
        String request =
                "GET /socket HTTP/1.1\\r\\nHost: www.example.com\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n";
        String talk = "{ printf '" + request
                + "'; until [ -e /mnt/talk ]; do sleep 0.1; done; echo 'said after it'; sleep 1; }"
                + " | openssl s_client -quiet -connect " + EdgeSurroundings.EDGE + ":8443 -servername www.example.com"
                + " | tee /mnt/heard";
        CompletableFuture<Ended> socket =
                CompletableFuture.supplyAsync(() -> surroundings.run(Place.VISITOR, "sh", "-c", talk));
        Await.that(
                "the socket to be open",
                EdgeSurroundings.LIMIT,
                () -> surroundings.fromVisitor("heard").contains(" 101 "));
        surroundings.issueCertificate();
        Await.that("the reload", EdgeSurroundings.LIMIT, this::hasReloaded);

        surroundings.giveVisitor("talk", "");

        assertThat(socket.get().output()).endsWith("SAID AFTER IT\n");
    }

    /** So many requests, five a second, over one connection for as long as that is open; a line for each answer. */
    private CompletableFuture<Ended> session(String protocol, int requests) {
        return begun(() -> visitor.curl(
                WWW + "/session?number=[1-" + requests + "]",
                protocol,
                "--rate",
                PACE,
                "--fail-early",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code} %{num_connects}\n"));
    }

    private CompletableFuture<Ended> upload(int bytes, String rate) {
        surroundings.giveVisitor("upload", "x".repeat(bytes));
        return begun(() -> visitor.curl(
                WWW + "/upload", "--data-binary", "@/mnt/upload", "--limit-rate", rate, "-w", "\n%{http_code}"));
    }

    /** What runs from now on, and has its connection already. */
    private CompletableFuture<Ended> begun(Supplier<Ended> program) {
        CompletableFuture<Ended> begun = CompletableFuture.supplyAsync(program);
        Await.that("a connection", EdgeSurroundings.LIMIT, () -> connected() > 0);
        return begun;
    }

    /** Visitors' connections to the edge over TLS. */
    private long connected() {
        return surroundings
                .run(Place.VISITOR, "cat", "/proc/net/tcp")
                .output()
                .lines()
                .filter(line -> line.matches("(?i).*:20FB 01 .*"))
                .count();
    }

    private boolean hasReloaded() {
        return surroundings.edgeLog().stream().anyMatch(line -> line.startsWith("serves certificate "));
    }

    private void awaitNoNewConnections() {
        Await.that(
                "the edge to take no new connections",
                EdgeSurroundings.LIMIT,
                () -> visitor.curl(WWW + "/").status() == COULD_NOT_CONNECT);
    }

    private static int connections(Ended ended) {
        return ended.output()
                .lines()
                .filter(line -> !line.startsWith("000"))
                .mapToInt(line -> Integer.parseInt(line.split(" ")[1]))
                .sum();
    }
}
