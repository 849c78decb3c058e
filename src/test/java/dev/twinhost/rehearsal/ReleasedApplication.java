package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.registry.PlayImage;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The application of a site under load, exchanged by one release after the other, and what becomes of each: of the load nothing is lost. */
final class ReleasedApplication {
    static final String IMAGE = "registry.example.org/acme/shop:1";

    static final String TRIED = "the application was tried and is not released: ";
    static final String EXIT = "task: non-zero exit \\(1\\)";
    static final String DEAD = TRIED + EXIT;
    static final String NO_ANSWER = TRIED + "within 20 s \\(appStartSeconds\\) there was no answer: ";
    static final String REFUSED = "(Failed|Could not) .*connect.*";
    static final String ILL =
            "it was too slow, or is broken: not healthy within 20 s \\(appStartSeconds\\) and three checks; its check said last: ";
    static final String UNHEALTHY = TRIED + ILL;

    /** Options of what is tried: which image it is, where it listens, and how long it may take to. */
    static final List<String> SETTINGS =
            List.of("-c", "appImage=" + IMAGE, "-c", "appPort=" + PlayImage.PORT, "-c", "appStartSeconds=20");

    private static final String STATUS = "answer: status ";
    private static final Path IMAGES = folder();

    private final TroubledSite site;

    /** What the application that serves answers to everybody on purpose; empty where it answers as visitors want it. */
    private String meant = "";

    ReleasedApplication(TroubledSite site) {
        this.site = site;
    }

    /** A site whose application calls itself version one. */
    static TroubledSite site(char letter) {
        List<String> words = new ArrayList<>(SETTINGS);
        words.addAll(List.of("--image", image("one").toString()));
        return new TroubledSite(letter, words.toArray(String[]::new));
    }

    static Path image(String version) {
        return new PlayImage(version).write(folder(version));
    }

    /** A new one for each image: sites side by side have versions of the same name. */
    static Path folder(String version) {
        try {
            return Files.createTempDirectory(IMAGES, version + "-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Releases with these options, as {@code -c key=value}, and with nothing of the release before. */
    Commands.Run release(String... options) throws Exception {
        List<String> words = new ArrayList<>(List.of("release"));
        words.addAll(List.of(options));
        return site.commands().run(words.toArray(String[]::new));
    }

    /**
     * @param options more of them, with spaces between
     * @param environment of the application
     */
    static List<String> options(String options, String environment) {
        List<String> words = new ArrayList<>();
        if (!options.isEmpty()) {
            words.addAll(List.of(options.split(" ")));
        }
        words.addAll(List.of("-c", "appEnvironment=" + environment));
        return words;
    }

    /**
     * Releases version one with this environment.
     *
     * @param options more of them, with spaces between
     * @param reason why it is refused, as a pattern; empty where it is released
     */
    void shouldBecome(String what, String options, String environment, String reason) throws Exception {
        Commands.Run run = release(options(options, environment).toArray(String[]::new));
        if (reason.isEmpty()) {
            assertReleased(what, "one", run);
        } else {
            assertRefused(what, "one", run, reason);
        }
    }

    void assertReleased(String what, String version, Commands.Run run) {
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

    void assertReleasedWhileServing(String what, Commands.Run run) {
        assertThat(run.output()).as(what).contains("The deploy would succeed: ");
        assertThat(run.status()).isZero();
        site.awaitWhole();
    }

    void assertRefused(String what, String version, Commands.Run run, String reason) {
        assertRefusedWhileServing(what, run, reason);
        assertThat(version()).isEqualTo(version);
        assertNothingLost(what, meant);
    }

    void assertRefusedWhileServing(String what, Commands.Run run, String reason) {
        String last = run.output().lines().reduce("", (earlier, line) -> line);
        System.out.println(what + ": " + last);
        assertThat(run.status()).as(run.output()).isEqualTo(1);
        assertThat(last)
                .matches("(\\[.* s] )?The deploy would fail: WaitCondition received failed message: '" + reason
                        + "' for uniqueId: i-\\w+");
        site.awaitWhole();
    }

    private void assertNothingLost(String what, String... meant) {
        assertThat(site.endLoad(what).failures())
                .filteredOn(request -> !List.of(meant).contains(request.error()))
                .isEmpty();
    }

    /** That both hosts serve. */
    String version() {
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
