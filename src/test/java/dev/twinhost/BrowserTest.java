package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.EdgeSurroundings.Place;
import dev.twinhost.rehearsal.system.Await;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a browser's own engine makes of the edge: Chromium, without a screen. */
@Tag("root")
@Tag("extended")
class BrowserTest {
    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings surroundings;

    @BeforeAll
    static void startEdge() throws Exception {
        surroundings = new EdgeSurroundings(root, 4);
        surroundings.changeApplication("origin.py");
        surroundings.put(
                "site.d/film.html",
                Files.readString(Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/edge/film.html")));
        surroundings.put(
                "site.d/film.conf",
                "location = /watch { alias /etc/nginx/site.d/film.html; default_type text/html; }\n");
        surroundings.reload();
        Visitor visitor = new Visitor(surroundings);
        Await.that(
                "the edge to pass on the application's answer",
                EdgeSurroundings.LIMIT,
                () -> visitor.curl("https://www.example.com/film?wav=1", "-f", "-o", "/dev/null")
                                .status()
                        == 0);
    }

    /**
     * A film that is watched from its middle on: https://github.com/mastodon/mastodon/issues/15872, https://github.com/LemmyNet/lemmy-ansible/issues/259,
     * https://github.com/g0v/itaigi/issues/338 (whoever is known got the whole of it, or nothing).
     */
    @ParameterizedTest
    @CsvSource({
        "'Cache-Control: private',''",
        "'Cache-Control: private','session=1'",
        "'Cache-Control: public, max-age=60','session=1'",
        "'Cache-Control: public, max-age=60',''"
    })
    void shouldPlayAFilmFromItsMiddleOn(String header, String cookie) throws Exception {
        int before = surroundings.requests("/told").size();
        Process browser =
                browse("/watch?header=" + encode(header) + (cookie.isEmpty() ? "" : "&cookie=" + encode(cookie)));
        try {
            Await.that(
                    "the film to play",
                    EdgeSurroundings.LIMIT.multipliedBy(2),
                    () -> surroundings.requests("/told").size() > before);
        } finally {
            browser.destroy();
            browser.waitFor();
        }

        assertThat(surroundings.requests("/told").get(before).at("/body").asText())
                .as(String.join("\n", surroundings.log(Place.EDGE)))
                .matches("plays at 50\\d of 600");
        List<String> parts = surroundings.requests("/film").stream()
                .map(request -> request.at("/headers/range").asText())
                .toList();
        assertThat(parts).as("from the 500th second on").anyMatch(part -> part.matches("bytes=1[56]\\d{6}-.*"));
    }

    private static Process browse(String path) throws Exception {
        return surroundings.startOfThisMachine(
                Place.VISITOR,
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--no-proxy-server",
                "--ignore-certificate-errors",
                "--autoplay-policy=no-user-gesture-required",
                "--host-resolver-rules=MAP www.example.com " + EdgeSurroundings.EDGE,
                "--user-data-dir=" + Files.createTempDirectory(root, "browser"),
                "https://www.example.com" + path);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
