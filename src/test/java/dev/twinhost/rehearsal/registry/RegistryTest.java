package dev.twinhost.rehearsal.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The registry as machines find it, and what can become of it. */
@Tag("root")
class RegistryTest {
    private static final int BALLAST = 256;

    @TempDir
    static Path root;

    private static RegistryAlone alone;
    private static RunningRegistry registry;
    private static Path image;

    @BeforeAll
    static void start() {
        alone = new RegistryAlone(root);
        registry = alone.registry();
        registry.answerAs(List.of("example.org"));
        image = new PlayImage("1").withBallast(BALLAST).write(root.resolve("1"));
    }

    @AfterAll
    static void end() {
        alone.close();
    }

    @AfterEach
    void mend() {
        registry.mend();
    }

    @Test
    void shouldHaveTheBareNginxFromItsStart() {
        String digest = registry.digest("twinhost-rehearsal/nginx:1").orElseThrow();
        assertThat(alone.ask(Reference.HUB, "twinhost-rehearsal/nginx/manifests/1")
                        .output())
                .startsWith("HTTP/1.1 200 ")
                .contains("docker-content-digest: " + digest);
    }

    @Test
    void shouldAnswerAsEveryRegistryWithTheImagesOfThatOneAlone() {
        assertThat(alone.ask("later.example.org", "").status())
                .as("a name that is not in the certificate")
                .isEqualTo(60);
        registry.push(image, "later.example.org/shop:1");
        assertThat(alone.ask("later.example.org", "shop/manifests/1").output()).startsWith("HTTP/1.1 200 ");
        assertThat(alone.ask("later.example.org", "shop/manifests/2").output())
                .startsWith("HTTP/1.1 404 ")
                .contains("\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"");
        assertThat(alone.ask(Reference.HUB, "shop/manifests/1").output()).startsWith("HTTP/1.1 404 ");
        assertThat(Folders.read(alone.dns().resolve("names"))).contains("198.51.100.15 later.example.org\n");
    }

    @Test
    void shouldTakeAnImageInEachOfItsFormsWithTheSameDigest() {
        String digest = registry.push(image, "example/shop:docker");
        String layout = "crane --insecure pull --format oci 127.0.0.1:5000/" + Reference.HUB + "/example/shop:docker";
        assertThat(alone.tool("sh", "-c", layout + " /mnt/layout && tar -C /mnt/layout -cf /mnt/layout.tar .")
                        .status())
                .isZero();
        assertThat(registry.push(alone.folder().resolve("layout"), "example/shop:folder"))
                .isEqualTo(digest);
        assertThat(registry.push(alone.folder().resolve("layout.tar"), "example/shop:archive@" + digest))
                .isEqualTo(digest);
        assertThat(registry.digest("example/shop:archive")).contains(digest);
        assertThat(alone.folder().resolve("incoming")).doesNotExist();
    }

    @Test
    void shouldTakeAnImageForSeveralPlatforms() {
        Path arm = new PlayImage("1").withArchitecture("arm64").write(root.resolve("arm"));
        Path amd = new PlayImage("1").withArchitecture("amd64").write(root.resolve("amd"));
        registry.push(amd, "example.org/several:amd");
        registry.push(arm, "example.org/several:arm");
        String name = "127.0.0.1:5000/example.org/several:";
        assertThat(alone.tool(
                                "sh",
                                "-c",
                                ("crane --insecure index append -m %samd -m %sarm -t %sboth"
                                                + " && crane --insecure pull --format oci %sboth /mnt/several")
                                        .replace("%s", name))
                        .status())
                .isZero();
        String digest = registry.digest("example.org/several:both").orElseThrow();
        assertThat(registry.push(alone.folder().resolve("several"), "example.org/several:again"))
                .isEqualTo(digest);
        registry.tag("example.org/several:again", "example.org/moved-all:1");
        assertThat(alone.ask(
                                "example.org",
                                "moved-all/manifests/1",
                                "-H",
                                "Accept: application/vnd.oci.image.index.v1+json")
                        .output())
                .startsWith("HTTP/1.1 200 ")
                .contains("\"architecture\":\"amd64\"", "\"architecture\":\"arm64\"");
    }

    @Test
    void shouldSayWhyAnImageIsNotTaken() throws IOException {
        String other = "sha256:" + "0".repeat(64);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> registry.push(image, "example/pinned:1@" + other))
                .withMessageMatching(
                        image + ": has the digest sha256:[0-9a-f]{64} in a registry, and example/pinned:1@" + other
                                + " names another one; take the image as an OCI archive, which keeps its digest, or a reference without one");
        Path empty = Files.createDirectory(root.resolve("empty"));
        Files.writeString(empty.resolve("manifest.json"), "[]");
        Command.of(
                        "tar",
                        "-C",
                        empty.toString(),
                        "-cf",
                        root.resolve("empty.tar").toString(),
                        "manifest.json")
                .run();
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> registry.push(root.resolve("empty.tar"), "example/empty:1"))
                .withMessageStartingWith(root.resolve("empty.tar") + ": is not taken by the registry: Error: ");
        assertThat(registry.digest("example/empty:1")).isEmpty();
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> registry.tag("example/empty:1", "example/empty:2"))
                .withMessageStartingWith("example/empty:1: cannot be called example/empty:2: Error: ");
    }

    @Test
    void shouldMoveATag() {
        Path second = new PlayImage("2").write(root.resolve("2"));
        String one = registry.push(image, "example.org/moved:1");
        String two = registry.push(second, "example.org/moved:2");
        assertThat(two).isNotEqualTo(one);
        registry.tag("example.org/moved:2", "example.org/moved:1");
        assertThat(registry.digest("example.org/moved:1")).contains(two);
        assertThat(alone.ask("example.org", "moved/manifests/" + one).output())
                .as("what the tag named before")
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void shouldFailInEveryWayUntilItIsMended() {
        assertFails(RunningRegistry::stop, 7, "");
        assertFails(RunningRegistry::fail, 52, "");
        assertFails(RunningRegistry::hang, 28, "");
        assertFails(RunningRegistry::refuse, 0, "HTTP/1.1 503 ");
        assertFails(RunningRegistry::limit, 0, "HTTP/1.1 429 ");
        registry.stop();
        registry.start();
        assertThat(alone.ask(Reference.HUB, "").output()).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void shouldSendADownloadSlowly() {
        registry.push(image, "example.org/slow:1");
        String manifest = alone.ask("example.org", "slow/manifests/1").output();
        String layer = manifest.replaceAll("(?s).*\"(sha256:[0-9a-f]+)\".*", "$1");
        registry.slow(BALLAST * 8 / 3);
        assertThat(seconds(layer)).isBetween(2.0, 6.0);
        registry.mend();
        assertThat(seconds(layer)).isLessThan(2);
    }

    @Test
    void shouldBeEmptyUntilItIsMended() {
        String digest = registry.push(image, "example.org/emptied:1");
        registry.empty();
        assertThat(registry.digest("example.org/emptied:1")).isEmpty();
        assertThat(alone.ask("example.org", "emptied/manifests/" + digest).output())
                .startsWith("HTTP/1.1 404 ");
        registry.push(image, "example.org/meanwhile:1");
        registry.empty();
        registry.push(image, "example.org/meanwhile:2");
        registry.mend();
        assertThat(registry.digest("example.org/emptied:1")).contains(digest);
        assertThat(registry.digest("example.org/meanwhile:1")).isEmpty();
        assertThat(registry.digest("example.org/meanwhile:2")).contains(digest);
        assertThat(registry.digest(Reference.OWN.text())).isPresent();
    }

    @Test
    void shouldAskForAPasswordThatCanChange() {
        registry.requirePassword("ann", "first: & =");
        assertThat(alone.ask("example.org", "").output())
                .startsWith("HTTP/1.1 401 ")
                .contains("www-authenticate: Basic realm=\"The rehearsal\"\r\n");
        assertThat(login("ann:first: & =")).startsWith("HTTP/1.1 200 ");
        assertThat(login("ann:first")).startsWith("HTTP/1.1 401 ");
        assertThat(login("bob:first: & =")).startsWith("HTTP/1.1 401 ");
        registry.requirePassword("ann", "second");
        assertThat(login("ann:first: & =")).startsWith("HTTP/1.1 401 ");
        assertThat(login("ann:second")).startsWith("HTTP/1.1 200 ");
        registry.push(image, "example.org/pushed-past-it:1");
        registry.requireNoPassword();
        assertThat(alone.ask("example.org", "").output()).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void shouldGiveTokensToEverybodyOrAgainstThePassword() {
        registry.push(image, "example.org/token:1");
        registry.requireToken();
        assertThat(alone.ask("example.org", "").output())
                .startsWith("HTTP/1.1 401 ")
                .contains("www-authenticate: Bearer realm=\"https://example.org/token\",service=\"example.org\"\r\n");
        String anybody = token("");
        assertThat(bearer("token/manifests/1", anybody)).startsWith("HTTP/1.1 200 ");
        assertThat(bearer("token/manifests/1", "made-up")).startsWith("HTTP/1.1 401 ");

        registry.requirePassword("ann", "first");
        assertThat(bearer("token/manifests/1", anybody))
                .startsWith("HTTP/1.1 401 ")
                .contains(",error=\"insufficient_scope\"\r\n");
        assertThat(token("")).isEqualTo(anybody);
        assertThat(token("ann:wrong")).isEqualTo("incorrect username or password");
        String known = token("ann:first");
        assertThat(bearer("token/manifests/1", known)).startsWith("HTTP/1.1 200 ");
        assertThat(login("ann:first")).as("the password itself").startsWith("HTTP/1.1 401 ");
        registry.requirePassword("ann", "second");
        assertThat(bearer("token/manifests/1", known)).startsWith("HTTP/1.1 401 ");
    }

    @Test
    void shouldWantThePasswordOfAmazonEcrUnderItsNames() {
        String ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
        String dualStack = "123456789012.dkr-ecr.eu-central-1.on.aws";
        registry.answerAs(List.of(ecr, dualStack));
        String first = new EcrLogin(alone.folder()).token();
        assertThat(alone.ask(ecr, "").output()).startsWith("HTTP/1.1 401 ");
        assertThat(alone.ask(dualStack, "").output()).startsWith("HTTP/1.1 401 ");
        assertThat(basic(ecr, first)).startsWith("HTTP/1.1 200 ");
        assertThat(basic(dualStack, first)).startsWith("HTTP/1.1 200 ");
        registry.renewEcrPassword();
        assertThat(basic(ecr, first)).startsWith("HTTP/1.1 401 ");
        assertThat(basic(ecr, new EcrLogin(alone.folder()).token())).startsWith("HTTP/1.1 200 ");
        assertThat(alone.ask("example.org", "").output()).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void shouldCountWhatItIsAsked() {
        registry.push(image, "example.org/counted:1");
        long all = registry.requests();
        assertThat(registry.requests("/counted/")).isZero();
        alone.ask("example.org", "counted/manifests/1");
        alone.ask("example.org", "counted/manifests/1", "-I");
        registry.refuse();
        alone.ask("example.org", "counted/manifests/2");
        assertThat(registry.requests("/counted/manifests/1")).isEqualTo(2);
        assertThat(registry.requests()).isEqualTo(all + 3);
    }

    @Test
    void shouldTakeNothingFromOthers() {
        assertThat(alone.ask(Reference.HUB, "twinhost-rehearsal/nginx/manifests/1", "-X", "DELETE")
                        .output())
                .startsWith("HTTP/1.1 405 ");
    }

    private static void assertFails(Consumer<RunningRegistry> trouble, int status, String answer) {
        trouble.accept(registry);
        Command.Result result = alone.ask(Reference.HUB, "", "-m", "1");
        assertThat(result.status()).isEqualTo(status);
        assertThat(result.output()).startsWith(answer);
        registry.mend();
        assertThat(alone.ask(Reference.HUB, "", "-m", "5").output()).startsWith("HTTP/1.1 200 ");
    }

    private static double seconds(String layer) {
        long begin = System.nanoTime();
        Command.Result result = alone.ask("example.org", "slow/blobs/" + layer, "-o", "/dev/null");
        assertThat(result.status()).isZero();
        return Duration.ofNanos(System.nanoTime() - begin).toMillis() / 1000.0;
    }

    private static String token(String login) {
        String answer = alone.ask("example.org", "../token", "-u", login).output();
        return answer.replaceAll("(?s).*: \"([^\"]+)\"}$", "$1");
    }

    private static String bearer(String path, String token) {
        return alone.ask("example.org", path, "-H", "Authorization: Bearer " + token)
                .output();
    }

    private static String basic(String host, String token) {
        return alone.ask(host, "", "-H", "Authorization: Basic " + token).output();
    }

    private static String login(String login) {
        return alone.ask("example.org", "", "-u", login).output();
    }
}
