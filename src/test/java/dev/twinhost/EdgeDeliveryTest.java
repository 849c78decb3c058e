package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How requests reach an application that speaks HTTP to the letter (edge/origin.py), how often, and how its answers come back. */
@Tag("root")
class EdgeDeliveryTest {
    private static final String WWW = "https://www.example.com";
    private static final String FIRST = "10.0.1.2";
    private static final String SECOND = "10.0.1.3";
    private static final String NOBODY = "10.0.1.9";
    private static final String READER = "/srv/reader.py";
    private static final String FIVE_LINES = "line 1\nline 2\nline 3\nline 4\nline 5\n";

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        surroundings.changeApplication("origin.py");
        visitor = new Visitor(surroundings);
    }

    /**
     * What is sent to a name that redirects arrives, by curl and by Python's urllib, instead of an empty GET that looks well:
     * https://github.com/nginx-proxy/nginx-proxy/issues/1738, https://github.com/voyagermesh/voyager/issues/816 (DELETE),
     * https://github.com/btcpayserver/btcpayserver-docker/pull/1126 (webhooks).
     */
    @ParameterizedTest
    @MethodSource("otherWaysIn")
    void shouldKeepMethodAndBodyInOneHop(String start, String method, String protocol) {
        String path = "/sent/" + method + protocol + start.replaceAll("\\W", "");
        Ended ended = visitor.curl(
                start + path,
                protocol,
                "-L",
                "-X",
                method,
                "-d",
                "order",
                "-o",
                "/dev/null",
                "-w",
                "%{num_redirects} %{http_code}");

        assertThat(ended.output()).isEqualTo("1 200");
        assertThat(surroundings.requests(path)).singleElement().satisfies(request -> {
            assertThat(request.at("/method").asText()).isEqualTo(method);
            assertThat(request.at("/body").asText()).isEqualTo("order");
        });
    }

    static Stream<Arguments> otherWaysIn() {
        return Stream.of("http://www.example.com", "http://example.com", "https://example.com", "https://example.net")
                .flatMap(start -> Stream.of(
                        Arguments.of(start, "POST", "--http1.1"),
                        Arguments.of(start, "POST", "--http2"),
                        Arguments.of(start, "PUT", "--http2"),
                        Arguments.of(start, "PATCH", "--http1.1"),
                        Arguments.of(start, "DELETE", "--http2")));
    }

    /** Of GET and HEAD, what every client understands; a preflight follows no redirect at all: https://fetch.spec.whatwg.org/#cors-preflight-fetch. */
    @ParameterizedTest
    @CsvSource({"GET,301", "HEAD,301", "OPTIONS,308"})
    void shouldRedirectOtherMethodsAsTheirClientsExpect(String method, int status) {
        for (String start : List.of("http://example.com/a?b=%20", "https://example.com/a?b=%20")) {
            Ended ended = visitor.curl(
                    start,
                    method.equals("HEAD") ? "-I" : "-X" + method,
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code} %header{location}");

            assertThat(ended.output()).isEqualTo(status + " " + WWW + "/a?b=%20");
        }
    }

    /**
     * A request that ends the process it comes to does not end each of them twice: https://github.com/nginx/kubernetes-ingress/issues/3056. Nor is what may have had an
     * effect repeated: https://github.com/apex/up/issues/214, https://github.com/openresty/openresty/issues/200. Tried three times, as those that failed lately are asked otherwise: all of
     * them together, or one whose time is over alone.
     */
    @ParameterizedTest
    @CsvSource({"GET,2", "HEAD,2", "PUT,2", "DELETE,2", "POST,1", "PATCH,1"})
    void shouldAskEachContainerAtMostOnceAndNoneAgainWhereThatIsNotSafe(String method, int times) {
        surroundings.moveApplication(FIRST, SECOND);
        try {
            awaitBoth();
            int most = 0;
            for (int i = 0; i < 3; i++) {
                String path = "/deadly/" + method + i;
                Ended ended = visitor.curl(
                        WWW + path + "?ends=1",
                        method.equals("HEAD") ? "-I" : "-X" + method,
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}");

                assertThat(ended.output()).isEqualTo("502");
                List<JsonNode> seen = surroundings.requests(path);
                assertThat(seen)
                        .extracting(request -> request.at("/at").asText())
                        .isNotEmpty()
                        .doesNotHaveDuplicates();
                most = Math.max(most, seen.size());
            }
            assertThat(most).isEqualTo(times);
            assertThat(visitor.get(WWW + "/alive").status()).isEqualTo(200);
        } finally {
            surroundings.moveApplication(FIRST);
        }
    }

    /** One container is one container, though Nginx has kept connections to it. */
    @Test
    void shouldAskTheOnlyContainerOnce() {
        visitor.get(WWW + "/warm");
        visitor.get(WWW + "/warm");

        assertThat(visitor.get(WWW + "/deadly/only?ends=1").status()).isEqualTo(502);

        assertThat(surroundings.requests("/deadly/only")).hasSize(1);
        assertThat(visitor.get(WWW + "/alive").status()).isEqualTo(200);
    }

    /** Where it keeps out of snippets/again.conf, nobody would ask a second time for it. */
    @Test
    void shouldServeALocationOfTheSitesOwnThoughTheOnlyContainerHasJustFailed() {
        surroundings.put(
                "site.d/mine.conf", "location /mine/ { error_page 418 = @again; proxy_pass http://app; gzip off; }\n");
        try {
            surroundings.reload();
            String query = "?size=5000&etag=%22strong%22";
            Await.that(
                    "the rule",
                    EdgeSurroundings.LIMIT,
                    () -> etag("/mine/page" + query).equals("\"strong\""));

            assertThat(visitor.get(WWW + "/mine/deadly?ends=1").status()).isEqualTo(502);
            assertThat(visitor.get(WWW + "/deadly/beside?ends=1").status()).isEqualTo(502);
            assertThat(visitor.get(WWW + "/mine/alive").status()).isEqualTo(200);
        } finally {
            surroundings.remove("site.d/mine.conf");
            surroundings.reload();
        }
    }

    /** A container that takes no connection has seen nothing: another one answers, whatever the method. */
    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST"})
    void shouldAskAnotherContainerWhereTheFirstTakesNoConnection(String method) {
        surroundings.moveApplication(NOBODY, FIRST);
        try {
            for (int i = 0; i < 4; i++) {
                assertThat(visitor.get(WWW + "/one-is-gone/" + method + i, "-X", method, "-d", "order")
                                .status())
                        .isEqualTo(200);
                assertThat(surroundings.requests("/one-is-gone/" + method + i)).hasSize(1);
            }
        } finally {
            surroundings.moveApplication(FIRST);
        }
    }

    /**
     * Each line is sent when the client has asked for it after it has got the one before: one that is held back, by a buffer, TLS or compression, never comes.
     * https://github.com/nginx/nginx/issues/1505, https://github.com/dstackai/dstack/issues/4269 and https://github.com/confidential-dot-ai/c8s/issues/140 (models),
     * https://github.com/gin-gonic/gin/issues/1589.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET  | text/event-stream  | Accept: text/event-stream",
                "GET  | text/event-stream  | Accept: application/json, text/event-stream",
                "POST | text/event-stream  | Accept: application/json",
                "POST | application/json   | Accept: */*",
                "GET  | text/event-stream  | Authorization: Bearer secret",
                "GET  | text/html          | Cookie: session=1",
                "GET  | application/json   | Cookie: session=1",
                "GET  | text/html          | header=X-Accel-Buffering: no",
            })
    void shouldPassOnAStreamAsItIsSent(String method, String type, String header) {
        String query = "?stream=" + type;
        if (header.startsWith("header=")) {
            query += "&" + header.replace(" ", "%20");
        }
        for (String encoding : List.of("identity", "gzip")) {
            String compressed = encoding.equals("gzip") && !type.equals("text/event-stream") ? "gzip" : "None";
            List<String> headers =
                    List.of(header.startsWith("header=") ? "Accept: */*" : header, "Accept-Encoding: " + encoding);
            String name = "name=" + Math.abs((method + type + header + encoding).hashCode());
            String stream = "/stream" + query + "&" + name;

            assertThat(python(headers, method, stream, "/next?" + name))
                    .isEqualTo("200 " + compressed + "\n" + FIVE_LINES);
            assertThat(curl("--http1.1", headers, method, stream + "1", "/next?" + name + "1"))
                    .isEqualTo(FIVE_LINES);
            assertThat(curl("--http2", headers, method, stream + "2", "/next?" + name + "2"))
                    .isEqualTo(FIVE_LINES);
        }
    }

    /** Node's fetch, which speaks HTTP/1.1 and takes gzip. */
    @Test
    void shouldPassOnAStreamToFetch() {
        Ended ended = surroundings.runOfThisMachine(
                Place.VISITOR,
                EdgeSurroundings.LIMIT,
                "env",
                "NODE_EXTRA_CA_CERTS=" + root.resolve("var/lib/twinhost/tls/current/fullchain.pem"),
                "node",
                Shell.CHECKOUT
                        .resolve("src/test/resources/dev/twinhost/edge/reader.mjs")
                        .toString(),
                "/stream?stream=application/json&name=fetch",
                "/next?name=fetch");

        assertThat(ended).isEqualTo(new Ended(0, "200 gzip\n" + FIVE_LINES, ""));
    }

    /** A stream that begins while its container is exchanged is one like any other. */
    @Test
    void shouldPassOnAStreamThatIsAskedForAgainAsItIsSent() {
        surroundings.moveApplication(NOBODY);
        Await.that(
                "Nginx to know it",
                EdgeSurroundings.LIMIT,
                () -> visitor.get(WWW + "/gone", "-H", "Cookie: session=1").status() != 200);
        surroundings.moveApplication(FIRST);

        assertThat(python(
                        List.of("Accept: text/event-stream"),
                        "GET",
                        "/stream?stream=text/event-stream&name=again",
                        "/next?name=again"))
                .endsWith(FIVE_LINES);
    }

    /**
     * Nginx marks as weak what it compresses, as it has to (RFC 9110, 8.8.3.3), and an application that compares strongly refuses that: https://github.com/nginx/nginx/issues/716.
     * Where conditions are to hold for programs that take gzip, a rule switches compression off.
     */
    @Test
    void shouldLeaveAStrongETagAloneWhereASiteSwitchesCompressionOff() {
        surroundings.put("site.d/mine.conf", "location /api/ { gzip off; proxy_pass http://app; }\n");
        try {
            surroundings.reload();
            String query = "?size=5000&etag=%22strong%22";
            Await.that(
                    "the rule",
                    EdgeSurroundings.LIMIT,
                    () -> etag("/api/order" + query).equals("\"strong\""));
            assertThat(etag("/order" + query)).isEqualTo("W/\"strong\"");

            assertThat(putIfMatch("/order" + query)).isEqualTo(412);
            assertThat(putIfMatch("/api/order" + query)).isEqualTo(200);
        } finally {
            surroundings.remove("site.d/mine.conf");
            surroundings.reload();
        }
    }

    private static String etag(String path) {
        return String.join(
                ",",
                visitor.get(WWW + path, "-H", "Accept-Encoding: gzip", "-I").header("ETag"));
    }

    private static int putIfMatch(String path) {
        return visitor.get(WWW + path, "-X", "PUT", "-d", "order", "-H", "If-Match: " + etag(path))
                .status();
    }

    /** Until Nginx asks each of them. */
    private static void awaitBoth() {
        Await.that("Nginx to know both", EdgeSurroundings.LIMIT, () -> {
            visitor.get(WWW + "/both", "-H", "Cookie: session=1");
            return surroundings.requests("/both").stream()
                    .map(request -> request.at("/at").asText())
                    .toList()
                    .containsAll(List.of(FIRST, SECOND));
        });
    }

    /** What Python's http.client reads, over HTTP/1.1. */
    private static String python(List<String> headers, String method, String stream, String next) {
        List<String> words = new ArrayList<>(List.of("python3", READER));
        words.addAll(headers);
        words.addAll(List.of(method, stream, next));
        Ended ended = surroundings.run(Place.VISITOR, words.toArray(String[]::new));
        return ended.output() + ended.error();
    }

    /** Likewise curl. */
    private static String curl(String protocol, List<String> headers, String method, String stream, String next) {
        String curl =
                "curl -sS --noproxy '*' -m 10 --cacert /mnt/var/lib/twinhost/tls/current/fullchain.pem --connect-to :443:"
                        + EdgeSurroundings.EDGE + ":8443 ";
        String options = "-N --compressed " + protocol + " -X " + method + " "
                + String.join(
                        " ",
                        headers.stream().map(header -> "-H '" + header + "'").toList());
        String script = curl + options + " '" + WWW + stream
                + "' | while IFS= read -r line; do [ -z \"$line\" ] || { echo \"${line#data: }\"; " + curl
                + " -o /dev/null '" + WWW + next + "'; }; done";
        Ended ended = surroundings.run(Place.VISITOR, "sh", "-c", script);
        return ended.output() + ended.error();
    }
}
