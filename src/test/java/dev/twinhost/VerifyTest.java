package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code bin/verify} against the real edge: as it should be, and broken in each way that it claims to find. */
@Tag("root")
class VerifyTest {
    private static final String REDIRECTS = "conf.d/redirects.conf";
    private static final String HEADERS = "snippets/headers.conf";
    private static final String TLS = "snippets/tls.conf";

    @TempDir
    static Path root;

    @AutoClose
    private static EdgeSurroundings edge;

    @BeforeAll
    static void startEdge() throws Exception {
        edge = new EdgeSurroundings(root, 16);
    }

    @Test
    void shouldFindNothingWrongWithAGoodSite() {
        EdgeSurroundings.Ended ended = edge.verify();

        assertThat(ended.status()).as(ended.output() + ended.error()).isZero();
        assertThat(ended.output())
                .contains(
                        "ok      http://example.com redirects                  301 to https://www.example.com/a/path?with=query\n")
                .contains("89 days left\n")
                .endsWith("\nall is well\n")
                .doesNotContain("BROKEN");
    }

    @Test
    void shouldFindNothingWrongFromALaptop() {
        EdgeSurroundings.Ended ended = edge.verifyWith(Laptop.path());

        assertThat(ended.output() + ended.error()).endsWith("\nall is well\n").doesNotContain("BROKEN");
        assertThat(ended.status()).isZero();
    }

    @ParameterizedTest
    @MethodSource("breaches")
    void shouldFindWhatIsBrokenInTheFilesOfNginx(String file, String from, String to, List<String> broken) {
        whileBroken(file, from, to, () -> assertThat(broken()).containsExactlyElementsOf(broken));
    }

    @Test
    void shouldTakeTheFirstHopOfADomainInTheBrowsersList() {
        Map<String, String> preload = Map.of(
                REDIRECTS, edge.rendered(REDIRECTS).replace("map false ", "map true "),
                HEADERS, edge.rendered(HEADERS).replace("$scheme false", "$scheme true"));
        try {
            preload.forEach(edge::put);
            edge.reload();
            Await.that(
                    "the first hop",
                    EdgeSurroundings.LIMIT,
                    () -> edge.verify().output().contains("301 to https://example.com/a/path?with=query"));
            assertThat(broken()).isEmpty();
        } finally {
            preload.keySet().forEach(file -> edge.put(file, edge.rendered(file)));
            edge.reload();
            Await.that("the site as it was", EdgeSurroundings.LIMIT, () -> broken().isEmpty());
        }
    }

    private static void whileBroken(String file, String from, String to, Runnable look) {
        String good = edge.rendered(file);
        assertThat(good).contains(from);
        try {
            edge.put(file, good.replace(from, to));
            edge.reload();
            // the workers that were there before may answer for a moment
            Await.that("the broken site", EdgeSurroundings.LIMIT, () -> !broken().isEmpty());
            look.run();
        } finally {
            edge.put(file, good);
            edge.reload();
            Await.that("the site as it was", EdgeSurroundings.LIMIT, () -> broken().isEmpty());
        }
    }

    static Stream<Arguments> breaches() {
        return Stream.of(
                arguments(
                        REDIRECTS,
                        "return 301",
                        "return 302",
                        List.of(
                                "http://example.com redirects",
                                "http://www.example.com redirects",
                                "https://example.com redirects",
                                "/healthz does not leak over http")),
                arguments(HEADERS, "max-age=63072000", "max-age=300", List.of("HSTS")),
                arguments("snippets/basics.conf", "http2 on;", "http2 off;", List.of("HTTP/2")),
                arguments(TLS, "TLSv1.2 TLSv1.3;", "TLSv1.2;", List.of("TLS 1.3 is taken")),
                arguments(TLS, "TLSv1.2 TLSv1.3;", "TLSv1.3;", List.of("TLS 1.2 is taken")),
                arguments(
                        TLS,
                        "TLSv1.2 TLSv1.3;\nssl_ciphers ",
                        "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\nssl_ciphers ALL:@SECLEVEL=0:",
                        List.of("TLS 1.0 is refused", "TLS 1.1 is refused")),
                arguments(
                        "snippets/acme-challenge.conf",
                        "location ^~ /.well-known/acme-challenge/ {",
                        "location ^~ /.well-known/acme-challenge/ {\n  return 301 https://$host$request_uri;",
                        List.of("ACME path of example.com", "ACME path of www.example.com")),
                arguments(
                        "conf.d/site.conf",
                        "  location / {",
                        "  location = /healthz {\n    return 200 \"edge\\n\";\n  }\n  location / {",
                        List.of("/healthz does not leak over https")),
                arguments(
                        "conf.d/default.conf", "return 444;", "return 404;", List.of("an unknown name gets no answer")),
                arguments(
                        "conf.d/default.conf",
                        "ssl_reject_handshake on;",
                        "ssl_reject_handshake off;",
                        List.of("an unknown name gets no certificate")));
    }

