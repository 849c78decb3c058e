package dev.twinhost.rehearsal;

import static dev.twinhost.rehearsal.ReleasedApplication.DEAD;
import static dev.twinhost.rehearsal.ReleasedApplication.UNHEALTHY;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a release of an application that dies, hides, hangs or is slow, and has a check: the outcome and the whole reason of each. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(2)
class CheckedApplicationTest {
    @RegisterExtension
    static final TroubledSite site = ReleasedApplication.site('h');

    private static final ReleasedApplication application = new ReleasedApplication(site);

    static Stream<Arguments> applications() {
        return Stream.of(
                arguments("dies at once", "", "{\"PLAY_LIFE\":\"0\"}", DEAD),
                arguments("listens on 127.0.0.1", "", "{\"PLAY_BIND\":\"127.0.0.1\"}", UNHEALTHY + ".*refused.*"),
                arguments("listens on its host name", "", "{\"PLAY_BIND\":\"hostname\"}", ""),
                arguments("is broken", "", "{\"PLAY_STATUS\":\"200 /health=500\"}", UNHEALTHY + ".*500.*"),
                arguments("starts in 150 s", "", "{\"PLAY_DELAY\":\"150\"}", UNHEALTHY + ".*refused.*"),
                arguments("ignores TERM", "", "{\"PLAY_IGNORE_TERM\":\"yes\"}", ""),
                arguments("dies after 5 s", "", "{\"PLAY_LIFE\":\"5\"}", DEAD),
                arguments("dies after 25 s", "", "{\"PLAY_LIFE\":\"25\"}", DEAD),
                arguments("listens on another port", "", "{\"PLAY_PORT\":\"3000\"}", UNHEALTHY + ".*refused.*"),
                arguments("hangs", "", "{\"PLAY_STATUS\":\"hang\"}", UNHEALTHY + ".*timed out.*"),
                arguments("starts in 90 s of 100", "-c appStartSeconds=100", "{\"PLAY_DELAY\":\"90\"}", ""),
                arguments("starts in 5 s", "", "{\"PLAY_DELAY\":\"5\"}", ""),
                arguments("answers 404", "", "{\"PLAY_STATUS\":\"404 /health=200\"}", ""),
                arguments("answers 500", "", "{\"PLAY_STATUS\":\"500 /health=200\"}", ""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("applications")
    void shouldReleaseAnApplicationOrSayWhyNot(String what, String options, String environment, String reason)
            throws Exception {
        application.shouldBecome(what, ("-c appHealthPath=/health " + options).strip(), environment, reason);
    }
}
