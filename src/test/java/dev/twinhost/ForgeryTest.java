package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Ended;
import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

/** Nothing that a client sends is believed: neither headers of proxies, nor an upgrade, and none of it reaches another client. */
@Tag("root")
class ForgeryTest {
    private static final String WWW = "https://www.example.com";
    private static final String SERVER_NAME = "www.example.com";
    private static final String LIST = "snippets/request-headers.conf";
    private static final String LIST_OF_GRPC = "snippets/grpc-request-headers.conf";
    private static final Pattern LINE = Pattern.compile("(proxy|grpc)_set_header (\\S+) (\\S+);");
    private static final String FORGED = "forged.example.org";
    private static final String NOBODY = "10.0.1.9";
    /** Of HTTP/1.1 alone, or no claim, and tested by themselves. */
    private static final List<String> NOT_FOR_GRPC =
            List.of("Connection", "Upgrade", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since");

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        visitor = new Visitor(surroundings);
        startServiceOfGrpc();
        surroundings.giveVisitor("forged-body", "a=forged");
        surroundings.put("conf.d/rpc.conf", "upstream rpc { zone rpc 64k; server 10.0.1.2:9000; }\n");
        surroundings.put("site.d/ways.conf", """
                location /own/ {
                  proxy_set_header Host $host;
                  proxy_set_header X-Mine mine;
                  include snippets/request-headers.conf;
                  proxy_pass http://app;
                }
                location /rpc/ {
                  include snippets/grpc-request-headers.conf;
                  grpc_pass grpc://rpc;
                }
                location /own-rpc/ {
                  grpc_set_header X-Mine mine;
                  include snippets/grpc-request-headers.conf;
                  grpc_pass grpc://rpc;
                }
                """);
        Ended ended = surroundings.check();
        assertThat(ended.status()).as(ended.output() + ended.error()).isZero();
        assertThat(ended.error().lines()).allMatch(line -> line.contains("could not build optimal grpc_headers_hash"));
        surroundings.reload();
        Await.that(
                "the rules to be followed",
                EdgeSurroundings.LIMIT,
                () -> visitor.get(WWW + "/own/").seen("X-Mine").equals(List.of("mine")));
    }

    /** A service that takes HTTP/2 without TLS, as those of gRPC do: Nginx, which hands every header to the application as it came. */
    private static void startServiceOfGrpc() {
        String files = """
                pid /run/rpc.pid;
                error_log /dev/stderr;
                events {}
                http {
                  access_log off;
                  server {
                    listen 10.0.1.2:9000;
                    http2 on;
                    ignore_invalid_headers off;
                    underscores_in_headers on;
                    location / {
                      proxy_pass http://10.0.1.2:80;
                    }
                  }
                }
                """;
        Ended ended = surroundings.runWithInput(
                files, Place.APPLICATION, "sh", "-c", "cat >/run/rpc.conf && nginx -c /run/rpc.conf");
        assertThat(ended.status()).as(ended.error()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "/,--http1.1", "/,--http2",
        "/own/,--http1.1", "/own/,--http2",
        "/rpc/,--http1.1", "/rpc/,--http2",
        "/own-rpc/,--http1.1", "/own-rpc/,--http2"
    })
    void shouldHandOnNothingOfAForgedHeader(String path, String protocol) {
        shouldHoldNothingForged(visitor.get(WWW + path + "forged", forged(protocol)));
    }

    /** The way of a request whose container has gone while it waited for it: snippets/again.conf. Which request does is chance. */
    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http2"})
    void shouldHandOnNothingOfAForgedHeaderWhenItSendsARequestOnceMore(String protocol) {
        String path = "/again" + protocol;
        int before = surroundings.edgeLog().size();
        Await.that("a request that was sent once more", Duration.ofMinutes(2), () -> {
            for (Visitor.Answer answer : sendWhileTheContainerGoes(WWW + path, forged(protocol, "-d", "order"))) {
                if (answer.status() != 502) {
                    shouldHoldNothingForged(answer);
                }
            }
            return surroundings.edgeLog().stream()
                    .skip(before)
                    .anyMatch(line -> line.contains(path) && line.contains(" : 10.0.1.2:80\",\"upstreamStatus"));
        });
    }