    @Test
    void shouldFindACertificateThatLacksANameOrIsAboutToEnd() {
        try {
            edge.issueCertificate(5, "example.com");
            Await.that(
                    "another certificate",
                    EdgeSurroundings.LIMIT,
                    () -> broken().contains("certificate for both names"));

            EdgeSurroundings.Ended ended = edge.verify();
            assertThat(ended.status()).isEqualTo(1);
            assertThat(ended.output())
                    .contains("- certificate for both names: got example.com (no www.example.com), want example.com and"
                            + " www.example.com on one. Look at: docker service logs twinhost_certbot;"
                            + " certificate in twinhost status\n")
                    .contains("BROKEN  certificate is trusted                        www.example.com: curl: (60) SSL:")
                    .contains("- certificate lasts: got 4 days left, want 10 or more. Look at: ");
        } finally {
            edge.issueCertificate();
            Await.that("a good certificate", EdgeSurroundings.LIMIT, () -> broken().isEmpty());
        }
    }

    @Test
    void shouldFindThatTheApplicationIsDown() throws Exception {
        edge.stopApplication();
        try {
            assertThat(broken()).containsExactly("https://www.example.com answers");
        } finally {
            edge.startApplication();
            Await.that("the application", EdgeSurroundings.LIMIT, () -> broken().isEmpty());
        }
    }

    @Test
    void shouldAskWhetherMaintenanceIsMeant() {
        // as readable as in the container
        edge.put("maintenance.html", edge.rendered("maintenance.html"));

        whileBroken(
                "snippets/maintenance.conf",
                "$maintenance false",
                "$maintenance true",
                () -> assertThat(edge.verify().output())
                        .endsWith(
                                "\n- https://www.example.com answers: got 503, want an answer of the application, not 5xx."
                                        + " Look at: is it meant? maintenance in cdk.json\n"));
    }

    @Test
    void shouldSayInOneLineThatNothingAnswers() {
        EdgeSurroundings.Ended ended = edge.verify("--connect-to", EdgeSurroundings.VISITOR);

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.output().lines().filter(line -> !line.startsWith("-")))
                .hasSize(3)
                .first()
                .asString()
                .startsWith("BROKEN  the site answers                              curl: (7) ");
        assertThat(ended.output())
                .endsWith(", want an answer of any kind. Look at: is " + EdgeSurroundings.VISITOR
                        + " the balancer, and is one of its hosts healthy?\n");
    }

    @Test
    void shouldSayHowItIsUsed() {
        Command.Result result =
                Command.of(Shell.CHECKOUT + "/bin/verify", "--help").result();

        assertThat(result.status()).isZero();
        assertThat(result.output())
                .startsWith("verify DOMAIN [--connect-to HOST] [--json]\n")
                .endsWith("CURL_CA_BUNDLE=FILE.\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | DOMAIN: is missing",
                "example | DOMAIN: is no host name, got \"example\"",
                "www.example.com | DOMAIN: is no apex, got \"www.example.com\"",
                "--quick | is no option, got \"--quick\""
            })
    void shouldRefuseArgumentsThatNameNoSite(String argument, String problem) {
        Command.Result result =
                Command.of(Shell.CHECKOUT + "/bin/verify", argument).result();

        assertThat(result.status()).isEqualTo(2);
        assertThat(result.error())
                .isEqualTo("bin/verify: " + problem + "; want bin/verify DOMAIN [--connect-to HOST] [--json]\n");
    }

    /** The names of what is not as it should be. */
    private static List<String> broken() {
        EdgeSurroundings.Ended ended = edge.verify("--json");
        try {
            JsonNode report = new ObjectMapper().readTree(ended.output());
            List<String> names = StreamSupport.stream(report.path("checks").spliterator(), false)
                    .filter(check -> !check.path("ok").asBoolean())
                    .map(check -> check.path("name").asText())
                    .toList();
            assertThat(report.path("ok").asBoolean()).isEqualTo(names.isEmpty());
            assertThat(ended.status()).isEqualTo(names.isEmpty() ? 0 : 1);
            return names;
        } catch (JsonProcessingException e) {
            throw new AssertionError(ended.output() + ended.error(), e);
        }
    }
}
