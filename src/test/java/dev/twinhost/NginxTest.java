package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Await;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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

/** The real Nginx with the folder nginx/ as it is, rendered by the code that renders it on a host. */
@Tag("root")
class NginxTest {
    private static final String WWW = "https://www.example.com";
    private static final String PUBLIC = "Cache-Control: public, max-age=60";
    private static final String NOBODY = "10.0.1.9";
    private static final String PRIVATE = "Cache-Control: no-store";
    private static final String SERVER_NAME = "www.example.com";
    private static final int LAME_DUCK_SECONDS = 4;
    // https://curl.se/libcurl/c/libcurl-errors.html
    private static final int EMPTY_REPLY = 52;
    private static final int CONNECTION_RESET = 56;

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, LAME_DUCK_SECONDS);
        visitor = new Visitor(surroundings);
    }

    @ParameterizedTest
    @MethodSource("otherWaysIn")
    void shouldRedirectToHttpsOnWwwInOneHop(String start, String path) {
        Visitor.Answer answer = visitor.get(start + path);
        assertThat(answer.status()).isEqualTo(301);
        assertThat(answer.header("Location")).containsExactly(WWW + path);

        assertThat(visitor.curl(
                                start + path,
                                "-L",
                                "-o",
                                "/dev/null",
                                "-w",
                                "%{num_redirects} %{http_code} %{url_effective}")
                        .output())
                .isEqualTo("1 200 " + WWW + path);
    }

    static Stream<Arguments> otherWaysIn() {
        return Stream.of(
                        "http://example.com",
                        "http://www.example.com",
                        "https://example.com",
                        "http://old.example.com",
                        "https://old.example.com",
                        "http://example.net",
                        "https://example.net")
                .flatMap(start -> Stream.of(
                                "/", "/a/b.html", "/a//b/%2E%2E/c%20d?x=%2F&y=a+b&z=", "/?next=https://example.org/")
                        .map(path -> Arguments.of(start, path)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a//b/%2E%2E/c%20d?x=%2F&y=a+b&z="})
    void shouldHandTheRequestOfHttpsOnWwwToTheApplicationUnchanged(String path) {
        Visitor.Answer answer = visitor.get(WWW + path);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().at("/path").asText()).isEqualTo(path);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"www.example.com", "example.com", "example.net", "other.example.org", EdgeSurroundings.EDGE})
    void shouldAnswerTheChallengeOverEveryNameWithoutRedirect(String name) {
        String folder = "http://" + name + "/.well-known/acme-challenge/";

        Visitor.Answer found = visitor.get(folder + "token");
        assertThat(found.status()).isEqualTo(200);
        assertThat(found.body()).isEqualTo("the answer");
        assertThat(found.header("Content-Type")).containsExactly("text/plain");
        assertThat(visitor.get(folder + "missing").status()).isEqualTo(404);
        assertThat(visitor.get(folder).status()).isEqualTo(404);
        assertThat(visitor.get(folder.replaceAll("/$", "")).status()).isEqualTo(404);
    }

    @Test
    void shouldAnswerAChallengeThatComesAfterItWasAskedFor() {
        String url = "http://example.com/.well-known/acme-challenge/late";
        assertThat(visitor.get(url).status()).isEqualTo(404);

        surroundings.challenge("late", "came late");

        assertThat(visitor.get(url).body()).isEqualTo("came late");
    }

    @Test
    void shouldTellTheApplicationTheVisitorsRealAddressAndNothingThatHeClaims() {
        Visitor.Answer answer = visitor.get(
                WWW + "/",
                headers(
                        "X-Forwarded-For: 198.51.100.7",
                        "X-Forwarded-For: 198.51.100.8, 198.51.100.9",
                        "X-Real-IP: 198.51.100.7",
                        "X-Forwarded-Proto: http",
                        "X-Forwarded-Host: other.example.org",
                        "X-Forwarded-Port: 8443",
                        "Forwarded: for=198.51.100.7",
                        "Proxy: http://198.51.100.7",
                        "X-Request-ID: mine"));

        assertThat(answer.seen("X-Forwarded-For")).containsExactly(EdgeSurroundings.VISITOR);
        assertThat(answer.seen("X-Real-IP")).containsExactly(EdgeSurroundings.VISITOR);
        assertThat(answer.seen("X-Forwarded-Proto")).containsExactly("https");
        assertThat(answer.seen("Host")).containsExactly(SERVER_NAME);
        assertThat(answer.seen("X-Forwarded-Host")).containsExactly(SERVER_NAME);
        assertThat(answer.seen("X-Forwarded-Port")).isEmpty();
        assertThat(answer.seen("Forwarded")).isEmpty();
        assertThat(answer.seen("Proxy")).isEmpty();
        assertThat(answer.seen("X-Request-ID")).singleElement().asString().matches("[0-9a-f]{32}");
    }

    @Test
    void shouldKeepWhatTheApplicationCallsPublic() {
        String url = page("kept", PUBLIC);
        Visitor.Answer first = visitor.get(url);
        Visitor.Answer second = visitor.get(url);

        assertThat(first.header("X-Proxy-Cache")).containsExactly("MISS");
        assertThat(second.header("X-Proxy-Cache")).containsExactly("HIT");
        assertThat(second.body()).isEqualTo(first.body());
    }

    @ParameterizedTest
    @CsvSource({
        "'Cache-Control: public, max-age=60','Set-Cookie: session=1'",
        "'Cache-Control: private, max-age=60',",
        "'Cache-Control: private, max-age=60','Expires: Fri, 01 Jan 2100 00:00:00 GMT'",
        "'Cache-Control: no-store',",
        "'Cache-Control: no-cache',",
        "'ETag: \"1\"',"
    })
    void shouldNeverKeepAnAnswerThatIsNotPublic(String header, String another) {
        String url = page("private", another == null ? new String[] {header} : new String[] {header, another});
        Visitor.Answer first = visitor.get(url);
        Visitor.Answer second = visitor.get(url);

        assertThat(second.number()).isGreaterThan(first.number());
        assertThat(second.header("X-Proxy-Cache")).containsExactly("MISS");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Cookie: session=1", "Authorization: Basic bWU6c2VjcmV0"})
    void shouldNeitherKeepNorGiveAKeptAnswerToOneWhoIsKnown(String header) {
        String url = page("known" + header.length(), PUBLIC);
        Visitor.Answer known = visitor.get(url, "-H", header);
        Visitor.Answer stranger = visitor.get(url);
        Visitor.Answer knownAgain = visitor.get(url, "-H", header);
        Visitor.Answer strangerAgain = visitor.get(url);

        assertThat(known.header("X-Proxy-Cache")).containsExactly("BYPASS");
        assertThat(stranger.header("X-Proxy-Cache")).containsExactly("MISS");
        assertThat(stranger.number()).isGreaterThan(known.number());
        assertThat(knownAgain.header("X-Proxy-Cache")).containsExactly("BYPASS");
        assertThat(knownAgain.number()).isGreaterThan(stranger.number());
        assertThat(strangerAgain.number()).isEqualTo(stranger.number());
    }

    @Test
    void shouldAnswerFromTheCacheWhileTheApplicationIsDown() throws Exception {
        String url = page("stale", "Cache-Control: public, max-age=1");
        Visitor.Answer fresh = visitor.get(url);
        assertThat(fresh.header("X-Proxy-Cache")).containsExactly("MISS");
        surroundings.stopApplication();
        try {
            Await.that(
                    "the kept answer to be out of date",
                    EdgeSurroundings.LIMIT,
                    () -> !visitor.get(url).header("X-Proxy-Cache").equals(List.of("HIT")));

            Visitor.Answer stale = visitor.get(url);
            assertThat(stale.status()).isEqualTo(200);
            assertThat(stale.header("X-Proxy-Cache")).containsExactly("STALE");
            assertThat(stale.body()).isEqualTo(fresh.body());
            assertThat(visitor.get(page("never-kept", PUBLIC)).status()).isEqualTo(502);
        } finally {
            surroundings.startApplication();
        }
        assertThat(visitor.get(page("back", PUBLIC)).status()).isEqualTo(200);
    }

    /** Any answer of the application counts, but neither a kept one nor one of the edge itself. */
    @Test
    void shouldTellAReleaseWhetherTheApplicationHasAnswered() throws Exception {
        assertThat(askAsARelease("/?status=502")).matches("502 0\\.\\d+");
        String kept = "/released?header=" + URLEncoder.encode(PUBLIC, StandardCharsets.UTF_8);
        assertThat(visitor.get(WWW + kept).status()).isEqualTo(200);
        surroundings.stopApplication();
        try {
            assertThat(visitor.get(WWW + kept).status()).isEqualTo(200);
            assertThat(askAsARelease(kept)).matches("502 [-,: ]*");
        } finally {
            surroundings.startApplication();
        }
        assertThat(askAsARelease(kept)).matches("200 (-[-,: ]*)?0\\.\\d+");
    }

    /** As docker/host/agent/release/answers.py asks, from the network of the services. */
    private static String askAsARelease(String path) {
        return surroundings
                .run(
                        EdgeSurroundings.Place.EDGE,
                        "curl",
                        "-sS",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code} %header{twinhost-answered}",
                        "-H",
                        "Host: www.example.com",
                        "http://127.0.0.1:8081" + path)
                .output();
    }

    @Test
    void shouldSendARequestOnceMoreWhoseContainerHasGoneWhileItWaitedForIt() {
        int before = surroundings.edgeLog().size();
        surroundings.moveApplication(NOBODY);
        try {
            Await.that(
                    "Nginx to know it",
                    EdgeSurroundings.LIMIT,
                    () -> visitor.get(page("gone", PRIVATE)).status() != 200);
        } finally {
            surroundings.moveApplication("10.0.1.2");
        }
        // Some of these wait for the old address, up to a second, when Nginx hears of the new one.
        List<Visitor.Answer> answers = IntStream.range(0, 10)
                .parallel()
                .mapToObj(number -> visitor.get(page("moved-" + number, PRIVATE), "-d", "order " + number))
                .toList();

        assertThat(answers).extracting(Visitor.Answer::status).containsOnly(200);
        assertThat(answers)
                .extracting(answer -> answer.json().at("/body").asText())
                .containsExactlyElementsOf(IntStream.range(0, 10)
                        .mapToObj(number -> "order " + number)
                        .toList());
        Await.that(
                "the log",
                EdgeSurroundings.LIMIT,
                () -> surroundings.edgeLog().stream()
                        .skip(before)
                        .anyMatch(line -> line.matches(".*" + NOBODY + ":80, app(_first)? : 10.0.1.2:80\".*")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://other.example.org/", "http://" + EdgeSurroundings.EDGE + "/a"})
    void shouldCloseTheConnectionOfAnUnknownNameWithoutAnAnswer(String url) {
        EdgeSurroundings.Ended ended = visitor.curl(url, "-i");

        assertThat(ended.output()).isEmpty();
        assertThat(ended.status()).as(ended.error()).isIn(EMPTY_REPLY, CONNECTION_RESET);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-servername other.example.org", "-servername deep.www.example.com", "-noservername"})
    void shouldRejectTheHandshakeOfAnUnknownName(String name) {
        EdgeSurroundings.Ended ended = visitor.tls("", name.split(" "));

        assertThat(ended.status()).isNotZero();
        assertThat(ended.error()).contains("unrecognized name");
        assertThat(ended.output()).contains("no peer certificate available");
    }

    /** Neither side's OpenSSL has a floor of its own here (edge/openssl.cnf): the alert is the edge's own word. */
    @Test
    void shouldRefuseTls11() {
        EdgeSurroundings.Ended ended =
                visitor.tls("", "-servername", SERVER_NAME, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");

        assertThat(ended.status()).isNotZero();
        assertThat(ended.error()).contains("alert protocol version");
    }

    @ParameterizedTest
    @CsvSource({"-tls1_2,TLSv1.2", "-tls1_3,TLSv1.3"})
    void shouldTakeTls12And13(String option, String version) {
        EdgeSurroundings.Ended ended = visitor.tls("", "-servername", SERVER_NAME, "-brief", option);

        assertThat(ended.status()).as(ended.error()).isZero();
        assertThat(ended.error()).contains("Protocol version: " + version + "\n");
    }

    @ParameterizedTest
    @CsvSource({"h2,h2", "'h2,http/1.1',h2", "'http/1.1,h2',h2", "http/1.1,http/1.1"})
    void shouldNegotiateHttp2WithWhoeverOffersIt(String offered, String taken) {
        assertThat(visitor.tls("", "-servername", SERVER_NAME, "-alpn", offered).output())
                .contains("ALPN protocol: " + taken + "\n");
    }

    @Test
    void shouldSpeakHttp2() {
        assertThat(visitor.curl(WWW + "/", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}")
                        .output())
                .isEqualTo("2 200");
    }

    @ParameterizedTest
    @ValueSource(strings = {WWW + "/", WWW + "/?status=404", "https://example.com/"})
    void shouldOrderHttpsForTwoYearsOverHttps(String url) {
        assertThat(visitor.get(url).header("Strict-Transport-Security")).containsExactly("max-age=63072000");
    }

    @Test
    void shouldNotSpeakOfHttpsOverHttp() {
        assertThat(visitor.get("http://example.com/").header("Strict-Transport-Security"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {WWW + "/", WWW + "/?status=404", "https://example.com/", "http://example.com/"})
    void shouldSendSecurityHeadersWithEveryAnswer(String url) {
        Visitor.Answer answer = visitor.get(url);

        assertThat(answer.header("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(answer.header("X-Frame-Options")).containsExactly("SAMEORIGIN");
        assertThat(answer.header("Referrer-Policy")).containsExactly("strict-origin-when-cross-origin");
        assertThat(answer.header("Server")).containsExactly("nginx");
    }

    @Test
    void shouldLeaveTheApplicationItsOwnWordAndHideWhatItIsMadeWith() {
        Visitor.Answer answer = visitor.get(page(
                "own-word",
                "X-Frame-Options: DENY",
                "Referrer-Policy: no-referrer",
                "X-Content-Type-Options: nosniff",
                "Strict-Transport-Security: max-age=1",
                "X-Powered-By: something"));

        assertThat(answer.header("X-Frame-Options")).containsExactly("DENY");
        assertThat(answer.header("Referrer-Policy")).containsExactly("no-referrer");
        assertThat(answer.header("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(answer.header("Strict-Transport-Security")).containsExactly("max-age=1");
        assertThat(answer.header("X-Powered-By")).isEmpty();
    }

    @Test
    void shouldCompressWhatIsWorthIt() {
        String large = WWW + "/?size=5000";

        assertThat(visitor.curl(large, "-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-")
                        .output())
                .containsIgnoringCase("content-encoding: gzip")
                .containsIgnoringCase("vary: accept-encoding");
        assertThat(visitor.get(large).header("Content-Encoding")).isEmpty();
        assertThat(visitor.get(WWW + "/", "-H", "Accept-Encoding: gzip").header("Content-Encoding"))
                .isEmpty();
    }

    @Test
    void shouldLetAWebSocketThroughToTheApplication() {
        String request = "GET /socket HTTP/1.1\r\nHost: " + SERVER_NAME
                + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nsaid in the tunnel\n";

        String output =
                visitor.tls(request, "-servername", SERVER_NAME, "-quiet").output();

        assertThat(output)
                .startsWith("HTTP/1.1 101 ")
                .contains(
                        "Upgrade: websocket\r\n",
                        "Connection: upgrade\r\n",
                        "X-Forwarded-For: " + EdgeSurroundings.VISITOR)
                .endsWith("SAID IN THE TUNNEL\n");
    }

    @ParameterizedTest
    @CsvSource({"/healthz,edge", "/livez,ok"})
    void shouldTellTheBalancerAndDockerThatItIsHealthy(String path, String word) {
        Visitor.Answer answer = visitor.get("http://" + EdgeSurroundings.EDGE + path);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(word + "\n");
    }

    @Test
    void shouldLogARequestAsOneLineOfJsonWithTheVisitorsAddress() throws Exception {
        String agent = "a \"quoted\" \\ agent";
        visitor.get(WWW + "/logged?x=1", "-A", agent, "-H", "X-Forwarded-For: 198.51.100.7");

        JsonNode line = new ObjectMapper()
                .readTree(Await.value(
                        "the line of the log",
                        EdgeSurroundings.LIMIT,
                        () -> surroundings.edgeLog().stream()
                                .filter(text -> text.startsWith("{") && text.contains("/logged?x=1"))
                                .findFirst()));
        assertThat(line.at("/client").asText()).isEqualTo(EdgeSurroundings.VISITOR);
        assertThat(line.at("/scheme").asText()).isEqualTo("https");
        assertThat(line.at("/host").asText()).isEqualTo(SERVER_NAME);
        assertThat(line.at("/uri").asText()).isEqualTo("/logged?x=1");
        assertThat(line.at("/status").asInt()).isEqualTo(200);
        assertThat(line.at("/agent").asText()).isEqualTo(agent);
        assertThat(line.at("/seconds").isNumber()).isTrue();
    }

    @Test
    void shouldServeANewCertificateWithoutARestart() {
        String first = servedCertificate();
        String master = nginxMaster();

        String second = surroundings.issueCertificate();

        assertThat(second).isNotEqualTo(first);
        Await.that(
                "the new certificate to be served",
                EdgeSurroundings.LIMIT,
                () -> servedCertificate().equals(second));
        assertThat(nginxMaster()).isEqualTo(master);
    }

    /** A page of the application that no other test asks for, with these headers. */
    private static String page(String name, String... headers) {
        return WWW + "/" + name + "?"
                + String.join(
                        "&",
                        Arrays.stream(headers)
                                .map(header -> "header=" + URLEncoder.encode(header, StandardCharsets.UTF_8))
                                .toList());
    }

    private static String[] headers(String... headers) {
        List<String> options = new ArrayList<>();
        for (String header : headers) {
            options.addAll(List.of("-H", header));
        }
        return options.toArray(String[]::new);
    }

    private static String servedCertificate() {
        String output = visitor.tls("", "-servername", SERVER_NAME).output();
        return output.substring(
                        output.indexOf("-----BEGIN CERTIFICATE-----"), output.indexOf("-----END CERTIFICATE-----"))
                + "-----END CERTIFICATE-----";
    }

    private static String nginxMaster() {
        return surroundings
                .run(EdgeSurroundings.Place.EDGE, "cat", "/run/nginx.pid")
                .output();
    }
}
