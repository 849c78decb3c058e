package dev.twinhost.rehearsal;

import static dev.twinhost.rehearsal.ReleasedApplication.DEAD;
import static dev.twinhost.rehearsal.ReleasedApplication.NO_ANSWER;
import static dev.twinhost.rehearsal.ReleasedApplication.REFUSED;
import static dev.twinhost.rehearsal.ReleasedApplication.folder;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.twinhost.rehearsal.registry.PlayImage;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a release of an application that dies, hides, hangs or is slow, and has no check: the outcome and the whole reason of each. */
@Tag("rehearsal")
@Tag("trouble")
@Order(9)
class TriedApplicationTest {
    @RegisterExtension
    static final TroubledSite site = ReleasedApplication.site('a');

    private static final ReleasedApplication application = new ReleasedApplication(site);

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
                arguments("ignores TERM", "", "{\"PLAY_IGNORE_TERM\":\"yes\"}", ""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("applications")
    @Tag("extended")
    void shouldReleaseAnApplicationOrSayWhyNot(String what, String options, String environment, String reason)
            throws Exception {
        application.shouldBecome(what, options, environment, reason);
    }

    /** The one of these that was released as healthy before there was a trial: what the gate has time for. */
    @Test
    void shouldRefuseAnApplicationThatNobodyReaches() throws Exception {
        application.shouldBecome(
                "listens on 127.0.0.1",
                "",
                "{\"PLAY_BIND\":\"127.0.0.1\"}",
                NO_ANSWER + REFUSED + ", as it listens on 127\\.0\\.0\\.1:8080 only: let it listen on 0\\.0\\.0\\.0");
    }

    @Test
    @Tag("extended")
    void shouldRefuseAnImageForOtherMachines() throws Exception {
        String other = "registry.example.org/acme/shop:arm";
        Path folder = folder("other");
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        String offered = arm ? "amd64" : "arm64";
        site.rehearsal()
                .registry()
                .push(new PlayImage("other").withArchitecture(offered).write(folder), other);

        application.assertRefused(
                "another architecture",
                "one",
                application.release("-c", "appImage=" + other),
                "the image " + other + " cannot be had: it is for linux/" + offered + ", and the machines are linux/"
                        + (arm ? "arm64" : "amd64") + ": build it for .*");
    }

    @Test
    @Tag("extended")
    void shouldRefuseAnImageThatNobodyCanAskForItsHealth() throws Exception {
        String bare = "registry.example.org/acme/shop:bare";
        site.rehearsal().registry().push(new PlayImage("bare").withoutTools().write(folder("bare")), bare);

        application.assertRefused(
                "no tools",
                "one",
                application.release("-c", "appImage=" + bare, "-c", "appHealthPath=/"),
                "the image " + bare + " has no shell with curl or wget, .*");
    }
}
