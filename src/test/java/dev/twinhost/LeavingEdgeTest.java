package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How an edge comes and goes: what it tells the balancer, what visitors meet meanwhile, and who stays where two are to go. */
@Tag("root")
class LeavingEdgeTest {
    private static final int LAME_DUCK_SECONDS = 4;
    private static final String SERVES_ON = "no other edge is healthy: serves on";

    @AutoClose
    private EdgeSurroundings surroundings;

    @BeforeEach
    void start(@TempDir Path root) throws Exception {
        surroundings = new EdgeSurroundings(root, LAME_DUCK_SECONDS);
    }

    @Test
    void shouldServeOnWhileTheBalancerIsToldToSendNobodyMoreAndThenEnd() throws Exception {
        Visitor visitor = new Visitor(surroundings);
        surroundings.signal(Place.EDGE, "TERM");
        awaitHealth(Place.EDGE, false);

        assertThat(visitor.get("https://www.example.com/").status()).isEqualTo(200);
        assertThat(visitor.get("http://example.com/").status()).isEqualTo(301);
        assertThat(visitor.get("http://" + EdgeSurroundings.EDGE + "/healthz").status())
                .isEqualTo(503);
        assertThat(visitor.get("http://" + EdgeSurroundings.EDGE + "/livez").status())
                .isEqualTo(200);
        assertThat(surroundings.runs(Place.EDGE)).isTrue();
        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
    }

    @Test
    void shouldSendNobodyAwayWhileNoOtherEdgeIsHealthy() throws Exception {
        surroundings.neighbour(false);
        surroundings.signal(Place.EDGE, "TERM");
        awaitLog(Place.EDGE, SERVES_ON);
        assertThat(surroundings.healthy(Place.EDGE)).isTrue();

        surroundings.neighbour(true);
        awaitHealth(Place.EDGE, false);
        surroundings.neighbour(false);
        awaitHealth(Place.EDGE, true);
        assertThat(surroundings.runs(Place.EDGE)).isTrue();

        surroundings.neighbour(true);
        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
    }

    @Test
    void shouldTakeNothingElseForAnEdge() throws Exception {
        surroundings.stopApplication();
        surroundings.startApplication("8080");
        surroundings.nameEdges("10.0.1.2");
        surroundings.signal(Place.EDGE, "TERM");

        awaitLog(Place.EDGE, SERVES_ON);
    }

    @Test
    void shouldGoOneAfterTheOtherWhereAllAreToldToEndAtOnce() throws Exception {
        // Swarm takes an edge out of the DNS as soon as it is told to end.
        surroundings.nameEdges();
        surroundings.signal(Place.EDGE, "TERM");
        surroundings.signal(Place.NEIGHBOUR, "TERM");

        Await.that(
                "one of them to end",
                EdgeSurroundings.LIMIT,
                () -> !surroundings.runs(Place.EDGE) || !surroundings.runs(Place.NEIGHBOUR));
        Place first = surroundings.runs(Place.EDGE) ? Place.NEIGHBOUR : Place.EDGE;
        Place second = first == Place.EDGE ? Place.NEIGHBOUR : Place.EDGE;
        assertThat(surroundings.awaitEnd(first)).isZero();
        awaitLog(second, SERVES_ON);
        assertThat(surroundings.healthy(second)).isTrue();

        surroundings.startEdge(first);
        surroundings.nameEdges("10.0.3.1", "10.0.3.2");
        assertThat(surroundings.awaitEnd(second)).isZero();
        assertThat(surroundings.healthy(first)).isTrue();
    }

    @Test
    void shouldGoInAnyCaseWhereItsMachineGoes() throws Exception {
        surroundings.neighbour(false);
        surroundings.retire();
        surroundings.signal(Place.EDGE, "TERM");

        assertThat(surroundings.awaitEnd(Place.EDGE)).isZero();
        assertThat(surroundings.log(Place.EDGE)).contains("lame duck for " + LAME_DUCK_SECONDS + " s");
    }

    @Test
    void shouldTellTheBalancerThatItIsHealthyWhenTheApplicationIsKnown() throws Exception {
        surroundings.signal(Place.EDGE, "TERM");
        surroundings.awaitEnd(Place.EDGE);
        surroundings.forgetApplication();

        surroundings.startEdge(Place.EDGE);
        awaitLog(Place.EDGE, "waits for the application");
        assertThat(surroundings.healthy(Place.EDGE)).isFalse();

        surroundings.moveApplication("10.0.1.2");
        awaitHealth(Place.EDGE, true);
        surroundings.forgetApplication();
        assertThat(surroundings.healthy(Place.EDGE)).isTrue();
    }

    private void awaitHealth(Place edge, boolean healthy) {
        Await.that(
                healthy ? "a healthy edge" : "a lame duck",
                EdgeSurroundings.LIMIT,
                () -> surroundings.healthy(edge) == healthy);
    }

    private void awaitLog(Place edge, String line) {
        Await.that(
                "the edge to say so",
                EdgeSurroundings.LIMIT,
                () -> surroundings.log(edge).contains(line));
    }
}
