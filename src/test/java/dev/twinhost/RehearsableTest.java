package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.site.Listener;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.Subnet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the app makes can be rehearsed: the rehearsal knows every resource and property of it. */
class RehearsableTest {
    @Test
    void shouldBePlayableAsASiteOfTwoHostsAndAWitness() {
        Site site = rehearsed(Map.of());
        assertThat(site.names()).containsExactlyInAnyOrder("shop.example.org", "www.shop.example.org");
        assertThat(site.mainName()).isEqualTo("www.shop.example.org");
        assertThat(site.balancer().listeners()).extracting(Listener::port).containsExactlyInAnyOrder(80, 443);
        assertThat(site.machineGroup("Hosts").size()).isEqualTo(2);
        assertThat(site.machineGroup("Hosts").after()).isEmpty();
        assertThat(site.machineGroup("Witness").after()).containsExactly("Hosts");
        assertThat(site.machineGroups()).allMatch(RehearsableTest::online);
    }

    @Test
    void shouldBePlayableWithoutAWitnessAndWithTheStagingAuthority() {
        Site site = rehearsed(Map.of("witness", false, "zones", 2, "acmeServer", "staging"));
        assertThat(site.machineGroups()).extracting(MachineGroup::id).containsExactly("Hosts");
        assertThat(site.release().acmeDirectory()).isEqualTo("https://acme-staging-v02.api.letsencrypt.org/directory");
    }

    @Test
    void shouldBePlayableWithAPipelineWhichIsNotPlayed() {
        Site site = rehearsed(Map.of("githubRepository", Pipelines.REPOSITORY));
        assertThat(site.machineGroup("Hosts").size()).isEqualTo(2);
        assertThat(site.summary()).doesNotContain("IAM::OIDCProvider");
    }

    @Test
    void shouldBePlayableWithMachinesInPrivateSubnets() {
        Site site = rehearsed(Map.of("natGateways", 1));
        assertThat(site.machineGroups()).allMatch(RehearsableTest::online);
        assertThat(site.machineGroups())
                .flatExtracting(MachineGroup::subnets)
                .noneMatch(Subnet::publicAddresses)
                .doesNotContainAnyElementsOf(site.balancer().subnets());
    }

    private static Site rehearsed(Map<String, Object> settings) {
        Map<String, Object> own = new HashMap<>(settings);
        own.put("appImage", "twinhost-rehearsal/nginx:1");
        return Site.read(SynthesisedTemplate.with(own).file("manifest.json").getParent());
    }

    private static boolean online(MachineGroup group) {
        return group.subnets().stream()
                .allMatch(subnet -> group.launchTemplate().online(subnet));
    }
}
