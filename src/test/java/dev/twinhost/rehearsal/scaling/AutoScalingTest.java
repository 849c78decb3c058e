package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AutoScalingTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private Groups groups;
    private FakeFleet fleet;
    private MachineGroup hosts;
    private AutoScaling scaling;

    @BeforeEach
    void startWithTwoMachines(@TempDir Path folder) {
        Site site = new SmallAssembly()
                .with(
                        "/Hosts/Properties/InstanceMaintenancePolicy",
                        "{\"MinHealthyPercentage\": 100, \"MaxHealthyPercentage\": 150}")
                .with("/HttpsTargets/Properties/TargetGroupAttributes", """
                        [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]""")
                .with("/Hosts/Properties/LifecycleHookSpecificationList", """
                        [{"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                          "LifecycleHookName": "goodbye", "HeartbeatTimeout": 2}]""")
                .read();
        hosts = site.machineGroup("Hosts");
        groups = new Groups(new StateFolder(folder));
        groups.create(hosts);
        fleet = new FakeFleet(groups);
        scaling = new AutoScaling(site, groups, fleet, log::add);
        scaling.keep(hosts);
        awaitInService(2);
    }

    @AfterEach
    void stop() {
        fleet.forgetAll("Hosts");
        Await.that("the end of all work", LIMIT, scaling::idle);
    }

    @Test
    void shouldEndAMachineInTheOrderOfTheDocumentation() {
        groups.change("Hosts", group -> group.ending(List.of("i-1")));
        scaling.keep(hosts);
        Await.that("the end of i-1", LIMIT, () -> state("i-1").isEmpty());
        assertThat(fleet.said("i-1"))
                .containsExactly(
                        "launch",
                        "boot",
                        "drain Terminating",
                        "deregister Terminating",
                        "shutDown Terminating:Proceed",
                        "remove Terminating:Proceed");
        assertThat(fleet.since("drain Terminating", "deregister Terminating")).isGreaterThanOrEqualTo(900);
        assertThat(fleet.since("deregister Terminating", "shutDown Terminating:Proceed"))
                .isGreaterThanOrEqualTo(1900);
        assertThat(log).anyMatch(line -> line.endsWith("Hosts: 1 has not completed it"));
    }

    @Test
    void shouldNotWaitForAHookThatIsCompleted() {
        groups.change("Hosts", group -> group.ending(List.of("i-1")));
        scaling.keep(hosts);
        Await.that("the hook", LIMIT, () -> groups.get("Hosts").waits("i-1"));
        groups.change("Hosts", group -> group.proceeding("i-1"));
        Await.that("the end of i-1", LIMIT, () -> state("i-1").isEmpty());
        assertThat(log).anyMatch(line -> line.endsWith("Hosts: 1 has completed it"));
    }

    @Test
    void shouldLaunchAnotherAsSoonAsOneIsToEnd() {
        groups.change("Hosts", group -> group.ending(List.of("i-1")));
        scaling.keep(hosts);
        scaling.keep(hosts);
        awaitInService(2);
        assertThat(state("i-3")).contains(Lifecycle.IN_SERVICE);
        assertThat(state("i-1").orElseThrow().counts()).isFalse();
    }

    @Test
    void shouldLaunchWhereTheUnhealthyOneIsThatItReplaces() {
        groups.change("Hosts", group -> group.marking("i-2", false));
        scaling.keep(hosts);
        awaitInService(3);
        assertThat(zone("i-3")).isEqualTo(zone("i-2")).isNotEqualTo(zone("i-1"));
        scaling.keep(hosts);
        assertThat(groups.get("Hosts").leaving()).containsExactly("i-2");
    }

    @Test
    void shouldLaunchAnotherForOneThatIsGone() {
        fleet.lose("i-1");
        groups.change("Hosts", group -> group.without("i-1"));
        scaling.keep(hosts);
        awaitInService(2);
        assertThat(state("i-3")).isPresent();
    }

    @Test
    void shouldNotSeeThatThePowerOfAMachineWasCut() {
        fleet.end("i-1", "killed");
        scaling.keep(hosts);
        scaling.keep(hosts);
        assertThat(groups.get("Hosts").instances()).hasSize(2).allMatch(Instance::healthy);
        assertThat(fleet.said("i-1")).containsExactly("launch", "boot");
    }

    @Test
    void shouldStartAMachineAgainThatReboots() {
        fleet.end("i-1", "rebooted");
        scaling.keep(hosts);
        Await.that("the start of i-1", LIMIT, () -> fleet.said("i-1").contains("start"));
        assertThat(groups.get("Hosts").instances()).hasSize(2).allMatch(Instance::healthy);
    }

    @Test
    void shouldReplaceAMachineThatPoweredOffUnlessItsHealthIsNotAskedFor() {
        fleet.end("i-1", "powered off");
        groups.change("Hosts", group -> group.suspending(List.of("HealthCheck")));
        scaling.keep(hosts);
        assertThat(state("i-1")).contains(Lifecycle.IN_SERVICE);
        groups.change("Hosts", group -> group.suspending(List.of()));
        scaling.keep(hosts);
        assertThat(state("i-1").orElseThrow().counts()).isFalse();
        Await.that("the end of i-1", LIMIT, () -> state("i-1").isEmpty());
        assertThat(fleet.said("i-1")).noneMatch(word -> word.startsWith("shutDown"));
    }

    private void awaitInService(int count) {
        Await.that(
                count + " in service",
                LIMIT,
                () -> groups.get("Hosts").instances().stream()
                                .filter(instance -> instance.lifecycle() == Lifecycle.IN_SERVICE)
                                .count()
                        == count);
    }

    private String zone(String id) {
        return fleet.machine(id).orElseThrow().zone();
    }

    private Optional<Lifecycle> state(String id) {
        return groups.get("Hosts").instance(id).map(Instance::lifecycle);
    }
}
