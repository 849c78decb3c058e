package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.registry.PlayImage;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What becomes of a release of an application that dies, hides, hangs or is slow: the outcome and the whole reason of each; and
 * which version clients get from every host when the tag, the registry or its password has changed. Under load, of which nothing is lost.
 */
@Tag("rehearsal")
@Tag("trouble")
@Order(9)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TriedApplicationTest {
    private static final String IMAGE = "registry.example.org/acme/shop:1";
    private static final String TRIED = "the application was tried and is not released: ";
    private static final String DEAD = TRIED + "task: non-zero exit \\(1\\)";
    private static final String NO_ANSWER = TRIED + "within 20 s \\(appStartSeconds\\) there was no answer: ";
    private static final String REFUSED = "(Failed|Could not) .*connect.*";
    private static final String UNHEALTHY = TRIED
            + "it was too slow, or is broken: not healthy within 20 s \\(appStartSeconds\\) and three checks; its check said last: ";
    /** KiB of an image whose pull takes so many seconds. */
    private static final int LARGE = 12_000;

    private static final int PULL_SECONDS = 60;
    private static final int BITS = 8;
    private static final String STATUS = "answer: status ";
    private static final Path IMAGES = folder();

    /** What the application that serves answers to everybody on purpose; empty where it answers as visitors want it. */
    private static String meant = "";

    @RegisterExtension
    static final TroubledSite site = new TroubledSite(
            'a',
            "-c",
            "appImage=" + IMAGE,
            "-c",
            "appPort=" + PlayImage.PORT,
            "-c",
            "appStartSeconds=20",
            "--image",
            image("one").toString());

    static Stream<Arguments> applications() {
        return Stream.of(
                arguments("dies at once", "", "{\"PLAY_LIFE\":\"0\"}", DEAD),
                arguments("dies after 5 s", "", "{\"PLAY_LIFE\":\"5\"}", DEAD),
                arguments("dies after 25 s", "", "{\"PLAY_LIFE\":\"25\"}", DEAD),
                arguments(
                        "listens over IPv6 alone",
                        "",
                        "{\"PLAY_BIND\":\"::\",\"PLAY_V6ONLY\":\"yes\"}",
                        NO_ANSWER + REFUSED
                                + ", as it listens on \\[::]:8080 over IPv6 only: let it listen on 0\\.0\\.0\\.0"),
                arguments("listens on ::", "", "{\"PLAY_BIND\":\"::\"}", ""),
                arguments("listens on its host name", "", "{\"PLAY_BIND\":\"hostname\"}", ""),
                arguments(
                        "listens on another port",
                        "",
                        "{\"PLAY_PORT\":\"3000\"}",
                        NO_ANSWER + REFUSED + ", as it listens on 3000, and appPort is 8080"),
                arguments(
                        "hangs",
                        "",
                        "{\"PLAY_STATUS\":\"hang\"}",
                        NO_ANSWER + "Operation timed out .*, though it listens on port 8080"),
                arguments(
                        "resets",
                        "",
                        "{\"PLAY_STATUS\":\"reset\"}",
                        NO_ANSWER + "Recv failure: Connection reset by peer, though it listens on port 8080"),
                arguments("answers 404", "", "{\"PLAY_STATUS\":\"404\"}", ""),
                arguments("answers 500", "", "{\"PLAY_STATUS\":\"500\"}", ""),
                arguments("starts in 5 s", "", "{\"PLAY_DELAY\":\"5\"}", ""),
                arguments(
                        "starts in 150 s",
                        "",
                        "{\"PLAY_DELAY\":\"150\"}",
                        NO_ANSWER + REFUSED + ", as it listens on no port"),
                arguments("starts in 90 s of 100", "-c appStartSeconds=100", "{\"PLAY_DELAY\":\"90\"}", ""),
                arguments("starts in 15 s of 20", "", "{\"PLAY_DELAY\":\"15\"}", ""),
                arguments("ignores TERM", "", "{\"PLAY_IGNORE_TERM\":\"yes\"}", ""),
                arguments("dies at once, with a check", "-c appHealthPath=/health", "{\"PLAY_LIFE\":\"0\"}", DEAD),
                arguments(
                        "listens on 127.0.0.1, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_BIND\":\"127.0.0.1\"}",
                        UNHEALTHY + ".*refused.*"),
                arguments(
                        "listens on its host name, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_BIND\":\"hostname\"}",
                        ""),
                arguments(
                        "is broken, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_STATUS\":\"200 /health=500\"}",
                        UNHEALTHY + ".*500.*"),
                arguments(
                        "starts in 150 s, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_DELAY\":\"150\"}",
                        UNHEALTHY + ".*refused.*"),
                arguments(
                        "ignores TERM, with a check", "-c appHealthPath=/health", "{\"PLAY_IGNORE_TERM\":\"yes\"}", ""),
                arguments("dies after 5 s, with a check", "-c appHealthPath=/health", "{\"PLAY_LIFE\":\"5\"}", DEAD),
                arguments("dies after 25 s, with a check", "-c appHealthPath=/health", "{\"PLAY_LIFE\":\"25\"}", DEAD),
                arguments(
                        "listens on another port, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_PORT\":\"3000\"}",
                        UNHEALTHY + ".*refused.*"),
                arguments(
                        "hangs, with a check",
                        "-c appHealthPath=/health",
                        "{\"PLAY_STATUS\":\"hang\"}",
                        UNHEALTHY + ".*timed out.*"),
                arguments(
                        "starts in 90 s of 100, with a check",
                        "-c appHealthPath=/health -c appStartSeconds=100",
                        "{\"PLAY_DELAY\":\"90\"}",
                        ""),
                arguments("starts in 5 s, with a check", "-c appHealthPath=/health", "{\"PLAY_DELAY\":\"5\"}", ""),
                arguments(
                        "answers 404, with a check that is content",
                        "-c appHealthPath=/health",
                        "{\"PLAY_STATUS\":\"404 /health=200\"}",
                        ""),
                arguments(
                        "answers 500, with a check that is content",
                        "-c appHealthPath=/health",
                        "{\"PLAY_STATUS\":\"500 /health=200\"}",
                        ""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("applications")
    @Tag("extended")
    @Order(1)
    void shouldReleaseAnApplicationOrSayWhyNot(String what, String options, String environment, String reason)
            throws Exception {
        List<String> words = new ArrayList<>();
        if (!options.isEmpty()) {
            words.addAll(List.of(options.split(" ")));
        }
        words.addAll(List.of("-c", "appEnvironment=" + environment));
        if (reason.isEmpty()) {
            assertReleased(what, "one", release(words));
        } else {
            assertRefused(what, "one", release(words), reason);
        }
    }

    /** The one of these that was released as healthy before there was a trial: what the gate has time for. */
    @Test
    @Order(2)
    void shouldRefuseAnApplicationThatNobodyReaches() throws Exception {
        assertRefused(
                "listens on 127.0.0.1",
                "one",
                release(List.of("-c", "appEnvironment={\"PLAY_BIND\":\"127.0.0.1\"}")),
                NO_ANSWER + REFUSED + ", as it listens on 127\\.0\\.0\\.1:8080 only: let it listen on 0\\.0\\.0\\.0");
    }

    @Test
    @Tag("extended")
    @Order(3)
    void shouldKeepTheVersionThatServesWhateverBecomesOfTheTagAndTheRegistry() throws Exception {
        site.rehearsal().registry().push(image("two"), IMAGE);

        // the tag is moved: nobody has asked for that yet, and the release of something else does
        assertThat(version()).isEqualTo("one");
        assertReleasedWhileServing(
                "another version under the same tag", release(List.of("-c", "email=ops-1@example.com")));
        assertThat(version()).isEqualTo("two");

        // the registry is away, and the tag stands for a stale image on no host
        site.rehearsal().registry().push(image("three"), IMAGE);
        site.rehearsal().registry().stop();
        assertRefusedWhileServing(
                "a registry that is away",
                release(List.of("-c", "email=ops-2@example.com")),
                "the image " + IMAGE + " cannot be had: .*connection refused.*");
        site.rehearsal().registry().mend();

        site.rehearsal().registry().requirePassword("somebody", "else");
        assertRefusedWhileServing(
                "another password",
                release(List.of("-c", "email=ops-3@example.com")),
                "the image " + IMAGE + " cannot be had: .*(unauthorized|no basic auth credentials).*");
        site.rehearsal().registry().mend();
        assertThat(site.endLoad("tags and registries").failures()).isEmpty();
    }

    @Test
    @Tag("extended")
    @Order(4)
    void shouldTakeWhatTheTagMeansNowWhereItIsAskedTo() {
        Machine one = site.hosts().get(0);
        // an answer of the registry holds for ten minutes
        site.inside(one, "rm", "-f", "/run/twinhost/meant");
        assertThat(site.attempt(one, "twinhost", "status").output()).contains("the tag " + IMAGE + " has moved");
        // applied again, it stays what it was, without a registry
        site.rehearsal().registry().stop();
        assertThat(site.inside(one, "twinhost", "release")).endsWith(" has converged");
        site.rehearsal().registry().mend();
        assertThat(version()).isEqualTo("two");

        assertThat(site.inside(one, "twinhost", "release", "--resolve")).endsWith(" has converged");

        assertThat(version()).isEqualTo("three");
        assertThat(site.endLoad("--resolve").failures()).isEmpty();
    }

    @Test
    @Tag("extended")
    @Order(5)
    void shouldRefuseAnImageForOtherMachines() throws Exception {
        String other = "registry.example.org/acme/shop:arm";
        Path folder = IMAGES.resolve("other");
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        String offered = arm ? "amd64" : "arm64";
        site.rehearsal()
                .registry()
                .push(new PlayImage("other").withArchitecture(offered).write(folder), other);

        assertRefused(
                "another architecture",
                "three",
                release(List.of("-c", "appImage=" + other)),
                "the image " + other + " cannot be had: it is for linux/" + offered + ", and the machines are linux/"
                        + (arm ? "arm64" : "amd64") + ": build it for .*");
    }

    @Test
    @Tag("extended")
    @Order(6)
    void shouldRefuseAnImageThatNobodyCanAskForItsHealth() throws Exception {
        String bare = "registry.example.org/acme/shop:bare";
        site.rehearsal().registry().push(new PlayImage("bare").withoutTools().write(IMAGES.resolve("bare")), bare);

        assertRefused(
                "no tools",
                "three",
                release(List.of("-c", "appImage=" + bare, "-c", "appHealthPath=/")),
                "the image " + bare + " has no shell with curl or wget, .*");
    }

    @Test
    @Tag("extended")
    @Order(7)
    void shouldKeepTheVersionThatServesWhereTheRegistryGivesNoAnswerOfUse() throws Exception {
        site.rehearsal().registry().push(image("four"), IMAGE);

        site.rehearsal().registry().empty();
        assertRefusedWhileServing(
                "a registry that has been emptied",
                release(List.of("-c", "email=ops-4@example.com")),
                "the image " + IMAGE + " cannot be had: .*manifest unknown.*");
        assertThat(version()).isEqualTo("three");
        site.rehearsal().registry().mend();

        site.rehearsal().registry().limit();
        assertRefusedWhileServing(
                "a registry that counts too many pulls",
                release(List.of("-c", "email=ops-5@example.com")),
                "the image " + IMAGE + " cannot be had: .*toomanyrequests: The rehearsal counts too many pulls.*");
        assertThat(version()).isEqualTo("three");
        site.rehearsal().registry().mend();

        // the engine gives up after 15 s; the release does not wait for longer than 30 s
        site.rehearsal().registry().hang();
        assertRefusedWhileServing(
                "a registry that hangs",
                release(List.of("-c", "email=ops-6@example.com")),
                "the image " + IMAGE + " cannot be had: (no answer within 30 s|.*Client\\.Timeout exceeded.*)");
        assertThat(version()).isEqualTo("three");
        site.rehearsal().registry().mend();
        assertThat(site.endLoad("a registry without an answer of use").failures())
                .isEmpty();
    }

    @Test
    @Tag("extended")
    @Order(8)
    void shouldReleaseALargeImageFromASlowRegistry() throws Exception {
        String large = "registry.example.org/acme/shop:large";
        String blobs = "/acme/shop/blobs/";
        Path folder = IMAGES.resolve("five");
        site.rehearsal()
                .registry()
                .push(new PlayImage("five").withBallast(LARGE).write(folder), large);
        site.rehearsal().registry().slow(LARGE * BITS / PULL_SECONDS);
        long before = site.rehearsal().registry().requests(blobs);

        assertReleased("a large image from a slow registry", "five", release(List.of("-c", "appImage=" + large)));

        // each host has pulled the configuration and the layer
        assertThat(site.rehearsal().registry().requests(blobs) - before).isGreaterThanOrEqualTo(4);
        site.rehearsal().registry().mend();
    }

    private static Commands.Run release(List<String> options) throws Exception {
        return site.commands()
                .run(Stream.concat(Stream.of("release"), options.stream()).toArray(String[]::new));
    }

    private static void assertReleased(String what, String version, Commands.Run run) {
        assertReleasedWhileServing(what, run);
        String before = meant;
        meant = what.startsWith("answers ")
                ? STATUS + what.substring("answers ".length()).replaceFirst("\\D.*", "")
                : "";
        assertNothingLost(what, before, meant);
        if (meant.isEmpty()) {
            assertThat(version()).isEqualTo(version);
        }
    }

    private static void assertReleasedWhileServing(String what, Commands.Run run) {
        assertThat(run.output()).as(what).contains("The deploy would succeed: ");
        assertThat(run.status()).isZero();
        site.awaitWhole();
    }

    private static void assertRefused(String what, String version, Commands.Run run, String reason) {
        assertRefusedWhileServing(what, run, reason);
        assertThat(version()).isEqualTo(version);
        assertNothingLost(what, meant);
    }

    private static void assertRefusedWhileServing(String what, Commands.Run run, String reason) {
        String last = run.output().lines().reduce("", (earlier, line) -> line);
        System.out.println(what + ": " + last);
        assertThat(run.status()).as(run.output()).isEqualTo(1);
        assertThat(last)
                .matches("(\\[.* s] )?The deploy would fail: WaitCondition received failed message: '" + reason
                        + "' for uniqueId: i-\\w+");
        site.awaitWhole();
    }

    private static void assertNothingLost(String what, String... meant) {
        assertThat(site.endLoad(what).failures())
                .filteredOn(request -> !List.of(meant).contains(request.error()))
                .isEmpty();
    }

    /** That both hosts serve. */
    private static String version() {
        List<String> versions = site.hosts().stream()
                .map(host -> site.visitHost(host, "/version-" + System.nanoTime())
                        .output()
                        .lines()
                        .findFirst()
                        .orElse(""))
                .distinct()
                .toList();
        assertThat(versions).hasSize(1);
        return versions.get(0).replace("version: ", "");
    }

    private static Path image(String version) {
        return new PlayImage(version).write(IMAGES.resolve(version));
    }

    private static Path folder() {
        try {
            Path folder = Files.createTempDirectory("twinhost-images-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> Folders.delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
