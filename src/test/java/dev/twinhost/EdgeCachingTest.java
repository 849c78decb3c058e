package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.system.Await;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
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

/** What the edge's cache does to requests and answers, with an application that speaks HTTP to the letter (edge/origin.py). */
@Tag("root")
class EdgeCachingTest {
    private static final String WWW = "https://www.example.com";
    private static final String PRIVATE = "header=" + encoded("Cache-Control: private");
    private static final String NO_CACHE = "header=" + encoded("Cache-Control: no-cache");
    private static final String PUBLIC = "header=" + encoded("Cache-Control: public, max-age=600");
    private static final String ETAG = "etag=" + encoded("\"1\"");

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

    /** Those who are known, and those who are not. */
    static Stream<Arguments> clients() {
        return Stream.of(
                arguments("--http1.1", "Cookie: session=1"),
                arguments("--http2", "Cookie: session=1"),
                arguments("--http2", "Authorization: Bearer secret"),
                arguments("--http1.1", "X-Nothing: known"),
                arguments("--http2", "X-Nothing: known"));
    }

    /**
     * Safari and iOS begin a video with two bytes, and play none that comes as 200: https://github.com/mastodon/mastodon/issues/15872,
     * https://github.com/LemmyNet/lemmy-ansible/pull/259. An application that is asked for a part sends a part, whoever asks.
     */
    @ParameterizedTest
    @MethodSource("clients")
    void shouldAnswerARangeOfWhatMayNotBeKeptWithThePart(String protocol, String header) {
        String url = WWW + "/video/" + header.length() + protocol + "?size=100000&" + PRIVATE;
        Visitor.Answer first = visitor.get(url, protocol, "-H", header, "-H", "Range: bytes=0-1");
        Visitor.Answer rest = visitor.get(url, protocol, "-H", header, "-H", "Range: bytes=99990-");

        assertThat(first.status()).isEqualTo(206);
        assertThat(first.header("Content-Range")).containsExactly("bytes 0-1/100000");
        assertThat(first.body()).hasSize(2);
        assertThat(rest.status()).isEqualTo(206);
        assertThat(rest.body()).hasSize(10);
        assertThat(seen("/video/" + header.length() + protocol))
                .extracting(request -> request.at("/headers/range").asText())
                .containsExactly("bytes=0-1", "bytes=99990-");
    }

    /** The first request for two bytes does not fetch the whole, which the next client would wait for too: https://github.com/rtomayko/rack-cache/issues/111. */
    @Test
    void shouldAnswerARangeOfWhatMayBeKeptWithThePartBeforeItIsKeptAndAfter() {
        String url = WWW + "/film?size=100000&" + PUBLIC;
        Visitor.Answer before = visitor.get(url, "-H", "Range: bytes=0-1");
        Visitor.Answer whole = visitor.get(url);
        Visitor.Answer after = visitor.get(url, "-H", "Range: bytes=10-19");

        assertThat(before.status()).isEqualTo(206);
        assertThat(before.body()).hasSize(2);
        assertThat(whole.status()).isEqualTo(200);
        assertThat(whole.body()).hasSize(100000);
        assertThat(after.status()).isEqualTo(206);
        assertThat(after.header("X-Proxy-Cache")).containsExactly("HIT");
        assertThat(after.header("Content-Range")).containsExactly("bytes 10-19/100000");
        assertThat(seen("/film")).hasSize(2);
    }

    /** A download that is resumed after the file has changed begins anew: https://github.com/artokun/comfyui-mcp/pull/454. */
    @Test
    void shouldPassOnUnderWhichConditionAPartIsWanted() {
        visitor.get(WWW + "/resumed?size=100&" + PRIVATE, "-H", "Range: bytes=50-", "-H", "If-Range: \"before\"");

        assertThat(seen("/resumed"))
                .singleElement()
                .satisfies(request ->
                        assertThat(request.at("/headers/if-range").asText()).isEqualTo("\"before\""));
    }

    /** https://github.com/nginx/nginx/issues/321: the application's 304 must not become 200 with everything. */
    @ParameterizedTest
    @MethodSource("clients")
    void shouldLetTheApplicationSayNotModified(String protocol, String header) {
        String url = WWW + "/polled/" + header.length() + protocol + "?size=5000&" + ETAG + "&" + NO_CACHE;
        Visitor.Answer answer = visitor.get(url, protocol, "-H", header, "-H", "If-None-Match: \"1\"");

        assertThat(answer.status()).isEqualTo(304);
        assertThat(answer.body()).isEmpty();
        assertThat(visitor.get(url, protocol, "-H", header).body()).hasSize(5000);
    }

