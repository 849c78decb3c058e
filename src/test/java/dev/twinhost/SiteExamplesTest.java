package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every example of nginx/site.d/README.md, all of them in one edge, word for word. */
@Tag("root")
class SiteExamplesTest {
    private static final String WWW = "https://www.example.com";
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```(?:nginx)?\n# nginx/(\\S+)\n(.*?)```");
    private static final String CLOSED = "site.d/closed.conf";
    private static final String PROXY = "snippets/proxy.conf";
    private static final String GREETER =
            Shell.CHECKOUT.resolve("src/test/node/greeter.mjs").toString();
    private static final int USUAL_SILENCE_SECONDS = 3;
    private static final int SILENCE_SECONDS = 5;

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    /** The only example that would hide the others. */
    private static String closed;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        visitor = new Visitor(surroundings);
        surroundings.put(PROXY, surroundings.rendered(PROXY).replace("90s;", USUAL_SILENCE_SECONDS + "s;"));
        Map<String, String> examples = examples();
        assertThat(examples).hasSize(19);
        closed = examples.remove(CLOSED);
        examples.forEach(surroundings::put);
        surroundings.reload();
        Await.that(
                "the rules to be followed",
                EdgeSurroundings.LIMIT,
                () -> visitor.get(WWW + "/old-page").status() == 301);
    }

    /** A password that only one of the ways to the application asks for is none. */
    @Test
    void shouldCloseTheWholeSite() {
        surroundings.put(CLOSED, closed);
        try {
            assertThat(surroundings.check().status()).isZero();
            surroundings.reload();
            Await.that("the rule", EdgeSurroundings.LIMIT, () -> statusOf("/") == 401);

            for (List<String> way : List.of(
                    List.of("--http1.1"),
                    List.of("-H", "Cookie: a=b"),
                    List.of("-d", "order"),
                    List.of("-H", "Accept: text/event-stream"),
                    List.of("-u", "someone:wrong"))) {
                assertThat(statusOf("/", way.toArray(String[]::new)))
                        .as(way.toString())
                        .isEqualTo(401);
            }
            assertThat(statusOf("/", "-u", "someone:example")).isEqualTo(200);
            assertThat(statusOf("/", "-u", "someone:example", "-d", "order")).isEqualTo(200);
        } finally {
            surroundings.remove(CLOSED);
            surroundings.reload();
            Await.that("no rule", EdgeSurroundings.LIMIT, () -> statusOf("/") == 200);
        }
    }

    @Test
    void shouldFindThemFit() {
        Ended ended = surroundings.check();

        assertThat(ended.status()).as(ended.error()).isZero();
        assertThat(ended.output()).isEmpty();
        assertThat(ended.error()).doesNotContain("[emerg]");
    }

    @Test
    void shouldRedirectAnOldAddressAddAHeaderAndAskAnotherService() {
        assertThat(visitor.get(WWW + "/old-page").header("Location")).containsExactly(WWW + "/new-page");
        assertThat(visitor.get(WWW + "/").header("Permissions-Policy")).containsExactly("geolocation=()");
        assertThat(visitor.get(WWW + "/").header("X-Frame-Options")).containsExactly("SAMEORIGIN");
        assertThat(visitor.get(WWW + "/shop/").status()).isEqualTo(502);
    }

    /**
     * What an application may take for the folder, Nginx takes for it too: https://github.com/nginx/nginx/issues/556,
     * https://github.com/nginx/nginx/issues/569, https://github.com/wso2/product-apim/issues/8415
     */
    @ParameterizedTest
    @CsvSource({
        "/team/a,401",
        "/team,401",
        "//team/a,401",
        "/x/../team/a,400",
        "/%74eam/a,401",
        "/team%2fa,401",
        "/TEAM/a,401",
        "/Team,401",
        "/team;x/a,401",
        "/team%3bx/a,401",
        "/x/..;/team/a,400",
        "/.;/team/a,401",
        "/;/team/a,401",
        "/team\\a,401",
        "/team%5ca,401",
        "/x\\..\\team\\a,400",
        "/team./a,401",
        "/team%20/a,401",
        "/x#/../team/a,400",
        "/team/a/../../open,400",
        "/team/a/%2e%2e/%2E%2e/open,400",
        "/team/a/..%2f..%2fopen,400",
        "/team/a/..\\..\\open,400",
        "/team/..,400",
        "/open?from=/../a,200",
        "/a..b/..c,200",
        "/teammate/a,200",
        "/the-team/a,200"
    })
    void shouldAskForThePasswordHoweverTheFolderIsSpelt(String path, int status) {
        assertThat(visitor.get(WWW + "/", "--request-target", path).status()).isEqualTo(status);
    }

    /**
     * https://github.com/openhab/openhab-core/issues/1743, https://github.com/SelfhostedPro/Yacht/issues/683,
     * https://github.com/bitwarden/server/issues/446
     */
    @Test
    void shouldKeepThePasswordFromTheApplicationAndReportTheClientAsEverywhere() {
        Visitor.Answer answer =
                visitor.get(WWW + "/team/a", "-u", "someone:example", "-H", "X-Forwarded-For: 198.51.100.7");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.seen("Authorization")).isEmpty();
        assertThat(answer.seen("X-Forwarded-For")).containsExactly(EdgeSurroundings.VISITOR);
        assertThat(answer.seen("Host")).containsExactly("www.example.com");
        assertThat(visitor.get(WWW + "/team/a", "-u", "someone:wrong").status()).isEqualTo(401);
        assertThat(visitor.get(WWW + "/", "-u", "someone:example").seen("Authorization"))
                .hasSize(1);
    }

    /** https://github.com/SteveLTN/https-portal/issues/289 */
    @Test
    void shouldDropAHeaderWithAnUnderscore() {
        Visitor.Answer answer = visitor.get(WWW + "/", "-H", "api_key: a", "-H", "api-key: b");

        assertThat(answer.seen("api_key")).isEmpty();
        assertThat(answer.seen("api-key")).containsExactly("b");
    }

    /** https://github.com/nginx-proxy/nginx-proxy/pull/2430, https://github.com/linuxserver/docker-swag/issues/180 */
    @Test
    void shouldShowErrorPagesOfOnesOwnAlsoWhileTheApplicationIsAway() throws Exception {
        assertPage(visitor.get(WWW + "/a?status=404"), 404, "<h1>Not here</h1>");
        assertPage(visitor.get(WWW + "/a?status=503"), 503, "<h1>Back soon</h1>");
        surroundings.stopApplication();
        try {
            assertPage(visitor.get(WWW + "/a"), 502, "<h1>Back soon</h1>");
            assertPage(visitor.get(WWW + "/a", "-d", "order"), 502, "<h1>Back soon</h1>");
        } finally {
            surroundings.startApplication();
        }
        Await.that(
                "the application to be asked again",
                EdgeSurroundings.LIMIT,
                () -> visitor.get(WWW + "/a").status() == 200);
        assertPage(visitor.get(WWW + "/.pages/away.html"), 404, "<h1>Not here</h1>");
    }

    /** https://github.com/Volksverpetzer/vvp_app/issues/359, https://github.com/nordnet/cordova-universal-links-plugin/issues/64 */
    @Test
    void shouldServeFilesUnderTheDomainItselfWithoutARedirect() {
        Visitor.Answer android = visitor.get("https://example.com/.well-known/assetlinks.json");
        assertThat(android.status()).isEqualTo(200);
        assertThat(android.header("Content-Type")).containsExactly("application/json");
        assertThat(android.body()).isEqualTo("[]\n");

        Visitor.Answer ios = visitor.get("https://example.net/.well-known/apple-app-site-association");
        assertThat(ios.status()).isEqualTo(200);
        assertThat(ios.seen("Host")).containsExactly("example.net");

        for (String url : List.of("https://example.com/a", "http://example.com/.well-known/assetlinks.json")) {
            assertThat(visitor.get(url).status()).isEqualTo(301);
        }
        assertThat(visitor.get("http://example.com/.well-known/acme-challenge/token")
                        .body())
                .isEqualTo("the answer");
    }

    /** https://github.com/NginxProxyManager/nginx-proxy-manager/issues/643, https://github.com/owncloud-archive/documentation/issues/2429 */
    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldTakeLargerUploadsWhereTheyAreAllowed(String protocol) {
        int bytes = 110_000_000;
        succeed(surroundings.run(
                Place.VISITOR, "sh", "-c", "head -c " + bytes + " /dev/zero | tr '\\0' x >/tmp/upload"));

        Ended taken = visitor.curl(WWW + "/uploads/", protocol, "--data-binary", "@/tmp/upload");
        assertThat(taken.output()).as(taken.error()).contains("\"received\": " + bytes + ",");
        assertThat(visitor.curl(
                                WWW + "/",
                                protocol,
                                "--data-binary",
                                "@/tmp/upload",
                                "-o",
                                "/dev/null",
                                "-w",
                                "%{http_code}")
                        .output())
                .isEqualTo("413");
    }

    /** https://github.com/keycloak/keycloak/issues/23824, https://github.com/Azure/EasyAuthForK8s/issues/79 */
    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldTakeLargeHeadsOfRequestsAndAnswers(String protocol) {
        assertThat(statusOf("/", protocol, "-H", "Cookie: " + "c".repeat(15_000)))
                .isEqualTo(200);
        assertThat(statusOf("/" + "u".repeat(15_000), protocol)).isEqualTo(200);
        assertThat(statusOf("/?head=60000", protocol)).isEqualTo(200);
    }

    /** https://github.com/websockets/ws/issues/2283, https://github.com/novnc/noVNC/issues/658 */
    @ParameterizedTest
    @CsvSource({"/live/socket,true", "/socket,false"})
    void shouldKeepASilentWebSocketOpenWhereItMayBe(String path, boolean open) {
        String talk = "{ printf 'GET " + path + " HTTP/1.1\\r\\nHost: www.example.com\\r\\nConnection: Upgrade\\r\\n"
                + "Upgrade: websocket\\r\\n\\r\\n'; sleep " + SILENCE_SECONDS + "; echo 'after silence'; sleep 1; }"
                + " | openssl s_client -quiet -connect " + EdgeSurroundings.EDGE + ":8443 -servername www.example.com";

        String heard = surroundings.run(Place.VISITOR, "sh", "-c", talk).output();
        assertThat(heard).startsWith("HTTP/1.1 101 ");
        assertThat(heard.contains("AFTER SILENCE")).isEqualTo(open);
    }

    /** https://github.com/nginx/nginx/issues/1505, https://github.com/oguzbilgic/kern-ai/issues/26 */
    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldSendEachPieceOfAnAnswerOnAtOnce(String protocol) {
        String times = surroundings
                .run(
                        Place.VISITOR,
                        "sh",
                        "-c",
                        "curl -sN --compressed " + protocol
                                + " --cacert /mnt/var/lib/twinhost/tls/current/fullchain.pem --connect-to ::"
                                + EdgeSurroundings.EDGE + ":8443 '" + WWW + "/events/?lines=4'"
                                + " | while read -r line; do date +%s%3N; done")
                .output();

        List<Long> seen = times.lines().map(Long::valueOf).toList();
        assertThat(seen).hasSize(4);
        assertThat(seen.get(3) - seen.get(0)).isBetween(1000L, 4000L);
    }

    /** With the client and the server that Node's users have. */
    @Test
    void shouldPassCallsOfGrpcToTheirServiceWithItsTrailers() throws Exception {
        Process service =
                surroundings.startOfThisMachine(Place.APPLICATION, "node", GREETER, "serve", "10.0.1.2:50051");
        try {
            Await.that(
                    "the service",
                    EdgeSurroundings.LIMIT,
                    () -> statusOf("/example.Greeter/SayHello", "--http2", "-d", "x") != 502);

            Ended calls = surroundings.runOfThisMachine(
                    Place.VISITOR,
                    EdgeSurroundings.LIMIT,
                    "node",
                    GREETER,
                    "call",
                    EdgeSurroundings.EDGE + ":8443",
                    root.resolve("var/lib/twinhost/tls/current/fullchain.pem").toString());

            assertThat(calls.output()).as(calls.error()).isEqualTo("""
                    Hello Ada
                    OK OK %1$s
                    INVALID_ARGUMENT this is no name %1$s
                    Hello 1
                    Hello 2
                    Hello 3
                    OK OK\s
                    """.formatted(EdgeSurroundings.VISITOR));
        } finally {
            service.destroy();
        }
    }

    private static void assertPage(Visitor.Answer answer, int status, String text) {
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).containsExactly("text/html");
        assertThat(answer.body()).contains(text);
    }

    private static int statusOf(String path, String... options) {
        String[] all = Stream.concat(Stream.of(options), Stream.of("-o", "/dev/null", "-w", "%{http_code}"))
                .toArray(String[]::new);
        return Integer.parseInt(visitor.curl(WWW + path, all).output());
    }

    private static void succeed(Ended ended) {
        assertThat(ended.status()).as(ended.error()).isZero();
    }

    /** By the names of their files, settings filled in. */
    private static Map<String, String> examples() throws IOException {
        Map<String, String> examples = new LinkedHashMap<>();
        String page = Files.readString(Shell.CHECKOUT.resolve("nginx/site.d/README.md"));
        for (MatchResult example : EXAMPLE.matcher(page).results().toList()) {
            String text = example.group(2);
            for (Map.Entry<String, String> setting : Release.settings().entrySet()) {
                text = text.replace("${" + setting.getKey() + "}", setting.getValue());
            }
            examples.put(example.group(1), text);
        }
        return examples;
    }
}
