package dev.twinhost.rehearsal.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Tools;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the application of the tests can play, as the image that comes out of the registry again. */
@Tag("root")
@Tag("extended")
class PlayImageTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String REFERENCE = "example.org/play:7";
    private static final String BEHIND = "127.0.0.1:5000/example.org/play:7";
    /** That of the host's own name, as the engine writes it into a container's hosts file. */
    private static final String OWN_ADDRESS = "127.0.0.5";

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path root;

    private static RegistryAlone alone;
    private static Path container;
    private static List<String> entrypoint;
    private static int started;

    private Tools.Daemon application;

    @BeforeAll
    static void pushAndUnpack() throws IOException {
        alone = new RegistryAlone(root);
        alone.registry().push(new PlayImage("7").write(root.resolve("7")), REFERENCE);
        container = Folders.make(alone.folder().resolve("container"));
        assertThat(alone.tool("sh", "-c", "crane --insecure export " + BEHIND + " - | tar -C /mnt/container -x")
                        .status())
                .isZero();
        Files.createDirectory(container.resolve("etc"));
        Files.writeString(
                container.resolve("etc/hosts"),
                OWN_ADDRESS + " " + InetAddress.getLocalHost().getHostName() + "\n");
        entrypoint = new ArrayList<>();
        configuration(REFERENCE).path("config").path("Entrypoint").forEach(word -> entrypoint.add(word.asText()));
    }

    @AfterAll
    static void end() {
        alone.close();
    }

    @AfterEach
    void endApplication() {
        if (application != null) {
            application.process().destroyForcibly();
        }
    }

    @Test
    void shouldSayItsVersionAndWhoAnswersUntilItIsAskedToEnd() throws Exception {
        play();
        listens("0.0.0.0 port 8080");
        assertThat(ask("127.0.0.1:8080/any?thing"))
                .startsWith("HTTP/1.1 200 ")
                .endsWith("\r\n\r\nversion: 7\nserved-by: "
                        + InetAddress.getLocalHost().getHostName() + "\n");
        application.process().destroy();
        assertThat(exitStatus()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "PLAY_BIND=127.0.0.1, 127.0.0.1:8080, 198.51.100.15:8080",
        "PLAY_BIND=hostname, 127.0.0.5:8080, 127.0.0.1:8080",
        "PLAY_BIND=::, [::1]:8080, 127.0.0.1:81",
        "PLAY_BIND=::, 127.0.0.1:8080, 127.0.0.1:81",
        "PLAY_BIND=:: PLAY_V6ONLY=1, [::1]:8080, 127.0.0.1:8080",
        "PLAY_PORT=81, 127.0.0.1:81, 127.0.0.1:8080"
    })
    void shouldListenWhereItIsTold(String settings, String there, String notThere) {
        play(settings.split(" "));
        listens(" port ");
        assertThat(ask(there + "/")).startsWith("HTTP/1.1 200 ");
        assertThat(curl(notThere + "/").status()).as("refused").isEqualTo(7);
    }

    @Test
    void shouldAnswerWhatItIsTold() {
        play("PLAY_STATUS=404 /health=500 /reset=reset /hang=hang");
        listens("8080");
        assertThat(ask("127.0.0.1:8080/")).startsWith("HTTP/1.1 404 ");
        assertThat(ask("127.0.0.1:8080/health")).startsWith("HTTP/1.1 500 ");
        assertThat(curl("127.0.0.1:8080/reset").status()).isEqualTo(56);
        assertThat(curl("127.0.0.1:8080/hang").status()).isEqualTo(28);
    }

    @Test
    void shouldStartLate() {
        play("PLAY_DELAY=1.5");
        Await.that("it to start", LIMIT, () -> Folders.read(application.log()).contains("play 7: starts\n"));
        assertThat(curl("127.0.0.1:8080/").status()).isEqualTo(7);
        listens("8080");
        assertThat(ask("127.0.0.1:8080/")).startsWith("HTTP/1.1 200 ");
    }

    @ParameterizedTest
    @CsvSource({"PLAY_LIFE=0, 1, 0", "PLAY_LIFE=1 PLAY_EXIT=3, 3, 1"})
    void shouldDie(String settings, int status, int seconds) throws Exception {
        long begin = System.nanoTime();
        play(settings.split(" "));
        assertThat(exitStatus()).isEqualTo(status);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofSeconds(seconds));
        assertThat(Folders.read(application.log()))
                .contains("play 7: dies after " + seconds + " s, as PLAY_LIFE wants\n");
    }

    @Test
    void shouldIgnoreThatItIsAskedToEnd() throws Exception {
        play("PLAY_IGNORE_TERM=1");
        listens("8080");
        application.process().destroy();
        assertThat(application.process().waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(ask("127.0.0.1:8080/")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void shouldSayInItsMetadataWhatTheTestWants() throws IOException {
        Path arm = new PlayImage("8")
                .with("PLAY_PORT", "81")
                .withArchitecture("arm64")
                .withHealthcheck("wget -q -O /dev/null http://127.0.0.1:81/")
                .withoutTools()
                .write(root.resolve("8"));
        alone.registry().push(arm, "example.org/play:8");
        JsonNode image = configuration("example.org/play:8");
        assertThat(image.path("architecture").asText()).isEqualTo("arm64");
        assertThat(image.path("config").path("Env").toString()).contains("PLAY_PORT=81");
        assertThat(image.path("config").path("Healthcheck").path("Test").get(1).asText())
                .startsWith("wget ");
        assertThat(configuration(REFERENCE).path("config").has("Healthcheck")).isFalse();
        assertThat(layers("example.org/play:8")).doesNotContainAnyElementsOf(layers(REFERENCE));
        assertThat(container.resolve("bin/wget")).exists();
    }

    @Test
    void shouldShareAllButItsVersionWithItsNextVersion() throws IOException {
        alone.registry().push(new PlayImage("9").withBallast(1).write(root.resolve("9")), "example.org/play:9");
        assertThat(layers("example.org/play:9"))
                .hasSize(2)
                .containsOnlyOnce(layers(REFERENCE).get(0));
    }

    private void play(String... settings) {
        List<String> words = new ArrayList<>(List.of("env", "-i"));
        words.addAll(List.of(settings));
        words.addAll(List.of("/usr/sbin/chroot", container.toString()));
        words.addAll(entrypoint);
        application = alone.daemon("play-" + ++started, words.toArray(String[]::new));
    }

    private void listens(String where) {
        Await.that(
                "it to listen",
                LIMIT,
                () -> application.running()
                        && Folders.read(application.log()).matches("(?s).*play 7: listens on [^\n]*" + where + ".*"));
    }

    private int exitStatus() throws InterruptedException {
        assertThat(application.process().waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        return application.process().exitValue();
    }

    private static String ask(String url) {
        Command.Result result = curl(url);
        assertThat(result.status()).as(result.error()).isZero();
        return result.output();
    }

    private static Command.Result curl(String url) {
        return alone.tool("curl", "-sS", "-i", "-m", "1", "http://" + url);
    }

    private static JsonNode configuration(String reference) throws IOException {
        return JSON.readTree(alone.tool("crane", "--insecure", "config", "127.0.0.1:5000/" + reference)
                .output());
    }

    private static List<String> layers(String reference) throws IOException {
        List<String> found = new ArrayList<>();
        configuration(reference).path("rootfs").path("diff_ids").forEach(layer -> found.add(layer.asText()));
        return found;
    }
}