    @Test
    void shouldPassOnTheOtherConditions() {
        for (String header : List.of("Cookie: session=1", "X-Nothing: known")) {
            visitor.get(
                    WWW + "/conditions?" + PRIVATE,
                    "-H",
                    header,
                    "-H",
                    "If-Match: \"1\"",
                    "-H",
                    "If-Modified-Since: Mon, 30 Nov 2026 12:00:00 GMT",
                    "-H",
                    "If-Unmodified-Since: Mon, 30 Nov 2026 13:00:00 GMT");
        }

        assertThat(seen("/conditions")).hasSize(2).allSatisfy(request -> {
            assertThat(request.at("/headers/if-match").asText()).isEqualTo("\"1\"");
            assertThat(request.at("/headers/if-modified-since").asText()).isEqualTo("Mon, 30 Nov 2026 12:00:00 GMT");
            assertThat(request.at("/headers/if-unmodified-since").asText()).isEqualTo("Mon, 30 Nov 2026 13:00:00 GMT");
        });
    }

    /** "Not modified" is an answer to one client; another one, who has nothing, gets the page: https://github.com/openresty/srcache-nginx-module/issues/48. */
    @Test
    void shouldNotKeepNotModified() {
        String url = WWW + "/unmodified?size=5000&" + ETAG + "&" + PUBLIC;
        assertThat(visitor.get(url, "-H", "If-None-Match: \"1\"").status()).isEqualTo(304);

        Visitor.Answer stranger = visitor.get(url);
        Visitor.Answer kept = visitor.get(url, "-H", "If-None-Match: \"1\"");

        assertThat(stranger.status()).isEqualTo(200);
        assertThat(stranger.body()).hasSize(5000);
        assertThat(kept.status()).isEqualTo(304);
        assertThat(kept.header("X-Proxy-Cache")).containsExactly("HIT");
    }

    /**
     * A server error, or what one client may not do, is no answer for everybody: https://github.com/strelov1/freehire/issues/2111,
     * https://github.com/macports/macports-webapp/issues/378. What is not there may be kept where the application says so, as RFC 9111 has it.
     */
    @ParameterizedTest
    @CsvSource({
        "200,true",
        "301,true",
        "308,true",
        "404,true",
        "410,true",
        "400,false",
        "401,false",
        "403,false",
        "405,false",
        "429,false",
        "500,false",
        "502,false",
        "503,false",
        "504,false"
    })
    void shouldKeepNoErrorForOthers(int status, boolean kept) {
        String url = WWW + "/status" + status + "?status=" + status + "&" + PUBLIC;
        Visitor.Answer first = visitor.get(url);
        Visitor.Answer second = visitor.get(url);

        assertThat(first.status()).isEqualTo(status);
        assertThat(second.status()).isEqualTo(status);
        assertThat(second.header("X-Proxy-Cache")).containsExactly(kept ? "HIT" : "MISS");
        assertThat(seen("/status" + status)).hasSize(kept ? 1 : 2);
    }

    /** Without an explicit word, not even "not found" is kept. */
    @Test
    void shouldKeepNotFoundOnlyForAsLongAsTheApplicationSays() {
        String url = WWW + "/lost?status=404";
        visitor.get(url);

        assertThat(visitor.get(url).header("X-Proxy-Cache")).containsExactly("MISS");
    }

