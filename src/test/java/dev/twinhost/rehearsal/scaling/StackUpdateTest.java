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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
    private Launchers launchers;
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
        List<Machine> old = update(this::succeed).roll(List.of(site.machineGroup("Hosts")), Optional.empty());
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
        update(this::succeed).roll(List.of(site.machineGroup("Hosts")), Optional.empty());
        assertThat(groups.get("Hosts").active())
                .extracting(
                        instance -> fleet.machine(instance.id()).orElseThrow().zone())
                .containsExactlyInAnyOrder("eu-central-1a", "eu-central-1b");
    }

    @Test
    void shouldNotWaitUntilAnOldMachineHasSaidGoodbye() {
        start(ONE_BY_ONE);
        update(this::succeed).roll(List.of(site.machineGroup("Hosts")), Optional.empty());
        assertThat(groups.get("Hosts").leaving()).containsExactlyInAnyOrder("i-1", "i-2");
    }

    @Test
    void shouldSignalWithinThePauseOfThePolicy() {
        start(ONE_BY_ONE);
        List<Duration> limits = new ArrayList<>();
        update((machine, limit) -> limits.add(limit)).roll(List.of(site.machineGroup("Hosts")), Optional.empty());
        assertThat(limits).containsExactly(Duration.ofMinutes(7), Duration.ofMinutes(7));
    }

    /** healthy-to-unhealthy.md of guardian/testing-asg-rolling-update: "Min=5, Desired=5" with DesiredCapacity. */
    @Test
    void shouldGoBackWithoutAnotherMachineWhereTheTemplateNamesTheSizeAndTheNewestEndsFirst() {
        start(ONE_BY_ONE, "2", "NewestInstance");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> roll(failing("i-3"), Optional.of("a new launcher"), "Hosts"))
                .withMessage("The update of Hosts has failed, because 100 percent have to signal success: i-3 is ill\n"
                        + "CloudFormation has gone back: UPDATE_ROLLBACK_COMPLETE.");
        Group after = groups.get("Hosts");
        assertThat(active()).containsExactlyInAnyOrder("i-1", "i-2");
        assertThat(after.leaving()).containsExactly("i-3");
        assertThat(after.desired()).isEqualTo(2);
        assertThat(after.smallest()).isEqualTo(2);
        assertThat(after.suspended()).isEmpty();
        assertThat(launchers.of("Hosts")).isEmpty();
        assertThat(progress).contains("  no machine of Hosts is obsolete");
    }

    /** The same page: "Min=5, Max=10. The Desired is not rolled back, remaining at 10" without it. */
    @Test
    void shouldStayOneTooLargeAndNeedAnotherMachineWhereTheTemplateNamesNoSize() {
        start(ONE_BY_ONE);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> roll(failing("i-3"), Optional.empty(), "Hosts"))
                .withMessageEndingWith("UPDATE_ROLLBACK_COMPLETE.");
        Group after = groups.get("Hosts");
        assertThat(active()).containsExactlyInAnyOrder("i-1", "i-2", "i-4");
        assertThat(after.desired()).isEqualTo(3);
        assertThat(after.smallest()).isEqualTo(2);
        assertThat(after.suspended()).isEmpty();
        assertThat(progress)
                .contains("  the group still wants 3, as the template has no DesiredCapacity")
                .endsWith("  host 4 (i-4, 10.0.0.4) has signalled success");
    }

    /** The default policy ends "instances that use the oldest launch template" first: those that work. */
    @Test
    void shouldLoseAGoodMachineAndNeedAnotherWhereTheOldestEndsFirst() {
        start(ONE_BY_ONE, "2", "Default");
        assertThatExceptionOfType(Failure.class).isThrownBy(() -> roll(failing("i-3"), Optional.empty(), "Hosts"));
        assertThat(active()).containsExactlyInAnyOrder("i-2", "i-4");
        assertThat(groups.get("Hosts").desired()).isEqualTo(2);
        assertThat(fleet.said("i-1")).contains("drain Terminating");
    }

    @Test
    void shouldReplaceWhatHadSucceededBeforeAnotherFailed() {
        start(ONE_BY_ONE, "2", "NewestInstance");
        assertThatExceptionOfType(Failure.class).isThrownBy(() -> roll(failing("i-4"), Optional.empty(), "Hosts"));
        assertThat(active()).hasSize(2).doesNotContain("i-3", "i-4");
        assertThat(groups.get("Hosts").desired()).isEqualTo(2);
    }

    @Test
    void shouldGoBackWithEveryGroupThatHadBegun() {
        start(ONE_BY_ONE, "2", "NewestInstance");
        List<String> launched = new ArrayList<>();
        Signals signals = (machine, limit) -> {
            launched.add(machine.instanceId() + " with "
                    + launchers.of(machine.group()).orElse("the old launcher"));
            failing("i-w2").await(machine, limit);
        };
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> roll(signals, Optional.of("the new launcher"), "Hosts", "Witness"))
                .withMessageStartingWith("The update of Witness has failed");
        assertThat(launched)
                .containsExactly(
                        "i-3 with the new launcher",
                        "i-4 with the new launcher",
                        "i-w2 with the new launcher",
                        "i-5 with the old launcher",
                        "i-6 with the old launcher",
                        "i-w3 with the old launcher");
        assertThat(active()).containsExactlyInAnyOrder("i-5", "i-6");
    }

    @Test
    void shouldLeaveProcessesAtRestWhereItCannotGoBack() {
        start(ONE_BY_ONE);
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> roll(this::fail, Optional.empty(), "Hosts"))
                .withMessage("The update of Hosts has failed, because 100 percent have to signal success: i-3 is ill\n"
                        + "Going back has failed, too: UPDATE_ROLLBACK_FAILED. The update of Hosts has failed, because 100"
                        + " percent have to signal success: i-4 is ill\n"
                        + "These processes rest until it is continued: Hosts: HealthCheck, ReplaceUnhealthy");
        assertThat(groups.get("Hosts").suspended()).containsExactly("HealthCheck", "ReplaceUnhealthy");
    }

    @Test
    void shouldReplaceWhatAnEarlierUpdateHasLeftTooManyWhereTheGroupKeepsItsSizes() {
        start(
                ONE_BY_ONE.replace(
                        "100}}",
                        "100}, \"AutoScalingScheduledAction\": {\"IgnoreUnmodifiedGroupSizeProperties\": true}}"),
                "2",
                "NewestInstance");
        groups.change("Hosts", group -> group.sized(2, 3));
        Await.that("a third host", LIMIT, () -> groups.get("Hosts").inService() == 3);
        List<Machine> old = roll((machine, limit) -> {}, Optional.empty(), "Hosts");
        assertThat(old).extracting(Machine::instanceId).containsExactlyInAnyOrder("i-1", "i-2", "i-3");
        assertThat(progress).noneMatch(line -> line.contains("meanwhile"));
        assertThat(active()).containsExactlyInAnyOrder("i-4", "i-5", "i-6");
    }

    @Test
    void shouldEndFirstWhatAnEarlierUpdateHasLeftTooMany() {
        start(ONE_BY_ONE, "2", "NewestInstance");
        groups.change("Hosts", group -> group.sized(2, 3));
        Await.that("a third host", LIMIT, () -> groups.get("Hosts").inService() == 3);
        List<Machine> old = roll(this::succeed, Optional.empty(), "Hosts");
        assertThat(old).extracting(Machine::instanceId).containsExactlyInAnyOrder("i-1", "i-2");
        assertThat(active()).containsExactlyInAnyOrder("i-4", "i-5");
    }

    @Test
    void shouldGoOnWhereThePolicyAllowsAFailure() {
        start(ONE_BY_ONE.replace("100}", "50}"));
        update((machine, limit) -> {
                    if (machine.instanceId().equals("i-3")) {
                        throw new Failure("i-3 is ill");
                    }
                })
                .roll(List.of(site.machineGroup("Hosts")), Optional.empty());
        assertThat(groups.get("Hosts").active()).extracting(Instance::id).containsExactlyInAnyOrder("i-3", "i-4");
        assertThat(progress).contains("  host 3 (i-3, 10.0.0.3) has not signalled success, which the policy allows");
    }

    @Test
    void shouldReplaceInPlaceWhereNobodyHasToStayInService() {
        start("{\"AutoScalingRollingUpdate\": {\"MaxBatchSize\": 2}}");
        update(this::fail).roll(List.of(site.machineGroup("Hosts")), Optional.empty());
        assertThat(progress).noneMatch(line -> line.contains("meanwhile"));
        assertThat(groups.get("Hosts").active()).extracting(Instance::id).containsExactlyInAnyOrder("i-3", "i-4");
    }

    @Test
    void shouldUpdateAGroupAfterThoseThatItDependsOn() {
        start(ONE_BY_ONE);
        update(this::succeed).roll(List.of(site.machineGroup("Witness"), site.machineGroup("Hosts")), Optional.empty());
        assertThat(progress.stream().filter(line -> line.startsWith("Update of")))
                .containsExactly("Update of Hosts", "Update of Witness");
    }

    @Test
    void shouldSayThatCloudFormationWouldReplaceNothing() {
        start("{}");
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> update(this::succeed).roll(List.of(site.machineGroup("Hosts")), Optional.empty()))
                .withMessage(
                        "The group Hosts has no AutoScalingRollingUpdate: CloudFormation never replaces its machines.");
    }

    /** Two groups with their machines, kept by what plays EC2 Auto Scaling. */
    private void start(String policy) {
        start(new SmallAssembly(), policy);
    }

    private void start(String policy, String desired, String termination) {
        start(
                new SmallAssembly()
                        .with("/Hosts/Properties/DesiredCapacity", '"' + desired + '"')
                        .with("/Hosts/Properties/TerminationPolicies", "[\"" + termination + "\"]"),
                policy);
    }

    private void start(SmallAssembly assembly, String policy) {
        site = assembly.with("/Hosts/UpdatePolicy", policy)
                .with("/Witness/UpdatePolicy", """
                        {"AutoScalingRollingUpdate": {"WaitOnResourceSignals": true}}""")
                .read();
        groups = new Groups(new StateFolder(folder));
        launchers = new Launchers(new StateFolder(folder));
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

    private List<Machine> roll(Signals signals, Optional<String> launcher, String... names) {
        return update(signals).roll(Arrays.stream(names).map(site::machineGroup).toList(), launcher);
    }

    private List<String> active() {
        return groups.get("Hosts").active().stream().map(Instance::id).toList();
    }

    private Signals failing(String instanceId) {
        return (machine, limit) -> {
            if (machine.instanceId().equals(instanceId)) {
                fail(machine, limit);
            }
        };
    }

    private StackUpdate update(Signals signals) {
        return new StackUpdate(groups, launchers, fleet::machine, signals, progress::add);
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
