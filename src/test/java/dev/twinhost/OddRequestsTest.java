package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What no browser sends: names that are not the site's, and bytes that are not text. What the edge answers, and what its log holds for a strict reader. */
@Tag("root")
class OddRequestsTest {
    private static final String WWW = "https://www.example.com";
    private static final String CLIENT = "odd_requests.py";
    private static final String PIPE = "piped_log.sh";
    private static final Path RESOURCES = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/edge");
    private static final ObjectReader STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .reader();
    // https://curl.se/libcurl/c/libcurl-errors.html
    private static final int HTTP2_ENDED = 16;
    private static final int STREAM_ENDED = 92;

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        visitor = new Visitor(surroundings);
        surroundings.giveVisitor(CLIENT, Files.readString(RESOURCES.resolve(CLIENT)));
    }

    /**
     * A connection that was opened for a name of the site, and a request for none: https://github.com/nginx/nginx-gateway-fabric/issues/170,
     * https://github.com/nginx-proxy/nginx-proxy/issues/950
     */
    @Test
    void shouldHaveNoPageForANameThatIsNotTheSites() {
        assertThat(odd("name")).isEqualTo("""
                name https host: 'HTTP/1.1 421 Misdirected Request'
                name https absolute: 'HTTP/1.1 421 Misdirected Request'
                name https none: 'HTTP/1.1 421 Misdirected Request'
                name https address: 'HTTP/1.1 421 Misdirected Request'
                name https below: 'HTTP/1.1 421 Misdirected Request'
                name https apex: 'HTTP/1.1 421 Misdirected Request'
                name https head: 'HTTP/1.1 421 Misdirected Request'
                name https old: 'misdirected request'
                name http host: ''
                name http none: ''
                """);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldSayToABrowserThatItIsTheWrongConnection(String protocol) {
        EdgeSurroundings.Ended ended =
                visitor.curl(WWW + "/", protocol, "-H", "Host: evil.example.org", "-w", "%{http_code}");

        assertThat(ended.output()).isEqualTo("misdirected request\n421");
    }

    /**
     * Numbers that JSON does not have, and bytes that are not UTF-8: https://github.com/ministryofjustice/cloud-platform-infrastructure/pull/452,
     * https://github.com/freeunitorg/freeunit/pull/196, https://github.com/avito-tech/nginx-log-collector/issues/10
     */
    @Test
    void shouldLogEveryRequestAsJsonForAStrictReader() {
        List<String> answers = odd("path", "header", "line", "gone").lines().toList();
        assertThat(answers).hasSize(17);
        EdgeSurroundings.Ended ended =
                visitor.curl(WWW + "/odd/cookies", "--http2", "-H", "Cookie: " + "c".repeat(17_000));
        assertThat(ended.status()).as(ended.error()).isIn(HTTP2_ENDED, STREAM_ENDED);
        assertThat(visitor.get(WWW + "/odd/last").status()).isEqualTo(200);

        Await.that("the log", EdgeSurroundings.LIMIT, () -> log().containsKey("/odd/last"));
        Map<String, List<JsonNode>> log = log();
        assertThat(log)
                .containsKeys(
                        "/odd/caf\ufffd/men?nave",
                        "/odd/caf\u00e9/\u20ac/\ud83d\ude00",
                        "/odd/\ufffd",
                        "/odd/\ufffd//",
                        "/odd/" + "\u00e9".repeat(3000) + "\ufffd",
                        "/odd/large");
        assertThat(log.get("/odd/\ufffd").stream()
                        .map(line -> line.at("/status").intValue()))
                .contains(200, 301, 400);
        JsonNode agent = log.get("/odd/agent").get(0);
        assertThat(agent.at("/agent").textValue()).isEqualTo("a\ufffd b\u0001\u001f\u007f\u00e9\"\\");
        assertThat(agent.at("/referer").textValue()).isEqualTo("\ufffd, \u00fc");
        JsonNode ofNone = log.get("/odd/cookies").get(0);
        assertThat(ofNone.at("/status").isInt()).isTrue();
        assertThat(ofNone.at("/status").intValue()).isZero();
        log.values().stream().flatMap(List::stream).forEach(line -> {
            for (String number : List.of("/status", "/bytes", "/seconds")) {
                assertThat(line.at(number).isNumber()).as(line.toString()).isTrue();
            }
        });
    }

    /** A pipe that is full takes a long text in pieces, with those of another worker between them. */
    @Test
    void shouldKeepTheLinesOfTwoWorkersApartInAPipe() throws IOException {
        EdgeSurroundings.Ended ended =
                surroundings.runWithInput(Files.readString(RESOURCES.resolve(PIPE)), EdgeSurroundings.Place.EDGE, "sh");

        assertThat(ended.output()).as(ended.error()).isEqualTo("4000 lines, 0 broken\n");
    }

    /** What the client says whose name begins so. */
    private static String odd(String... names) {
        List<String> words = new ArrayList<>(List.of("python3", "/mnt/" + CLIENT));
        words.addAll(List.of(names));
        EdgeSurroundings.Ended ended = surroundings.run(EdgeSurroundings.Place.VISITOR, words.toArray(String[]::new));
        assertThat(ended.status()).as(ended.error()).isZero();
        return ended.output();
    }

    /** The requests that the edge has logged, by their paths. */
    private static Map<String, List<JsonNode>> log() {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(root.resolve("edge.log"))))
                    .toString();
            List<JsonNode> lines = new ArrayList<>();
            for (String line : text.lines().filter(line -> line.startsWith("{")).toList()) {
                lines.add(STRICT.readTree(line));
            }
            return lines.stream()
                    .collect(Collectors.groupingBy(line -> line.at("/uri").textValue()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