    /**
     * The first client after a release of the application gets the new page, and not one that names files which are gone:
     * https://github.com/Automattic/batcache/issues/39, https://github.com/mirainc/funes/issues/9.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "max-age=1",
                "public, max-age=1",
                "max-age=1, must-revalidate",
                "max-age=1, proxy-revalidate",
                "s-maxage=1",
                "max-age=1, must-revalidate, stale-while-revalidate=600",
                "max-age=1, stale-if-error=600",
            })
    void shouldGiveNothingOutOfDateWhileTheApplicationAnswers(String control) {
        String url = controlled("/released", control);
        Visitor.Answer old = visitor.get(url);

        Visitor.Answer first = awaitOutOfDate(url);

        assertThat(first.header("X-Proxy-Cache")).isSubsetOf("EXPIRED", "MISS");
        assertThat(Integer.parseInt(first.body())).isGreaterThan(Integer.parseInt(old.body()));
    }

    /** https://www.rfc-editor.org/rfc/rfc5861.html#section-3, and as applications say it to shared caches, with s-maxage. */
    @ParameterizedTest
    @ValueSource(strings = {"max-age=1, stale-while-revalidate=600", "s-maxage=1, stale-while-revalidate=600"})
    void shouldGiveWhatIsOutOfDateWhereTheApplicationSaysSoAndFetchTheNewMeanwhile(String control) {
        String url = controlled("/revalidated", control);
        Visitor.Answer old = visitor.get(url);

        Visitor.Answer stale = awaitOutOfDate(url);

        assertThat(stale.header("X-Proxy-Cache")).containsExactly("STALE");
        assertThat(stale.body()).isEqualTo(old.body());
        Await.that(
                "the new page",
                EdgeSurroundings.LIMIT,
                () -> !visitor.get(url).body().equals(old.body()));
    }

    /**
     * With the application away: what it does not forbid, as a page, a part or a head, and with the Date that says how old it is. RFC 9111, 5.2.2.2: "must not
     * be reused"; s-maxage implies it (5.2.2.10). Other caches had to learn it: https://github.com/nodejs/undici/issues/5508,
     * https://github.com/envoyproxy/envoy/pull/47403, https://github.com/kornelski/rusty-http-cache-semantics/issues/22.
     */
    @Test
    void shouldGiveWhatIsOutOfDateWhileTheApplicationIsAwayUnlessItForbidsThat() throws Exception {
        List<String> given = List.of(
                "max-age=1",
                "max-age=1, stale-if-error=600",
                "max-age=1, stale-while-revalidate=600",
                "s-maxage=1, stale-while-revalidate=600");
        List<String> forbidden = List.of(
                "max-age=1, must-revalidate",
                "max-age=1, proxy-revalidate",
                "max-age=1, Must-Revalidate",
                "s-maxage=1",
                "max-age=1, stale-if-error=1",
                "max-age=1, must-revalidate, stale-if-error=600");
        List<Visitor.Answer> pages = given.stream()
                .map(control -> visitor.get(controlled("/away", control)))
                .toList();
        forbidden.forEach(control ->
                assertThat(visitor.get(controlled("/away", control)).status()).isEqualTo(200));
        String plain = controlled("/away", given.get(0));
        surroundings.stopApplication();
        try {
            for (int i = 0; i < given.size(); i++) {
                Visitor.Answer stale = awaitOutOfDate(controlled("/away", given.get(i)));
                assertThat(stale.status()).as(given.get(i)).isEqualTo(200);
                assertThat(stale.header("X-Proxy-Cache")).containsExactly("STALE");
                assertThat(stale.body()).isEqualTo(pages.get(i).body());
                assertThat(stale.header("Date")).isEqualTo(pages.get(i).header("Date"));
            }
            for (String control : forbidden) {
                String url = controlled("/away", control);
                Await.that(
                        control, EdgeSurroundings.LIMIT, () -> visitor.get(url).status() != 200);
                Visitor.Answer error = visitor.get(url);
                assertThat(error.status()).as(control).isEqualTo(502);
                assertThat(error.header("Cache-Control")).isEmpty();
            }
            assertThat(visitor.get(plain, "--http1.1", "-H", "Range: bytes=0-0").status())
                    .isEqualTo(206);
            assertThat(visitor.get(plain, "-I").header("X-Proxy-Cache")).contains("STALE");
            assertThat(visitor.get(plain, "-H", "Cookie: session=1").status()).isEqualTo(502);
            assertThat(visitor.get(plain, "-H", "Authorization: Bearer secret").status())
                    .isEqualTo(502);
            assertThat(visitor.get(plain, "-d", "order").status()).isEqualTo(502);
            assertThat(visitor.get(WWW + "/.kept").status()).isEqualTo(404);
        } finally {
            surroundings.startApplication();
        }
    }

