package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
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
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```(?:nginx)?\n# nginx/(\\S+)\n(.*?)```");
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
    void shouldFollowTheExamplesOfTheFoldersOwnPage() throws IOException {
        Map<String, String> examples = examples();
        assertThat(examples).hasSize(6);
        examples.forEach(surroundings::put);
        try {
            assertThat(surroundings.check()).isEqualTo(new EdgeSurroundings.Ended(0, "", ""));
            surroundings.reload();
            Await.that(
                    "the rules to be followed",
                    EdgeSurroundings.LIMIT,
                    () -> visitor.get(WWW + "/old-page").status() == 301);

            assertThat(visitor.get(WWW + "/old-page").header("Location")).containsExactly(WWW + "/new-page");
            assertThat(visitor.get(WWW + "/team/a").status()).isEqualTo(401);
            assertThat(visitor.get(WWW + "/team/a", "-u", "someone:example").status())
                    .isEqualTo(200);
            assertThat(visitor.get(WWW + "/").header("Permissions-Policy")).containsExactly("geolocation=()");
            assertThat(visitor.get(WWW + "/").header("X-Frame-Options")).containsExactly("SAMEORIGIN");
            assertThat(visitor.get(WWW + "/shop/").status()).isEqualTo(502);
        } finally {
            examples.keySet().forEach(surroundings::remove);
            surroundings.reload();
        }
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
                "conf.d/mine.conf | server { listen 8080; server_name www.example.com; default_type text/plain; return 200 mine; } | http://www.example.com/.well-known/acme-challenge/token is not answered by the challenge's service",
            })
    void shouldRefuseWithTheFilesNameWhatSpoilsTheBalancersCheckOrTheChallenge(
            String file, String rules, String reason) {
        EdgeSurroundings.Ended ended = checkedWith(file, rules);

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output()).isEqualTo(reason + ", because of nginx/" + file + "\n");
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
            closed.put("site.d/mine.conf", "location /mine { return 200; }\n");
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

    private static Map<String, String> examples() throws IOException {
        Map<String, String> examples = new LinkedHashMap<>();
        String page = Files.readString(Shell.CHECKOUT.resolve("nginx/site.d/README.md"));
        for (MatchResult example : EXAMPLE.matcher(page).results().toList()) {
            examples.put(example.group(1), example.group(2));
        }
        return examples;
    }
}
