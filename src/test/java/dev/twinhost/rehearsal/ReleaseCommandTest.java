package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.aws.Secrets;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.system.Folders;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The way of a release to the machines; what a release does there is the subject of others. */
@OnSharedSite
class ReleaseCommandTest {
    @Test
    void shouldApplyTheWorkingCopyAndAChangedSecretToEveryMachine(SharedSite site) {
        String changed = "changed-" + UUID.randomUUID();
        new Secrets(site.rehearsal().state()).change(SharedSite.SECRET, changed);
        List<MachineRelease> results = site.rehearsal().release(Map.of());
        assertThat(results)
                .allMatch(MachineRelease::succeeded)
                .extracting(result -> result.machine().name())
                .containsExactly("1", "2", "witness");
        assertThat(results.get(0).lastLine()).endsWith(" has converged");
        for (Machine host : site.hosts()) {
            String container = site.containers(host, "app").get(0);
            assertThat(site.inside(host, "docker", "exec", container, "cat", "/run/secrets/db_password"))
                    .isEqualTo(changed);
        }
    }

    @Test
    @Tag("extended")
    void shouldShowThePageForMaintenanceFromOneReleaseToTheNext(SharedSite site) {
        String page = "https://www.example.com/whoami";
        assertThat(site.rehearsal().release(Map.of("maintenance", "true"))).allMatch(MachineRelease::succeeded);
        assertThat(site.visit("-w", "%{http_code}", page)).contains("Back soon").endsWith("503");
        assertThat(site.hosts())
                .allSatisfy(host -> assertThat(site.health(host)).containsOnly("healthy"));

        assertThat(site.rehearsal().release(Map.of())).allMatch(MachineRelease::succeeded);
        assertThat(site.visit("-w", "%{http_code}", page))
                .startsWith("served-by: ")
                .endsWith("200");
    }

    @Test
    void shouldRefuseWhatChangesMoreThanTheRelease(SharedSite site) throws Exception {
        int before = Folders.list(site.rehearsal().state().releases()).size();
        Commands.Run run = site.commands().run("release", "-c", "instanceType=t4g.medium");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.output())
                .contains("More than the release has changed:\n    AWS::EC2::LaunchTemplate SwarmHostsLaunchTemplate")
                .contains("Nothing has been applied.");
        assertThat(Folders.list(site.rehearsal().state().releases())).hasSize(before);
    }
}