    /** So a client sees its age: Nginx sends no Age, see snippets/cache.conf. */
    @Test
    void shouldSayWhenAKeptAnswerWasMade() {
        String url = WWW + "/dated?" + PUBLIC;
        Visitor.Answer fresh = visitor.get(url);
        Await.that(
                "another second",
                EdgeSurroundings.LIMIT,
                () -> !visitor.get(WWW + "/now?" + PRIVATE).header("Date").equals(fresh.header("Date")));

        Visitor.Answer kept = visitor.get(url);

        assertThat(kept.header("X-Proxy-Cache")).containsExactly("HIT");
        assertThat(kept.header("Date")).hasSize(1).isEqualTo(fresh.header("Date"));
    }

    /**
     * Of an application that has none: https://github.com/kemalcr/kemal/issues/668, https://github.com/CesiumGS/cesium/issues/357. RFC 9110 (6.6.1) has the edge add it.
     */
    @Test
    void shouldDateEachAnswerOnce() throws Exception {
        String undated = "/undated?undated=1&";
        for (String path :
                List.of(undated + PUBLIC, undated + PUBLIC, undated + PRIVATE, "/dated?" + PRIVATE, "/dated?ends=1")) {
            assertDated(visitor.get(WWW + path));
        }
        assertThat(visitor.get(WWW + undated + PUBLIC).header("X-Proxy-Cache")).containsExactly("HIT");
        assertDated(visitor.get("https://example.com/"));
        surroundings.stopApplication();
        try {
            assertDated(visitor.get(WWW + "/away"));
        } finally {
            surroundings.startApplication();
        }
    }

    private static void assertDated(Visitor.Answer answer) {
        assertThat(answer.header("Date"))
                .singleElement()
                .satisfies(date -> assertThat(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date, Instant::from))
                        .isCloseTo(Instant.now(), within(5, ChronoUnit.MINUTES)));
    }

    /** A site's own rules: nothing of a client who is known gets into a cache that they switch on, and what they switch off stays off. */
    @Test
    void shouldKeepToTheRulesInALocationOfTheSitesOwn() {
        surroundings.put("site.d/mine.conf", """
                location /mine/on { proxy_cache my_cache; proxy_pass http://app; }
                location /mine/off { proxy_cache off; proxy_pass http://app; }
                location /mine/head { proxy_set_header Host $host; proxy_pass http://app; }
                """);
        try {
            surroundings.reload();
            Await.that(
                    "the rules",
                    EdgeSurroundings.LIMIT,
                    () -> visitor.get(WWW + "/mine/off?" + PUBLIC)
                            .header("X-Proxy-Cache")
                            .isEmpty());
            for (String place : List.of("/mine/on?", "/mine/head?")) {
                assertThat(cacheOf(place + PUBLIC, "Cookie: session=1")).isEqualTo("BYPASS");
                assertThat(cacheOf(place + PUBLIC, "X-Nothing: known")).isEqualTo("MISS");
                assertThat(cacheOf(place + PUBLIC, "X-Nothing: known")).isEqualTo("HIT");
                assertThat(cacheOf(place + PUBLIC, "Cookie: session=1")).isEqualTo("BYPASS");
            }
            assertThat(visitor.get(WWW + "/mine/off?size=100&" + PUBLIC, "-H", "Range: bytes=0-1")
                            .status())
                    .isEqualTo(206);
            assertThat(visitor.get(
                                    WWW + "/mine/head?size=100&" + PRIVATE,
                                    "-H",
                                    "Range: bytes=0-1",
                                    "-H",
                                    "Cookie: session=1")
                            .status())
                    .isEqualTo(206);
        } finally {
            surroundings.remove("site.d/mine.conf");
            surroundings.reload();
        }
    }

    private static String cacheOf(String path, String header) {
        return String.join(",", visitor.get(WWW + path, "-H", header).header("X-Proxy-Cache"));
    }

    /** The first answer that is none of those that are fresh. */
    private static Visitor.Answer awaitOutOfDate(String url) {
        return Await.value(
                "an answer out of date: " + url,
                EdgeSurroundings.LIMIT,
                () -> Optional.of(visitor.get(url))
                        .filter(answer -> !answer.header("X-Proxy-Cache").equals(List.of("HIT"))));
    }

    private static String controlled(String path, String control) {
        return WWW + path + "?header=" + encoded("Cache-Control: " + control);
    }

    /** What has reached the application of the requests for this path. */
    private static List<JsonNode> seen(String path) {
        return surroundings.requests(path);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
