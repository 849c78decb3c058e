package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.registry.PlayImage;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** A site whose application is an image of one's own, in a registry at a port of its own, and its way to another registry. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OwnImageTest {
    private static final String FIRST = "registry.example.org:5000/shop/play:1";
    private static final String LATER = "example/play:2";

    @TempDir
    static Path root;

    private static RunningSite site;

    @BeforeAll
    static void start() throws Exception {
        Path image = new PlayImage("1").write(root.resolve("1"));
        site = new RunningSite(
                'i', "-c", "appImage=" + FIRST, "-c", "appPort=" + PlayImage.PORT, "--image", image.toString());
        site.start();
    }

    @AfterAll
    static void end() throws Exception {
        site.close();
    }

    @Test
    @Order(1)
    void shouldServeTheImageFromEveryHost() {
        assertServed("1");
        assertThat(site.rehearsal().registry().requests("/shop/play/manifests/1"))
                .as("machines have asked for it")
                .isPositive();
    }

    @Test
    @Order(2)
    void shouldServeAnotherOneFromAnotherRegistryAfterARelease() throws Exception {
        Path image = new PlayImage("2").write(root.resolve("2"));
        Commands.Run push = site.commands().run("push", image.toString(), LATER);
        assertThat(push.output())
                .isEqualTo(LATER + " is now "
                        + site.rehearsal().registry().digest(LATER).orElseThrow()
                        + "; bring it to the machines with bin/rehearse release -c appImage=" + LATER + "\n");
        assertServed("1");
        site.rehearsal().registry().requireToken();
        Commands.Run release = site.commands().run("release", "-c", "appImage=" + LATER);
        assertThat(release.output()).contains("The deploy would succeed: ");
        assertServed("2");
    }

    @Test
    @Order(3)
    void shouldPushUnderTheNameOfTheLastRelease() throws Exception {
        Path image = new PlayImage("3").write(root.resolve("3"));
        Commands.Run push = site.commands().run("push", image.toString());
        assertThat(push.status()).isZero();
        assertThat(push.output())
                .startsWith(LATER + " is now sha256:")
                .endsWith("; bring it to the machines with bin/rehearse release\n");
    }

    @Test
    void shouldRefuseAnImageThatTheRegistryDoesNotHaveAndLeaveNothing() throws Exception {
        Commands other = new Commands(Path.of(""), 'j');
        Commands.Run up = other.run("up", "-c", "appImage=example/shop:1.4.2");
        assertThat(up.status()).isEqualTo(1);
        assertThat(up.output())
                .endsWith("appImage example/shop:1.4.2: the rehearsal's registry does not have it; give it with --image"
                        + " FILE, which docker save example/shop:1.4.2 -o FILE writes, or rehearse a bare Nginx in its place"
                        + " with -c appImage=twinhost-rehearsal/nginx:1 -c appPort=80\n");
        assertThat(new Leftovers(other.id()).find()).isEmpty();
    }

    @Test
    void shouldRefuseAnImageThatNothingWouldRunAndLeaveNothing() throws Exception {
        Commands other = new Commands(Path.of(""), 'j');
        String image = new PlayImage("4").write(root.resolve("4")).toString();
        Commands.Run up = other.run("up", "--image", image);
        assertThat(up.status()).isEqualTo(1);
        assertThat(up.output())
                .endsWith("--image " + image + ": the site has no appImage, so that nothing would run it; add -c"
                        + " appImage=example/shop:1 or its like\n");
        assertThat(new Leftovers(other.id()).find()).isEmpty();
    }

    private static void assertServed(String version) {
        for (Machine host : site.hosts()) {
            assertThat(site.visitHost(host, "/any").output())
                    .as("host " + host.name())
                    .startsWith("version: " + version + "\nserved-by: ");
        }
    }
}
