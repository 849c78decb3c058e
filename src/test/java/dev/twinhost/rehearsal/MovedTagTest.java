package dev.twinhost.rehearsal;

import static dev.twinhost.rehearsal.ReleasedApplication.IMAGE;
import static dev.twinhost.rehearsal.ReleasedApplication.folder;
import static dev.twinhost.rehearsal.ReleasedApplication.image;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.registry.PlayImage;
import java.nio.file.Path;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which version clients get from every host when the tag, the registry or its password has changed, and when it is large. */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MovedTagTest {
    /** KiB of an image whose pull takes so many seconds. */
    private static final int LARGE = 12_000;

    private static final int PULL_SECONDS = 60;
    private static final int BITS = 8;

    @RegisterExtension
    static final TroubledSite site = ReleasedApplication.site('g');

    private static final ReleasedApplication application = new ReleasedApplication(site);

    @Test
    @Order(1)
    void shouldKeepTheVersionThatServesWhateverBecomesOfTheTagAndTheRegistry() throws Exception {
        site.rehearsal().registry().push(image("two"), IMAGE);

        // the tag is moved: nobody has asked for that yet, and the release of something else does
        assertThat(application.version()).isEqualTo("one");
        application.assertReleasedWhileServing(
                "another version under the same tag", application.release("-c", "email=ops-1@example.com"));
        assertThat(application.version()).isEqualTo("two");

        // the registry is away, and the tag stands for a stale image on no host
        site.rehearsal().registry().push(image("three"), IMAGE);
        site.rehearsal().registry().stop();
        application.assertRefusedWhileServing(
                "a registry that is away",
                application.release("-c", "email=ops-2@example.com"),
                "the image " + IMAGE + " cannot be had: .*connection refused.*");
        site.rehearsal().registry().mend();

        site.rehearsal().registry().requirePassword("somebody", "else");
        application.assertRefusedWhileServing(
                "another password",
                application.release("-c", "email=ops-3@example.com"),
                "the image " + IMAGE + " cannot be had: .*(unauthorized|no basic auth credentials).*");
        site.rehearsal().registry().mend();
        assertThat(site.endLoad("tags and registries").failures()).isEmpty();
    }

    @Test
    @Order(2)
    void shouldTakeWhatTheTagMeansNowWhereItIsAskedTo() {
        Machine one = site.hosts().get(0);
        // an answer of the registry holds for ten minutes
        site.inside(one, "rm", "-f", "/run/twinhost/meant");
        assertThat(site.attempt(one, "twinhost", "status").output()).contains("the tag " + IMAGE + " has moved");
        // applied again, it stays what it was, without a registry
        site.rehearsal().registry().stop();
        assertThat(site.inside(one, "twinhost", "release")).endsWith(" has converged");
        site.rehearsal().registry().mend();
        assertThat(application.version()).isEqualTo("two");

        assertThat(site.inside(one, "twinhost", "release", "--resolve")).endsWith(" has converged");

        assertThat(application.version()).isEqualTo("three");
        assertThat(site.endLoad("--resolve").failures()).isEmpty();
    }

    @Test
    @Order(3)
    void shouldKeepTheVersionThatServesWhereTheRegistryGivesNoAnswerOfUse() throws Exception {
        site.rehearsal().registry().push(image("four"), IMAGE);

        site.rehearsal().registry().empty();
        application.assertRefusedWhileServing(
                "a registry that has been emptied",
                application.release("-c", "email=ops-4@example.com"),
                "the image " + IMAGE + " cannot be had: .*manifest unknown.*");
        assertThat(application.version()).isEqualTo("three");
        site.rehearsal().registry().mend();

        site.rehearsal().registry().limit();
        application.assertRefusedWhileServing(
                "a registry that counts too many pulls",
                application.release("-c", "email=ops-5@example.com"),
                "the image " + IMAGE + " cannot be had: .*toomanyrequests: The rehearsal counts too many pulls.*");
        assertThat(application.version()).isEqualTo("three");
        site.rehearsal().registry().mend();

        // the engine gives up after 15 s; the release does not wait for longer than 30 s
        site.rehearsal().registry().hang();
        application.assertRefusedWhileServing(
                "a registry that hangs",
                application.release("-c", "email=ops-6@example.com"),
                "the image " + IMAGE
                        + " cannot be had: (no answer within 30 s|.*(Client\\.Timeout|deadline) exceeded.*)");
        assertThat(application.version()).isEqualTo("three");
        site.rehearsal().registry().mend();
        assertThat(site.endLoad("a registry without an answer of use").failures())
                .isEmpty();
    }

    @Test
    @Order(4)
    void shouldReleaseALargeImageFromASlowRegistry() throws Exception {
        String large = "registry.example.org/acme/shop:large";
        String blobs = "/acme/shop/blobs/";
        Path folder = folder("five");
        site.rehearsal()
                .registry()
                .push(new PlayImage("five").withBallast(LARGE).write(folder), large);
        site.rehearsal().registry().slow(LARGE * BITS / PULL_SECONDS);
        long before = site.rehearsal().registry().requests(blobs);

        application.assertReleased(
                "a large image from a slow registry", "five", application.release("-c", "appImage=" + large));

        // each host has pulled the configuration and the layer
        assertThat(site.rehearsal().registry().requests(blobs) - before).isGreaterThanOrEqualTo(4);
        site.rehearsal().registry().mend();
    }
}
