package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.site.Association;
import dev.twinhost.rehearsal.system.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A release reaches the hosts in place (P5): what cannot serve is refused or rolled back with its reason in one line,
 * two at once go one after the other, and going back is a release as well. Under load, of which nothing is lost.
 */
@Tag("rehearsal")
@Tag("trouble")
@Order(8)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ReleaseInPlaceTest {
    private static final String ANSWER = "return 200 \"served-by";
    /** What Swarm would take for templates, and Docker for a variable. */
    private static final String ODD = "{{name}} {{.Node.Hostname}} {{{ }} $HOME";

    private static final String PROMISE = "The deploy would fail: WaitCondition received failed message: '";

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('p');

    private static String first;
    private String before;

    @BeforeEach
    void rememberWhatServes() {
        before = converged();
        first = first == null ? before : first;
    }

    @Test
    @Order(1)
    void shouldRefuseAWrongNginxFile() throws Exception {
        try (TreeCopy tree = new TreeCopy().append("nginx/conf.d/site.conf", "\nbogus on;\n")) {
            assertRefused(
                    "a wrong Nginx file",
                    run(tree),
                    "Nginx refuses the files of this release: unknown directive"
                            + " \"bogus\" in /etc/nginx/conf.d/site.conf:\\d+");
        }
    }

    @Test
    @Tag("extended")
    @Order(2)
    void shouldRefuseAnImageThatDoesNotExist() throws Exception {
        assertRefused(
                "an image that does not exist",
                site.commands().run("release", "-c", "appImage=twinhost-rehearsal/missing:1"),
                "the image twinhost-rehearsal/missing:1 cannot be had: .*manifest unknown.*");
    }

    @Test
    @Order(3)
    void shouldRollBackAnApplicationThatNeverBecomesHealthy() throws Exception {
        try (TreeCopy tree =
                new TreeCopy().replace("docker/app/nginx.conf", "try_files /index.html =404;", "return 503;")) {
            assertRefused(
                    "an application that never becomes healthy",
                    run(tree),
                    "twinhost_app: update rolled back due to failure or early termination of task [0-9a-z]{25}:"
                            + " it ended \\(status 0\\) or was ended because it did not become healthy");
        }
    }

    @Test
    @Tag("extended")
    @Order(4)
    void shouldApplyTwoReleasesAtOnceOneAfterTheOther() throws Exception {
        Machine one = site.hosts().get(0);
        Machine other = site.hosts().get(1);
        try (TreeCopy tree =
                        new TreeCopy().replace("docker/app/nginx.conf", ANSWER, "return 200 \"version: 1\\nserved-by");
                TreeCopy later = new TreeCopy()
                        .replace("docker/app/nginx.conf", ANSWER, "return 200 \"version: 2\\nserved-by")
                        .replace(
                                "cdk.json",
                                "\"context\": {",
                                "\"context\": {\"appEnvironment\": {\"ODD\": \"" + ODD + "\"},")) {
            ReleaseRun run = new Commands(tree.folder(), 'p').rehearsal().releaseRun();
            ReleaseRun laterRun = new Commands(later.folder(), 'p').rehearsal().releaseRun();
            Path second = laterRun.synthesise(Map.of());
            run.publish(Map.of());
            CompletableFuture<String> release =
                    CompletableFuture.supplyAsync(() -> site.inside(one, "twinhost", "release"));
            Await.that(
                    "the first release to be deployed",
                    Duration.ofSeconds(60),
                    () -> site.attempt(
                                    one,
                                    "sh",
                                    "-c",
                                    "docker service inspect twinhost_app --format '{{.UpdateStatus.State}}'")
                            .output()
                            .strip()
                            .equals("updating"));
            Association association = laterRun.publish(second);
            String said = site.inside(other, "twinhost", "release");

            assertThat(release.join()).endsWith(" has converged");
            assertThat(said)
                    .contains("release: waits for another release to end: " + one.instanceId() + " applies one")
                    .endsWith("release " + converged() + " has converged");
            assertThat(site.visit("https://www.example.com/whoami")).startsWith("version: 2\n");
            assertThat(laterRun.answer()).hasValueSatisfying(answer -> {
                assertThat(answer.reason()).isEqualTo("release " + converged() + " has converged");
                assertThat(answer.uniqueId()).isEqualTo(other.instanceId());
            });
            assertThat(site.inside(
                                    one,
                                    "docker",
                                    "exec",
                                    site.containers(one, "app").get(0),
                                    "printenv",
                                    "ODD")
                            .strip())
                    .isEqualTo(ODD);
            // as the association would: every machine has the release's verbs
            assertThat(laterRun.apply(association, result -> {})).allMatch(MachineRelease::succeeded);
        }
        assertThat(site.endLoad("two releases at once").failures()).isEmpty();
    }

    @Test
    @Tag("extended")
    @Order(5)
    void shouldGoBackToTheEarlierReleaseAsToAnyOther() throws Exception {
        Commands.Run run = site.commands().run("release");

        assertThat(run.output()).contains("The deploy would succeed: release " + first + " has converged\n");
        assertThat(run.status()).isZero();
        assertThat(converged()).isEqualTo(first);
        assertThat(site.visit("https://www.example.com/whoami")).startsWith("served-by");
        assertThat(site.endLoad("back to the earlier release").failures()).isEmpty();
    }

    @Test
    @Tag("extended")
    @Order(6)
    void shouldCompleteWhenAHostThatIsMissingHasBeenReplaced() throws Exception {
        Machine survivor = site.hosts().get(0);
        Machine missing = site.other(survivor);
        Instant death = site.kill(missing);
        try (TreeCopy tree = new TreeCopy().append("nginx/conf.d/site.conf", "\n# A change that every edge takes.\n")) {
            FutureTask<Commands.Run> release = new FutureTask<>(() -> run(tree));
            new Thread(release).start();
            Await.that(
                    "the last edge to wait for another one",
                    Duration.ofSeconds(180),
                    () -> site.containers(survivor, "edge").stream()
                            .anyMatch(edge -> site.attempt(survivor, "docker", "logs", edge)
                                    .output()
                                    .contains("no other edge is healthy: serves on")));
            assertThat(release).isNotDone();
            site.rehearsal().terminate(missing);
            site.boot(site.successor(missing, survivor));

            assertThat(release.get().output()).contains("The deploy would succeed: ");
            assertThat(release.get().status()).isZero();
        }
        site.awaitWhole();
        Noticed.assertAllThatWasLost(site, site.endLoad("a release while a host is missing"), death);
    }

    private static Commands.Run run(TreeCopy tree) throws Exception {
        return new Commands(tree.folder(), 'p').run("release");
    }

    /** @param reason a regular expression where it names a task or an address */
    private void assertRefused(String what, Commands.Run run, String reason) {
        String last = run.output().lines().reduce("", (earlier, line) -> line);
        System.out.println(last);
        assertThat(run.status()).isEqualTo(1);
        assertThat(last)
                .contains(PROMISE)
                .endsWith("' for uniqueId: " + site.hosts().get(0).instanceId());
        String said = last.substring(last.indexOf(PROMISE) + PROMISE.length(), last.lastIndexOf("' for uniqueId: "));
        assertThat(said).matches(reason);
        assertThat(converged()).isEqualTo(before);
        assertThat(site.visit("https://www.example.com/whoami")).startsWith("served-by");
        assertThat(site.endLoad(what).failures()).isEmpty();
    }

    private static String converged() {
        return site.status(site.hosts().get(0))
                .orElseThrow()
                .at("/record/converged")
                .asText();
    }
}