    private static List<Visitor.Answer> sendWhileTheContainerGoes(String url, String... options) {
        List<CompletableFuture<Visitor.Answer>> sent = List.of();
        surroundings.moveApplication(NOBODY);
        try {
            Await.that(
                    "Nginx to know it",
                    EdgeSurroundings.LIMIT,
                    () -> visitor.get(WWW + "/").status() != 200);
            sent = IntStream.range(0, 10)
                    .mapToObj(number -> CompletableFuture.supplyAsync(() -> visitor.get(url, options)))
                    .toList();
        } finally {
            surroundings.moveApplication("10.0.1.2");
        }
        List<Visitor.Answer> answers =
                sent.stream().map(CompletableFuture::join).toList();
        Await.that(
                "the way back",
                EdgeSurroundings.LIMIT,
                () -> visitor.get(WWW + "/").status() == 200);
        return answers;
    }

    private static void shouldHoldNothingForged(Visitor.Answer answer) {
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).doesNotContain(FORGED);
        assertThat(answer.seen("X-Real-IP")).containsExactly(EdgeSurroundings.VISITOR);
        assertThat(answer.seen("X-Forwarded-For")).containsExactly(EdgeSurroundings.VISITOR);
        assertThat(answer.seen("X-Forwarded-Proto")).containsExactly("https");
        assertThat(answer.seen("X-Forwarded-Host")).containsExactly(SERVER_NAME);
        assertThat(answer.seen("X-Request-ID")).singleElement().asString().matches("[0-9a-f]{32}");
        assertThat(answer.seen("X-Unknown")).containsExactly("kept");
    }

    /** Every name of the list, and one beside it that has to arrive. */
    private static String[] forged(String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of("-H", "X-Unknown: kept"));
        for (String name : list(LIST_OF_GRPC, "grpc").keySet()) {
            all.addAll(List.of("-H", name + ": " + FORGED));
        }
        return all.toArray(String[]::new);
    }

    private static Map<String, String> list(String file, String way) {
        Map<String, String> lines = new LinkedHashMap<>();
        for (String line : surroundings.rendered(file).lines().toList()) {
            Matcher matcher = LINE.matcher(line);
            if (matcher.matches()) {
                assertThat(matcher.group(1)).isEqualTo(way);
                assertThat(lines.put(matcher.group(2), matcher.group(3)))
                        .as(line)
                        .isNull();
            } else {
                assertThat(line).matches("(#.*)?");
            }
        }
        return lines;
    }

    @Test
    void shouldHaveTheSameListForGrpc() {
        Map<String, String> list = list(LIST, "proxy");
        assertThat(list).hasSizeGreaterThan(150);
        list.keySet().removeAll(NOT_FOR_GRPC);

        assertThat(list(LIST_OF_GRPC, "grpc")).isEqualTo(list);
    }

    @Test
    void shouldNameASourceForEachName() {
        for (String group : surroundings.rendered(LIST).split("\n\n")) {
            if (group.contains("\nproxy_set_header ")) {
                assertThat(group).containsPattern("(?m)^# https://\\S+$");
            }
        }
    }

    /**
     * An h2c tunnel would carry requests that no rule has seen, and so might any other protocol: https://bishopfox.com/blog/h2c-smuggling-request,
     * https://github.com/nginx/nginx/issues/1472.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "h2c",
                "foo",
                "TLS/1.0",
                "websocket, h2c",
                "h2c, websocket",
                "websockets",
                "xwebsocket",
                "websocket/13"
            })
    void shouldNotLetAnotherUpgradeThroughThanAWebSocket(String protocol) {
        String answer = upgrade("HTTP/1.1", protocol);

        assertThat(answer).startsWith("HTTP/1.1 200 ").contains("\"number\"").doesNotContainIgnoringCase("upgrade");
    }

    @ParameterizedTest
    @CsvSource({"websocket,/", "WebSocket,/", "WEBSOCKET,/own/"})
    void shouldLetAWebSocketThrough(String protocol, String path) {
        assertThat(upgrade("HTTP/1.1", protocol, path))
                .startsWith("HTTP/1.1 101 ")
                .contains("Connection: upgrade\r\n", "Upgrade: websocket\r\n")
                .endsWith("SAID IN THE TUNNEL\n");
    }

    /** RFC 9110 (7.8): a server ignores an Upgrade in an HTTP/1.0 request. */
    @Test
    void shouldNotUpgradeOverHttp10() {
        assertThat(upgrade("HTTP/1.0", "websocket")).startsWith("HTTP/1.1 200 ").contains("\"number\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/own/", "/rpc/"})
    void shouldNotLetAnotherUpgradeThroughALocationOfItsOwn(String path) {
        assertThat(upgrade("HTTP/1.1", "h2c", path)).startsWith("HTTP/1.1 200 ").contains("\"number\"");
    }

    private static String upgrade(String version, String protocol) {
        return upgrade(version, protocol, "/socket");
    }

    private static String upgrade(String version, String protocol, String path) {
        String request = "GET " + path + " " + version + "\r\nHost: " + SERVER_NAME
                + "\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nUpgrade: "
                + protocol + "\r\n\r\nsaid in the tunnel\n";
        return visitor.tls(request, "-servername", SERVER_NAME, "-quiet").output();
    }

    /** HTTP/2 has no Upgrade (RFC 9113, 8.6): what a client sends there goes nowhere, and a 101 would break the connection. */
    @Test
    void shouldNotUpgradeOverHttp2() {
        Ended ended = surroundings.run(
                Place.VISITOR,
                "sh",
                "-c",
                "echo '" + EdgeSurroundings.EDGE + " www.example.com' >>/etc/hosts"
                        + " && nghttp -v -H 'upgrade: websocket' -H 'x-unknown: kept' https://www.example.com/socket");

        assertThat(ended.output())
                .contains(":status: 200", "\"x-unknown\": [\"kept\"]")
                .doesNotContain("RST_STREAM");
        assertThat(ended.output()).doesNotContain("\"upgrade\"");
    }

    /** As Apache with mod_http2 says it: https://trac.nginx.org/nginx/ticket/915, https://github.com/nginx/nginx/issues/1461. */
    @ParameterizedTest
    @CsvSource({"/,--http1.1", "/,--http2", "/own/,--http2", "/rpc/,--http2"})
    void shouldKeepAnApplicationsOfferOfAnUpgradeFromTheClient(String path, String protocol) {
        Visitor.Answer answer =
                visitor.get(WWW + path + "offer?header=Upgrade:%20h2,h2c&header=Connection:%20Upgrade", protocol);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Upgrade")).isEmpty();
        assertThat(answer.number()).isPositive();
    }

    /**
     * What one client sends beside the URL, of an application that shows all of it: https://github.com/angular/angular-cli/issues/32501
     * (X-Forwarded-Prefix), https://portswigger.net/research/web-cache-entanglement (a GET with a body),
     * https://github.com/withastro/astro/issues/14743 (Host with another port).
     */
    @ParameterizedTest
    @MethodSource("inputs")
    void shouldNotLetWhatOneClientSendsReachAnother(String name, List<String> options) {
        String url = WWW + "/poisoned-" + name + "?header=Cache-Control:%20public,%20max-age=60";

        Visitor.Answer poisoned = visitor.get(url, options.toArray(String[]::new));
        Visitor.Answer stranger = visitor.get(url);
        Visitor.Answer next = visitor.get(url);

        assertThat(poisoned.status()).isEqualTo(200);
        assertThat(stranger.body()).doesNotContain("forged", ":1337");
        assertThat(next.header("X-Proxy-Cache")).containsExactly("HIT");
        assertThat(next.body()).doesNotContain("forged", ":1337");
    }

    static Stream<Arguments> inputs() {
        return Stream.of("--http1.1", "--http2")
                .flatMap(protocol -> Stream.of(
                        Arguments.of("headers" + protocol, List.of(forged(protocol))),
                        Arguments.of("port" + protocol, List.of(protocol, "-H", "Host: www.example.com:1337")),
                        Arguments.of("origin" + protocol, List.of(protocol, "-H", "Origin: https://" + FORGED)),
                        Arguments.of("cookie" + protocol, List.of(protocol, "-H", "Cookie: a=forged")),
                        Arguments.of("login" + protocol, List.of(protocol, "-u", "forged:forged")),
                        Arguments.of("body" + protocol, List.of(protocol, "-X", "GET", "-d", "a=forged")),
                        Arguments.of(
                                "chunked" + protocol,
                                List.of(protocol, "-X", "GET", "-d", "a=forged", "-H", "Transfer-Encoding: chunked")),
                        Arguments.of(
                                "unknown-length" + protocol,
                                List.of(protocol, "-X", "GET", "-T", "/mnt/forged-body"))));
    }

    /**
     * An application that answers each origin otherwise and does not say so: https://github.com/HarperFast/harper/issues/1518,
     * https://github.com/facioquo/stock-charts/pull/518, and https://github.com/rs/cors/issues/10 (the first one sends no Origin).
     */
    @ParameterizedTest
    @CsvSource({"--http1.1", "--http2"})
    void shouldKeepAnAnswerForEachOriginByItself(String protocol) {
        String url = WWW + "/origins" + protocol + "?header=Cache-Control:%20public,%20max-age=60";
        String[] one = {protocol, "-H", "Origin: https://one.example.org"};
        String[] another = {protocol, "-H", "Origin: https://another.example.org"};

        assertThat(visitor.get(url, protocol).header("X-Proxy-Cache")).containsExactly("MISS");
        assertThat(visitor.get(url, one).seen("Origin")).containsExactly("https://one.example.org");
        assertThat(visitor.get(url, another).seen("Origin")).containsExactly("https://another.example.org");
        assertThat(visitor.get(url, one).header("X-Proxy-Cache")).containsExactly("HIT");
        assertThat(visitor.get(url, one).seen("Origin")).containsExactly("https://one.example.org");
        assertThat(visitor.get(url, protocol).seen("Origin")).isEmpty();
    }

    /** The URL's host counts, not the Host header beside it, and only as far as it is the site's: RFC 9112 (3.2.2). */
    @Test
    void shouldNotLetAnAbsoluteUrlReachAnother() {
        String path = "/poisoned-absolute?header=Cache-Control:%20public,%20max-age=60";
        String request = "GET https://" + SERVER_NAME + ":1337" + path + " HTTP/1.1\r\nHost: " + FORGED
                + "\r\nConnection: close\r\n\r\n";

        String answer =
                visitor.tls(request, "-servername", SERVER_NAME, "-quiet").output();

        assertThat(answer).startsWith("HTTP/1.1 200 ").contains("\"path\": \"" + path + "\"");
        assertThat(answer).doesNotContain(FORGED, ":1337");
        assertThat(visitor.get(WWW + path).body()).doesNotContain(FORGED, ":1337");
    }

    /** Kept for those who take the same, where the application says that it depends; else for nobody. */
    @ParameterizedTest
    @CsvSource({"Accept-Encoding,HIT", "'Accept, Accept-Encoding',HIT", "Accept,MISS", "'',MISS"})
    void shouldNotGiveAnotherWhatIsEncodedForOne(String vary, String again) {
        String url = WWW + "/encoded-" + vary.length() + "?header=Cache-Control:%20public,%20max-age=60"
                + "&header=Content-Encoding:%20br"
                + (vary.isEmpty() ? "" : "&header=Vary:%20" + vary.replace(" ", "%20"));
        String[] taking = {"-H", "Accept-Encoding: br"};
        assertThat(visitor.get(url, taking).header("Content-Encoding")).containsExactly("br");

        assertThat(visitor.get(url).header("X-Proxy-Cache")).containsExactly("MISS");
        assertThat(visitor.get(url, taking).header("X-Proxy-Cache")).containsExactly(again);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "location /a { proxy_pass http://app; }",
                "location /a { include snippets/grpc-request-headers.conf; grpc_pass app; }",
                "location /a { proxy_set_header X-Mine a; include snippets/request-headers.conf; proxy_pass http://app; }",
                "location /a { proxy_pass http://app; include 'snippets/request-headers.conf'; proxy_set_header X-Mine \"a;}\"; }",
                "location /a { include /etc/nginx/snippets/grpc-request-headers.conf; grpc_set_header X-Remote-User $remote_user; grpc_pass app; }",
                "location /a { proxy_set_header X-Mine a; include snippets/request-headers.conf; location /a/b { if ($arg_x) { proxy_pass http://app; } } }",
                "proxy_set_header Host $host; include snippets/request-headers.conf; proxy_set_header X-Forwarded-Port 443;",
                "location /a { proxy_set_header X-Mine a; return 404; } location ~ \"^/\\{[0-9]{1,2};$\" { return 404; } # }",
                "location /a { fastcgi_pass 127.0.0.1:9; fastcgi_pass_request_headers off; }",
                "location /a { proxy_hide_header X-Mine; proxy_hide_header upgrade; proxy_pass http://app; }",
                "set_real_ip_from 192.0.2.0/24; real_ip_header CF-Connecting-IP;",
            })
    void shouldTakeALocationThatBelievesNothing(String rules) {
        assertThat(checkedWith(Map.of("site.d/mine.conf", rules)).status()).isZero();
    }

    /**
     * As people wrote them: https://github.com/LemmyNet/lemmy-ansible/issues/155, https://github.com/KanishJebaMathewM/Truxify/issues/13918,
     * https://github.com/istio/fortio-deployment/pull/10 ($proxy_add_x_forwarded_for), and others of their kind.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "location /a { proxy_set_header X-Mine a; proxy_pass http://app; } | :1: a proxy_set_header of its own needs \"include snippets/request-headers.conf;\" beside it: else proxy_pass (nginx/site.d/mine.conf:1) passes on what a client forges",
                "location /a { grpc_set_header X-Mine a; grpc_pass app; } | :1: a grpc_set_header of its own needs \"include snippets/grpc-request-headers.conf;\" beside it: else grpc_pass (nginx/site.d/mine.conf:1) passes on what a client forges",
                "location ~ ^/api { proxy_pass \"http://app\"; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; } | :1: a proxy_set_header of its own needs",
                "location /api { proxy_pass http://app; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; } | :1: a proxy_set_header of its own needs",
                "proxy_set_header X-Mine a; | :1: a proxy_set_header of its own needs \"include snippets/request-headers.conf;\" beside it: else proxy_pass (nginx/snippets/again.conf:",
                "location /a { proxy_pass http://app; proxy_set_header X-Mine \"a; include snippets/request-headers.conf;\"; } | :1: a proxy_set_header of its own needs",
                "location /a { proxy_pass http://app; proxy_set_header X-Mine a; <br># include snippets/request-headers.conf;<br> } | :1: a proxy_set_header of its own needs",
                "location /a { location /a/b { include snippets/request-headers.conf; } proxy_set_header X-Mine a; if ($arg_x) { proxy_pass http://app; } } | :1: a proxy_set_header of its own needs",
                "include site.d/a*.inc; location /a { include site.d/a.inc; proxy_pass http://app; } | nginx/site.d/a.inc:2: a proxy_set_header of its own needs",
                "location /a { proxy_set_header Host $http_host; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as host",
                "location /a { proxy_set_header X-Remote-User ${http_x_user}; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as x-remote-user",
                "location /a { proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as x-forwarded-for",
                "location /a { proxy_set_header Upgrade $http_upgrade; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as upgrade",
                "location /a { proxy_set_header Connection upgrade; include snippets/request-headers.conf; proxy_pass http://app; } | :1: connection would be sent twice: snippets/request-headers.conf sets it",
                "location /a { fastcgi_pass 127.0.0.1:9; } | :1: fastcgi_pass would pass on what a client forges: it needs \"fastcgi_pass_request_headers off;\" beside it",
                "location /a { uwsgi_pass 127.0.0.1:9; } | :1: uwsgi_pass would pass on what a client forges",
                "location /a { grpc_pass app; } | :1: grpc_pass would pass on what a client forges: nothing around it includes snippets/grpc-request-headers.conf",
                "location /a { grpc_set_header X-Mine a; include snippets/request-headers.conf; grpc_pass app; } | :1: a grpc_set_header of its own needs",
                "location /a { proxy_hide_header X-Mine; proxy_pass http://app; } | :1: a proxy_hide_header of its own needs \"proxy_hide_header Upgrade;\" beside it",
                "set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; | :1: believes the address that any client claims",
                "set_real_ip_from 0.0.0.0/1; set_real_ip_from 128.0.0.0/1; | :1: believes the address that any client claims",
                "set $who $http_x_user; location /a { proxy_set_header X-Remote-User $who; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as x-remote-user",
                "location /a { proxy_set_header Host $cookie_h; include snippets/request-headers.conf; proxy_pass http://app; } | :1: passes on what a client forges as host",
                "set $upgrade websocket; | :1: $upgrade is defined already, in nginx/snippets/proxy.conf:",
                "underscores_in_headers on; | :1: with underscores_in_headers on a client forges X_Real_IP",
                "ignore_invalid_headers off; | :1: with ignore_invalid_headers off a client forges X_Real_IP",
            })
    void shouldRefuseWithFileAndLineALocationThatPassesOnWhatAClientForges(String rules, String reason) {
        Ended ended = checkedWith(Map.of("site.d/mine.conf", rules, "site.d/a.inc", "\nproxy_set_header X-Mine a;\n"));

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output())
                .startsWith(reason.startsWith(":") ? "nginx/site.d/mine.conf" + reason : reason)
                .hasLineCount(1);
    }

    /** Nginx takes the last map of a name without a word. The first one stands in many instructions for WebSockets: https://nginx.org/en/docs/http/websocket.html */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "map $http_upgrade $connection_upgrade { default upgrade; '' close; } | $connection_upgrade | proxy.conf",
                "map $uri $cache { default my_cache; } | $cache | cache.conf",
                "geo $again { default app; } | $again | upstreams.conf",
            })
    void shouldRefuseAnotherMeaningOfAVariableOfTheEdge(String rules, String name, String file) {
        Ended ended = checkedWith(Map.of("conf.d/mine.conf", rules));

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output())
                .contains(name + " is defined already, in nginx/")
                .endsWith(": give this one another name\n")
                .containsAnyOf(file, "nginx/conf.d/mine.conf");
    }

    @Test
    void shouldRefuseFilesWithoutTheList() {
        String kept = surroundings.rendered("snippets/proxy.conf");
        surroundings.put(
                "snippets/proxy.conf", kept.replace("include " + LIST + ";", "").replaceAll("proxy_set_header.*", ""));
        try {
            assertThat(surroundings.check().output())
                    .contains("a client forges", LIST)
                    .hasLineCount(1);
        } finally {
            surroundings.put("snippets/proxy.conf", kept);
        }
    }

    @Test
    void shouldRefuseAListThatBelievesAClient() {
        String kept = surroundings.rendered(LIST);
        surroundings.put(
                LIST, kept.replace("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for"));
        try {
            assertThat(surroundings.check().output())
                    .matches("nginx/" + LIST + ":\\d+: passes on what a client forges as x-forwarded-for\n");
        } finally {
            surroundings.put(LIST, kept);
        }
    }

    private static Ended checkedWith(Map<String, String> files) {
        files.forEach((file, rules) -> surroundings.put(file, rules.replace("<br>", "\n") + "\n"));
        try {
            return surroundings.check();
        } finally {
            files.keySet().forEach(surroundings::remove);
        }
    }
}
