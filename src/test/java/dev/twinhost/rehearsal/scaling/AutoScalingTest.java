package dev.twinhost.rehearsal.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AutoScalingTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final FakeFleet fleet = new FakeFleet();
    private Groups groups;
    private MachineGroup hosts;
    private AutoScaling scaling;

    @BeforeEach
    void startWithTwoMachines(@TempDir Path folder) {
        Site site = new SmallAssembly()
                .with("/HttpsTargets/Properties/TargetGroupAttributes", """
                        [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]""")
                .with("/Hosts/Properties/LifecycleHookSpecificationList", """
                        [{"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                          "LifecycleHookName": "goodbye", "HeartbeatTimeout": 2}]""")
                .read();
        hosts = site.machineGroup("Hosts");
        groups = new Groups(new StateFolder(folder));
        groups.create(hosts);
        scaling = new AutoScaling(site, groups, fleet, log::add);
        scaling.keep(hosts);
        awaitInService(2);
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
    void shouldLaunchAnotherForOneThatIsGone() {
        fleet.machines.remove("i-1");
        groups.change("Hosts", group -> group.without("i-1"));
        scaling.keep(hosts);
        awaitInService(2);
        assertThat(state("i-3")).isPresent();
    }

    @Test
    void shouldNotSeeThatThePowerOfAMachineWasCut() {
        fleet.ends.put("i-1", "killed");
        scaling.keep(hosts);
        scaling.keep(hosts);
        assertThat(groups.get("Hosts").instances()).hasSize(2).allMatch(Instance::healthy);
        assertThat(fleet.said("i-1")).containsExactly("launch", "boot");
    }

    @Test
    void shouldStartAMachineAgainThatReboots() {
        fleet.ends.put("i-1", "rebooted");
        scaling.keep(hosts);
        Await.that("the start of i-1", LIMIT, () -> fleet.said("i-1").contains("start"));
        assertThat(groups.get("Hosts").instances()).hasSize(2).allMatch(Instance::healthy);
    }

    @Test
    void shouldReplaceAMachineThatPoweredOffUnlessItsHealthIsNotAskedFor() {
        fleet.ends.put("i-1", "powered off");
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

    private Optional<Lifecycle> state(String id) {
        return groups.get("Hosts").instance(id).map(Instance::lifecycle);
    }

    /** Machines i-1, i-2 … that do at once what they are told, and note it with the state that their group had then. */
    private final class FakeFleet implements Fleet {
        private final Map<String, Machine> machines = new ConcurrentHashMap<>();
        private final Map<String, String> ends = new ConcurrentHashMap<>();
        private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
        private int launched;

        private record Call(String id, String what, long at) {}

        List<String> said(String id) {
            synchronized (calls) {
                return calls.stream()
                        .filter(call -> call.id.equals(id))
                        .map(Call::what)
                        .toList();
            }
        }

        /** Milliseconds from one call to another. */
        long since(String first, String second) {
            return at(second) - at(first);
        }

        private long at(String what) {
            synchronized (calls) {
                return calls.stream()
                        .filter(call -> call.what.equals(what))
                        .findFirst()
                        .orElseThrow()
                        .at;
            }
        }

        private void note(Machine machine, String what) {
            String state = state(machine.instanceId())
                    .filter(lifecycle -> !lifecycle.counts())
                    .map(lifecycle -> " " + lifecycle.word())
                    .orElse("");
            calls.add(new Call(machine.instanceId(), what + state, System.currentTimeMillis()));
        }

        @Override
        public Optional<Machine> machine(String instanceId) {
            return Optional.ofNullable(machines.get(instanceId));
        }

        @Override
        public Machine launch(MachineGroup group, Collection<String> leaving) {
            launched++;
            Machine machine = new Machine(
                    String.valueOf(launched), "i-" + launched, group.id(), "10.0.0." + launched, "subnet", "zone");
            machines.put(machine.instanceId(), machine);
            note(machine, "launch");
            return machine;
        }

        @Override
        public void boot(Machine machine) {
            note(machine, "boot");
        }

        @Override
        public void start(Machine machine) {
            ends.remove(machine.instanceId());
            note(machine, "start");
        }

        @Override
        public boolean running(Machine machine) {
            return !ends.containsKey(machine.instanceId());
        }

        @Override
        public boolean rebooted(Machine machine) {
            return "rebooted".equals(ends.get(machine.instanceId()));
        }

        @Override
        public boolean poweredOff(Machine machine) {
            return "powered off".equals(ends.get(machine.instanceId()));
        }

        @Override
        public void drain(Machine machine) {
            note(machine, "drain");
        }

        @Override
        public void deregister(Machine machine) {
            note(machine, "deregister");
        }

        @Override
        public void shutDown(Machine machine) {
            ends.put(machine.instanceId(), "powered off");
            note(machine, "shutDown");
        }

        @Override
        public void remove(Machine machine) {
            note(machine, "remove");
            machines.remove(machine.instanceId());
        }
    }
}
