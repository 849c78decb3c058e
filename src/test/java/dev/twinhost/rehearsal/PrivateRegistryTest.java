package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.aws.Secrets;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.registry.PlayImage;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Folders;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** A site whose application's image is in a registry that wants a password, which a secret holds: from the first boot on, and after its change. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PrivateRegistryTest {
    private static final String IMAGE = "registry.example.org/acme/private:";
    private static final String SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf";
    private static final String USER = "puller";
    private static final String FIRST = "first-" + UUID.randomUUID();
    private static final String SECOND = "second-" + UUID.randomUUID();
    private static final Duration REPLACED = Duration.ofMinutes(5);

    @TempDir
    static Path root;

    private static RunningSite site;

    /** The password is asked for before the first machine comes so far. */
    @BeforeAll
    static void start() throws Exception {
        site = new RunningSite('k');
        site.commands().run("down");
        Process up = site.commands()
                .start(
                        "up",
                        "-c",
                        "appImage=" + IMAGE + "1",
                        "-c",
                        "appPort=" + PlayImage.PORT,
                        "-c",
                        "appRegistrySecret=" + SECRET,
                        "--image",
                        image("1").toString());
        StringBuilder said = new StringBuilder();
        boolean asked = false;
        try (BufferedReader output = up.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                said.append(line).append('\n');
                if (!asked && line.contains("] Boot ")) {
                    setPassword(FIRST);
                    asked = true;
                }
            }
        }
        assertThat(said).contains("The site is up on 1 at ");
        assertThat(up.waitFor()).isZero();
    }

    @AfterAll
    static void end() throws Exception {
        site.close();
    }

    @Test
    @Order(1)
    void shouldServeFromEveryHostWithThePasswordOfTheSecret() {
        assertServed("1");
    }

    @Test
    @Order(2)
    void shouldServeFromAHostInThePlaceOfAnother() {
        replaceHost();

        assertServed("1");
    }

    @Test
    @Order(3)
    void shouldServeFromAHostThatPullsWithAPasswordThatHasChanged() {
        setPassword(SECOND);
        // the leader alone does something; meanwhile, what everybody on the machine can see
        StringBuilder arguments = new StringBuilder();
        for (Machine machine : site.machines()) {
            arguments.append(site.inside(
                    machine,
                    "timeout",
                    "120",
                    "sh",
                    "-c",
                    "systemctl start twinhost-credentials.service & while kill -0 $! 2>/dev/null; do"
                            + " cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '; done; wait $!"));
        }
        assertThat(arguments)
                .contains("docker login --username " + USER + " --password-stdin registry.example.org")
                .doesNotContain(SECOND, encoded(SECOND));

        replaceHost();

        assertServed("1");
    }

    @Test
    @Order(4)
    void shouldReleaseAnotherVersionWithThePasswordThatHasChanged() throws Exception {
        site.rehearsal().registry().push(image("2"), IMAGE + "2");

        Commands.Run release = site.commands().run("release", "-c", "appImage=" + IMAGE + "2");

        assertThat(release.output()).contains("The deploy would succeed: ");
        assertThat(release.status()).isZero();
        assertServed("2");
    }

    @Test
    @Order(5)
    void shouldRefuseAPasswordThatTheRegistryDoesNotTake() throws Exception {
        site.rehearsal().registry().push(image("3"), IMAGE + "3");
        site.rehearsal().registry().requirePassword(USER, "another");

        Commands.Run release = site.commands().run("release", "-c", "appImage=" + IMAGE + "3");

        String last = release.output().lines().reduce("", (earlier, line) -> line);
        System.out.println(last);
        assertThat(release.status()).as(release.output()).isEqualTo(1);
        assertThat(last)
                .contains("'the registry registry.example.org refuses the login of the secret " + SECRET + ": ")
                .doesNotContain(FIRST, SECOND);
        site.awaitWhole();
        assertServed("2");
    }

    /** But in memory, where Docker's command line has it. */
    @Test
    @Order(6)
    void shouldHaveThePasswordsInNoLogArgumentOrFile() {
        String everywhere = "journalctl --no-pager -o export; cat /var/log/*.log; ps -efww; cat /proc/[0-9]*/environ;"
                + " grep -ars --exclude=config.json '' /etc/twinhost /opt/twinhost /run/twinhost /var/lib/twinhost"
                + " /srv/twinhost/swarm /tmp /root;"
                + " docker ps -aq | xargs -r docker inspect; docker service inspect twinhost_app || true";
        for (Machine machine : site.machines()) {
            assertThat(site.inside(machine, "sh", "-c", "{ " + everywhere + "; } 2>/dev/null | tr -d '\\000'"))
                    .as(machine.name())
                    .contains("twinhost")
                    .doesNotContain(FIRST, SECOND, encoded(FIRST), encoded(SECOND));
            assertThat(Folders.read(site.rehearsal().script(machine).console())).doesNotContain(FIRST, SECOND);
        }
        assertThat(Folders.read(site.rehearsal().state().awsCalls()))
                .contains("secretsmanager:GetSecretValue")
                .doesNotContain(FIRST, SECOND);
    }

    /** In the registry and in the secret. */
    private static void setPassword(String password) {
        new Secrets(site.rehearsal().state())
                .change(SECRET, "{\"username\": \"" + USER + "\", \"password\": \"" + password + "\"}");
        site.rehearsal().registry().requirePassword(USER, password);
    }

    /** A host dies, and the one in its place, which has no image yet, comes to serve. */
    private static void replaceHost() {
        Machine lost = site.hosts().get(0);
        Machine survivor = site.other(lost);
        long before = blobs();

        site.rehearsal().kill(lost);
        site.rehearsal().terminate(lost);
        Machine fresh = Await.value(
                "a host in the place of " + lost.name(),
                REPLACED,
                () -> site.hosts().stream()
                        .filter(host -> !host.equals(lost) && !host.equals(survivor))
                        .findFirst());
        Await.that(
                "the signal of host " + fresh.name(),
                REPLACED,
                () -> site.rehearsal().signal(fresh).equals(Optional.of(Signal.SUCCESS)));
        site.awaitWhole();

        assertThat(blobs()).as("what it has pulled").isGreaterThan(before);
    }

    private static long blobs() {
        return site.rehearsal().registry().requests("/acme/private/blobs/");
    }

    private static void assertServed(String version) {
        assertThat(site.hosts()).hasSize(2);
        for (Machine host : site.hosts()) {
            assertThat(site.visitHost(host, "/any").output())
                    .as("host " + host.name())
                    .startsWith("version: " + version + "\nserved-by: ");
        }
    }

    private static String encoded(String password) {
        return Base64.getEncoder().encodeToString((USER + ':' + password).getBytes(StandardCharsets.UTF_8));
    }

    private static Path image(String version) {
        return new PlayImage(version).write(root.resolve(version));
    }
}
