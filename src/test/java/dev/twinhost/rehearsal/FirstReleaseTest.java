package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.registry.PlayImage;
import dev.twinhost.rehearsal.release.Answer;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What becomes of a new site whose application dies, hides, hangs or is slow. Nothing is tried before the very first release: it fails
 * with the whole reason, and no host calls itself complete.
 */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
class FirstReleaseTest {
    private static final String COMPLETE = " bootstrap: this machine is complete\n";
    private static final Duration OTHER_HOST = Duration.ofMinutes(4);

    private static final String CHECKED = "-c appHealthPath=/health";
    private static final String ENDED = "twinhost_app: \\d+ containers have ended one after the other: ";
    private static final String DEAD = ENDED + ReleasedApplication.EXIT;
    private static final String UNHEALTHY = ENDED + ReleasedApplication.ILL;
    private static final String NO_EDGE =
            "waited 40 s for every edge to pass on an answer of the application, last: the edge on ip-10-42-\\d-10 ";
    private static final String NO_ANSWER = ": within 20 s \\(appStartSeconds\\) there was no answer: ";
    // a dash for each container that was asked
    private static final String REFUSED = NO_EDGE + "gets no answer from the application \\(502[-,: ]*\\)" + NO_ANSWER
            + "(Failed|Could not) [^;]*connect[^;]*, as it listens on ";
    private static final String TIMED_OUT = "Operation timed out after 10\\d{3} milliseconds with 0 bytes received";

    @TempDir
    static Path root;

    private static Path image;

    private final Commands commands = new Commands(Path.of(""), 'e');
    private final Rehearsal rehearsal = commands.rehearsal();

    static Stream<Arguments> refused() {
        return Stream.of(
                arguments("dies at once", "", "{\"PLAY_LIFE\":\"0\"}", DEAD),
                arguments("dies after 5 s", "", "{\"PLAY_LIFE\":\"5\"}", DEAD),
                arguments("dies after 25 s", "", "{\"PLAY_LIFE\":\"25\"}", DEAD),
                arguments(
                        "listens on 127.0.0.1",
                        "",
                        "{\"PLAY_BIND\":\"127.0.0.1\"}",
                        REFUSED + "127\\.0\\.0\\.1:8080 only: let it listen on 0\\.0\\.0\\.0"),
                arguments(
                        "listens on another port",
                        "",
                        "{\"PLAY_PORT\":\"3000\"}",
                        REFUSED + "3000, and appPort is 8080"),
                arguments(
                        "hangs",
                        "",
                        "{\"PLAY_STATUS\":\"hang\"}",
                        NO_EDGE + "cannot be asked: " + TIMED_OUT + NO_ANSWER + TIMED_OUT
                                + ", though it listens on port 8080"),
                arguments("starts in 150 s", "", "{\"PLAY_DELAY\":\"150\"}", REFUSED + "no port"),
                arguments("dies at once, with a check", CHECKED, "{\"PLAY_LIFE\":\"0\"}", DEAD),
                arguments(
                        "is broken, with a check",
                        CHECKED,
                        "{\"PLAY_STATUS\":\"200 /health=500\"}",
                        UNHEALTHY + ".*500.*"));
    }

    static Stream<Arguments> released() {
        return Stream.of(
                arguments("answers 404", "{\"PLAY_STATUS\":\"404\"}", "404"),
                arguments("starts in 15 s of 20", "{\"PLAY_DELAY\":\"15\"}", "200"));
    }

    @BeforeAll
    static void makeImage() {
        image = new PlayImage("first").write(root.resolve("first"));
    }

    @BeforeEach
    void begin() throws Exception {
        commands.run("down");
    }

    @AfterEach
    void end() throws Exception {
        assertThat(commands.run("down")).isEqualTo(new Commands.Run(0, "Nothing of the rehearsal is left.\n"));
        assertThat(new Leftovers(commands.id()).find()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void shouldSayWhyNoSiteComesUp(String what, String options, String environment, String reason) throws Exception {
        Commands.Run up = up(options, environment);

        String said = reason(up);
        System.out.println(what + ": " + said);
        assertThat(up.status()).as(up.output()).isEqualTo(1);
        assertThat(up.output()).containsPattern("host \\d \\(i-0\\w+, 10\\.42\\.\\d\\.10\\) has signalled failure\\.");
        assertThat(said).matches(reason);
        Answer answer = new Answers(rehearsal.state())
                .first(rehearsal.site().waitCondition().orElseThrow())
                .orElseThrow();
        assertThat(answer.success()).isFalse();
        assertThat(answer.reason()).matches(reason);
        // what does not run cannot serve either when the other host tries the same
        if (reason.startsWith(ENDED)) {
            Await.that(
                    "both hosts to signal failure",
                    OTHER_HOST,
                    () -> hosts().stream()
                            .allMatch(host -> rehearsal.signal(host).equals(Optional.of(Signal.FAILURE))));
        }
        assertNobodyIsComplete();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("released")
    void shouldBringUpWhatAnswers(String what, String environment, String status) throws Exception {
        Commands.Run up = up("", environment);

        assertThat(up.output()).as(what).contains("The site is up on 1 at ");
        assertThat(up.status()).isZero();
        String name = rehearsal.site().mainName();
        for (Machine host : hosts()) {
            assertThat(rehearsal
                            .curlAtBalancer(List.of(
                                    "-sS",
                                    "-m",
                                    "10",
                                    "-w",
                                    "%{http_code}",
                                    "--cacert",
                                    "/mnt/ca.pem",
                                    "--resolve",
                                    name + ":443:" + host.address(),
                                    "https://" + name + "/any"))
                            .run())
                    .as("host " + host.name())
                    .startsWith("version: first\nserved-by: ")
                    .endsWith("\n" + status);
            assertThat(log(host)).contains(COMPLETE);
        }
    }

    private Commands.Run up(String options, String environment) throws Exception {
        List<String> words = new ArrayList<>(List.of("up"));
        words.addAll(ReleasedApplication.SETTINGS);
        words.addAll(ReleasedApplication.options(options, environment));
        words.addAll(List.of("--image", image.toString()));
        return commands.run(words.toArray(String[]::new));
    }

    /** The last word of the release among the last lines of the host's log. */
    private static String reason(Commands.Run up) {
        return up.output()
                .lines()
                .filter(line -> line.matches(" {4}\\S+Z release: .*"))
                .reduce("", (earlier, line) -> line)
                .replaceFirst("^ {4}\\S+ release: ", "");
    }

    private void assertNobodyIsComplete() {
        assertThat(rehearsal.complete()).isFalse();
        assertThat(hosts()).hasSize(2);
        for (Machine host : hosts()) {
            assertThat(rehearsal.signal(host)).as("host " + host.name()).isNotEqualTo(Optional.of(Signal.SUCCESS));
            assertThat(log(host)).contains(" release: ").doesNotContain(COMPLETE);
        }
    }

    private List<Machine> hosts() {
        return rehearsal.machines().all().stream()
                .filter(machine ->
                        rehearsal.site().machineGroup(machine.group()).serves())
                .toList();
    }

    private String log(Machine machine) {
        return Folders.read(rehearsal.script(machine).diskFile("/var/log/twinhost.log"));
    }
}
