package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people put into the edge's folder: rules of their own, the page for maintenance, the number of the cache. */
@Tag("root")
class SiteRulesTest {
    private static final String WWW = "https://www.example.com";
    private static final String CACHE = "snippets/cache.conf";

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    private static Visitor visitor;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        visitor = new Visitor(surroundings);
    }

    @Test
    void shouldFindTheShippedFilesFit() {
        assertThat(surroundings.check()).isEqualTo(new EdgeSurroundings.Ended(0, "", ""));
    }

    /** A site may close itself; its challenge and the balancer's check are in other servers, and open in any case. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "site.d/mine.conf | deny all;",
                "site.d/mine.conf | return 301 https://example.org/;",
                "site.d/mine.conf | auth_basic x; auth_basic_user_file site.d/users;",
                "site.d/mine.conf | location /healthz { return 404; } location /.well-known/ { return 404; }",
                "conf.d/mine.conf | deny all;",
                "conf.d/mine.conf | auth_basic x; auth_basic_user_file site.d/users;",
                "site.d/mine.conf | location /a { error_page 502 /b; return 200; }",
                "site.d/mine.conf | add_header X-Mine \"error_page 502 {\"; # { error_page 502 /b;",
            })
    void shouldTakeRulesThatSpoilNothing(String file, String rules) {
        assertThat(checkedWith(file, rules).status()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bogus on; | unknown directive \"bogus\" in /etc/nginx/site.d/mine.conf:2",
                "} server { listen 8080; | unexpected \"}\" in /etc/nginx/site.d/mine.conf:2",
                "location /a { | unexpected end of file, expecting \"}\" in /etc/nginx/site.d/mine.conf:3",
                "listen 8080 default_server; | a duplicate default server for 0.0.0.0:8080 in /etc/nginx/site.d/mine.conf:2",
                "location / { return 200; } | duplicate location \"/\" in /etc/nginx/site.d/mine.conf:2",
                "location /a { proxy_pass http://nowhere; } | host not found in upstream \"nowhere\" in /etc/nginx/site.d/mine.conf:2",
            })
    void shouldRefuseWithFileAndLineWhatNginxDoesNotTake(String rules, String reason) {
        EdgeSurroundings.Ended ended = checkedWith("site.d/mine.conf", "# mine\n" + rules);

        assertThat(ended.status()).isNotZero();
        assertThat(ended.error()).contains("[emerg]").contains(reason + "\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "site.d/mine.conf | listen 8080; server_name ~.; | http://127.0.0.1:8080/livez is answered with 502 text/html instead of 200 text/plain",
                "conf.d/mine.conf | server { listen 8080; server_name ~^10; return 301 https://a/; } | http://10.42.0.10/healthz is answered with 301 text/html instead of 200 text/plain",
                "conf.d/mine.conf | error_page 503 =200 /a; | http://10.42.0.10/healthz is answered with 000  instead of 503 text/html",
                "conf.d/mine.conf | server { listen 8080; server_name example.com; return 301 https://a/; } | http://example.com/.well-known/acme-challenge/token is answered with 301 text/html instead of 200 text/plain",
                "conf.d/mine.conf | server { listen 8080; server_name old.example.com; return 301 https://a/; } | http://old.example.com/.well-known/acme-challenge/token is answered with 301 text/html instead of 200 text/plain",
                "conf.d/mine.conf | server { listen 8080; server_name www.example.com; default_type text/plain; return 200 mine; } | http://www.example.com/.well-known/acme-challenge/token is not answered by the challenge's service",
            })
    void shouldRefuseWithTheFilesNameWhatSpoilsTheBalancersCheckOrTheChallenge(
            String file, String rules, String reason) {
        EdgeSurroundings.Ended ended = checkedWith(file, rules);

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output()).isEqualTo(reason + ", because of nginx/" + file + "\n");
    }

    /** Rules of which one has no effect, or each undoes the other: https://github.com/1Panel-dev/1Panel/issues/13844 */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "site.d/mine.conf | error_page 404 502 /sorry; | nginx/site.d/mine.conf: error_page 502 has no effect here, because nginx/snippets/again.conf has it first: put it into nginx/errors.d",
                "site.d/mine.conf | location /a { return 200 \"}\"; } error_page 502 =200 /sorry; | nginx/site.d/mine.conf: error_page 502 has no effect here, because nginx/snippets/again.conf has it first: put it into nginx/errors.d",
                "errors.d/mine.conf | error_page 502 /sorry; | https://www.example.com/ is answered with 500 while the application is away: a page of nginx/errors.d must not come from the application, because of nginx/errors.d/mine.conf",
                "site.d/mine.conf | add_header Strict-Transport-Security max-age=1 always; | https://www.example.com/ is answered with Strict-Transport-Security more than once: nginx/snippets/headers.conf has it, because of nginx/site.d/mine.conf",
                "conf.d/mine.conf | add_header X-Frame-Options DENY always; | https://www.example.com/ is answered with X-Frame-Options more than once: nginx/snippets/headers.conf has it, because of nginx/conf.d/mine.conf",
            })
    void shouldRefuseRulesThatContradictEachOtherWithTheReason(String file, String rules, String reason) {
        EdgeSurroundings.Ended ended = checkedWith(file, rules);

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output()).isEqualTo(reason + "\n");
    }

    /** A password in one of the site's locations alone would be no password: a cookie leads to another one. */
    @ParameterizedTest
    @CsvSource({
        "location /,'https://www.example.com/ is answered with 502, and with curl --http1.1 with 403: '",
        "location @small,'https://www.example.com/ is answered with 403, and with curl --http1.1 with 502: '",
        "location @small-as-it-is-sent,'https://www.example.com/ is answered with 502, and with curl -H Cookie:a=b with 403: '",
        "location @as-it-is-sent,'https://www.example.com/ is answered with 502, and with curl --http1.1 -X GET -H Transfer-Encoding:chunked -d a=b with 403: '"
    })
    void shouldRefuseARuleThatHoldsInOneOfTheSitesLocationsAlone(String location, String reason) {
        String site = "conf.d/site.conf";
        String kept = surroundings.rendered(site);
        surroundings.put(site, kept.replace(location + " {", location + " { deny all;"));
        try {
            assertThat(surroundings.check().output())
                    .isEqualTo(
                            reason + "what holds for the whole site belongs into nginx/site.d, outside of a location,"
                                    + " because of nginx/conf.d/site.conf\n");
        } finally {
            surroundings.put(site, kept);
        }
    }

    /** https://hstspreload.org/#submission-requirements, https://github.com/kubernetes/ingress-nginx/issues/11591 */
    @Test
    void shouldShowABrowserWhatItsListOfDomainsAsksFor(@TempDir Path another) throws Exception {
        Map<String, String> settings = Map.of("TWINHOST_HSTS_PRELOAD", "true", "TWINHOST_LAME_DUCK", "4");
        String preload = "max-age=63072000; includeSubDomains; preload";
        try (EdgeSurroundings listed = new EdgeSurroundings(another, settings)) {
            Visitor visitor = new Visitor(listed);
            for (String name : List.of("example.com", "www.example.com", "example.net")) {
                Visitor.Answer overHttp = visitor.get("http://" + name + "/a?b");
                assertThat(overHttp.status()).isEqualTo(301);
                assertThat(overHttp.header("Location")).containsExactly("https://" + name + "/a?b");
                assertThat(overHttp.header("Strict-Transport-Security")).isEmpty();
                assertThat(visitor.get("https://" + name + "/a?b").header("Strict-Transport-Security"))
                        .containsExactly(preload);
            }
            assertThat(visitor.get("https://example.com/a?b").header("Location"))
                    .containsExactly(WWW + "/a?b");
            assertThat(visitor.get(WWW + "/?header=Strict-Transport-Security:%20max-age=31536000")
                            .header("Strict-Transport-Security"))
                    .containsExactly("max-age=31536000");
        }
    }

    @Test
    void shouldForgetWhatTheCacheKeptWhenItsNumberIsRaisedOrItsFilesAreGone() {
        String url = WWW + "/purged?header=Cache-Control:%20public,%20max-age=600";
        assertThat(visitor.get(url).header("X-Proxy-Cache")).containsExactly("MISS");
        surroundings.reload();
        awaitFromCache(url, "HIT");
        String kept = surroundings
                .run(EdgeSurroundings.Place.EDGE, "cat", "/etc/nginx/" + CACHE)
                .output();
        String raised = kept.replace("proxy_cache_key \"1 ", "proxy_cache_key \"2 ");
        assertThat(raised).isNotEqualTo(kept);

        surroundings.put(CACHE, raised);
        try {
            surroundings.reload();
            awaitFromCache(url, "MISS");
            awaitFromCache(url, "HIT");

            surroundings.run(EdgeSurroundings.Place.EDGE, "sh", "-c", "rm -rf /var/cache/nginx/my_cache/*");
            assertThat(visitor.get(url).header("X-Proxy-Cache")).containsExactly("MISS");
            awaitFromCache(url, "HIT");
        } finally {
            surroundings.put(CACHE, kept);
            surroundings.reload();
        }
    }

    @Test
    void shouldShowNothingButThePageWhileMaintenanceIsOn(@TempDir Path another) throws Exception {
        Map<String, String> settings = Map.of("TWINHOST_MAINTENANCE", "true", "TWINHOST_LAME_DUCK", "4");
        try (EdgeSurroundings closed = new EdgeSurroundings(another, settings)) {
            Visitor visitor = new Visitor(closed);
            closed.put(
                    "site.d/mine.conf",
                    "deny all; auth_basic x; auth_basic_user_file site.d/users; location /mine { return 200; }\n");
            closed.put("maintenance.html", "<p>back at noon");
            assertThat(closed.check()).isEqualTo(new EdgeSurroundings.Ended(0, "", ""));
            closed.reload();
            Await.that(
                    "the page",
                    EdgeSurroundings.LIMIT,
                    () -> visitor.get(WWW + "/").body().equals("<p>back at noon"));

            for (Visitor.Answer answer : List.of(
                    visitor.get(WWW + "/mine"),
                    visitor.get(WWW + "/a%20b?x=1", "-X", "POST", "-d", "order"),
                    visitor.get(WWW + "/", "-H", "Authorization: Basic bWU6c2VjcmV0"))) {
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.body()).isEqualTo("<p>back at noon");
                assertThat(answer.header("Content-Type")).containsExactly("text/html");
                assertThat(answer.header("Retry-After")).containsExactly("300");
                assertThat(answer.header("Cache-Control")).containsExactly("no-store");
                assertThat(answer.header("Strict-Transport-Security")).containsExactly("max-age=63072000");
            }
            assertThat(visitor.get("http://example.com/a").header("Location")).containsExactly(WWW + "/a");
            assertThat(visitor.get("http://" + EdgeSurroundings.EDGE + "/healthz")
                            .status())
                    .isEqualTo(200);
            assertThat(visitor.get("http://www.example.com/.well-known/acme-challenge/token")
                            .body())
                    .isEqualTo("the answer");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/.maintenance", "/maintenance.html"})
    void shouldKeepThePageBackWhileMaintenanceIsOff(String path) {
        assertThat(visitor.get(WWW + path).body()).doesNotContain("Back soon");
    }

    @Test
    void shouldRefuseAFolderWithoutThePage() {
        String page = surroundings
                .run(EdgeSurroundings.Place.EDGE, "cat", "/etc/nginx/maintenance.html")
                .output();
        surroundings.remove("maintenance.html");
        try {
            assertThat(surroundings.check().output()).isEqualTo("nginx/maintenance.html is missing\n");
        } finally {
            surroundings.put("maintenance.html", page);
        }
    }

    /** Until it is so: an answer is in the cache a moment after the visitor has it. */
    private static void awaitFromCache(String url, String status) {
        Await.that(
                status,
                EdgeSurroundings.LIMIT,
                () -> visitor.get(url).header("X-Proxy-Cache").equals(List.of(status)));
    }

    private static EdgeSurroundings.Ended checkedWith(String file, String rules) {
        surroundings.put(file, rules + "\n");
        try {
            return surroundings.check();
        } finally {
            surroundings.remove(file);
        }
    }
}
