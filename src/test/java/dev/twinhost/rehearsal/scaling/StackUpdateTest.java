package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StackUpdateTest {
    private static final String ONE_BY_ONE = """
            {"AutoScalingRollingUpdate": {"MinInstancesInService": 2, "MaxBatchSize": 1, "PauseTime": "PT7M",
              "WaitOnResourceSignals": true, "SuspendProcesses": ["HealthCheck", "ReplaceUnhealthy"],
              "MinSuccessfulInstancesPercent": 100}}""";
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final List<String> progress = new ArrayList<>();

    /** What the group wanted and had, whenever a new machine signalled. */
    private final List<Group> seen = new ArrayList<>();

    @TempDir
    private Path folder;

    private Site site;
    private Groups groups;
    private FakeFleet fleet;
    private AutoScaling scaling;

    @AfterEach
    void stop() throws InterruptedException {
        thread.shutdownNow();
        assertThat(thread.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        site.machineGroups().forEach(group -> fleet.forgetAll(group.id()));
        Await.that("the end of all work", LIMIT, scaling::idle);
    }

    @Test
    void shouldReplaceOneAfterAnotherAndNeverHaveFewerInServiceThanThePolicySays() {
        start(ONE_BY_ONE);
        List<Machine> old = update(this::succeed).roll(List.of(site.machineGroup("Hosts")));
        assertThat(old).extracting(Machine::instanceId).containsExactlyInAnyOrder("i-1", "i-2");
        assertThat(seen).extracting(Group::desired).containsExactly(3, 3);
        assertThat(seen).extracting(Group::smallest).containsExactly(3, 3);
        assertThat(seen)
                .extracting(Group::suspended)
                .containsExactly(
                        List.of("HealthCheck", "ReplaceUnhealthy"), List.of("HealthCheck", "ReplaceUnhealthy"));
        Group after = groups.get("Hosts");
        assertThat(after.active()).extracting(Instance::id).containsExactlyInAnyOrder("i-3", "i-4");
        assertThat(after.desired()).isEqualTo(2);
        assertThat(after.smallest()).isEqualTo(2);
        assertThat(after.suspended()).isEmpty();
    }

    @Test
    void shouldEndWithTheMachinesInAllZones() {
        start(ONE_BY_ONE);
        update(this::succeed).roll(List.of(site.machineGroup("Hosts")));
        assertThat(groups.get("Hosts").active())
                .extracting(
                        instance -> fleet.machine(instance.id()).orElseThrow().zone())
                .containsExactlyInAnyOrder("eu-central-1a", "eu-central-1b");
    }

    @Test
    void shouldNotWaitUntilAnOldMachineHasSaidGoodbye() {
        start(ONE_BY_ONE);
        update(this::succeed).roll(List.of(site.machineGroup("Hosts")));
        assertThat(groups.get("Hosts").leaving()).containsExactlyInAnyOrder("i-1", "i-2");
    }

    @Test
    void shouldSignalWithinThePauseOfThePolicy() {
        start(ONE_BY_ONE);
        List<Duration> limits = new ArrayList<>();
        update((machine, limit) -> limits.add(limit)).roll(List.of(site.machineGroup("Hosts")));
        assertThat(limits).containsExactly(Duration.ofMinutes(7), Duration.ofMinutes(7));
    }

    @Test
    void shouldEndTheUpdateAndTheMachineThatFailsWhereAllHaveToSucceed() {
        start(ONE_BY_ONE);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> update(this::fail).roll(List.of(site.machineGroup("Hosts"))))
                .withMessage("The update of Hosts has failed, because 100 percent have to signal success: i-3 is ill");
        Group after = groups.get("Hosts");
        assertThat(after.active()).extracting(Instance::id).containsExactlyInAnyOrder("i-1", "i-2");
        assertThat(after.leaving()).containsExactly("i-3");
        assertThat(after.desired()).isEqualTo(2);
        assertThat(after.suspended()).isEmpty();
    }

    @Test
    void shouldGoOnWhereThePolicyAllowsAFailure() {
        start(ONE_BY_ONE.replace("100}", "50}"));
        update((machine, limit) -> {
                    if (machine.instanceId().equals("i-3")) {
                        throw new Failure("i-3 is ill");
                    }
                })
                .roll(List.of(site.machineGroup("Hosts")));
        assertThat(groups.get("Hosts").active()).extracting(Instance::id).containsExactlyInAnyOrder("i-3", "i-4");
        assertThat(progress).contains("  host 3 (i-3, 10.0.0.3) has not signalled success, which the policy allows");
    }

    @Test
    void shouldReplaceInPlaceWhereNobodyHasToStayInService() {
        start("{\"AutoScalingRollingUpdate\": {\"MaxBatchSize\": 2}}");
        update(this::fail).roll(List.of(site.machineGroup("Hosts")));
        assertThat(progress).contains("  the group wants 2 meanwhile");
        assertThat(groups.get("Hosts").active()).extracting(Instance::id).containsExactlyInAnyOrder("i-3", "i-4");
    }

    @Test
    void shouldUpdateAGroupAfterThoseThatItDependsOn() {
        start(ONE_BY_ONE);
        update(this::succeed).roll(List.of(site.machineGroup("Witness"), site.machineGroup("Hosts")));
        assertThat(progress.stream().filter(line -> line.startsWith("Update of")))
                .containsExactly(
                        "Update of Hosts: replaces 2 in batches of 1, with at least 2 in service",
                        "Update of Witness: replaces 1 in batches of 1, with at least 0 in service");
    }

    @Test
    void shouldSayThatCloudFormationWouldReplaceNothing() {
        start("{}");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> update(this::succeed).roll(List.of(site.machineGroup("Hosts"))))
                .withMessage(
                        "The group Hosts has no AutoScalingRollingUpdate: CloudFormation never replaces its machines.");
    }

    /** Two groups with their machines, kept by what plays EC2 Auto Scaling. */
    private void start(String policy) {
        site = new SmallAssembly()
                .with("/Hosts/UpdatePolicy", policy)
                .with("/Witness/UpdatePolicy", "{\"AutoScalingRollingUpdate\": {}}")
                .read();
        groups = new Groups(new StateFolder(folder));
        fleet = new FakeFleet(groups);
        site.machineGroups().forEach(groups::create);
        scaling = new AutoScaling(site, groups, fleet, line -> {});
        thread.scheduleWithFixedDelay(() -> site.machineGroups().forEach(scaling::keep), 0, 20, TimeUnit.MILLISECONDS);
        for (MachineGroup group : site.machineGroups()) {
            Await.that(
                    "the machines of " + group.id(),
                    LIMIT,
                    () -> groups.get(group.id()).inService() == group.size());
        }
    }

    private StackUpdate update(Signals signals) {
        return new StackUpdate(groups, fleet::machine, signals, progress::add);
    }

    private void succeed(Machine machine, Duration limit) {
        Group now = groups.get(machine.group());
        if (machine.group().equals("Hosts")) {
            assertThat(now.inService()).isGreaterThan(2);
            seen.add(now);
        }
    }

    private void fail(Machine machine, Duration limit) {
        throw new Failure(machine.instanceId() + " is ill");
    }
}
