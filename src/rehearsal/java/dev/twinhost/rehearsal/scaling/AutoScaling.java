package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.TargetGroup;
import dev.twinhost.rehearsal.site.TerminationHook;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * EC2 Auto Scaling, and what EC2 itself does when a machine's system ends: keeps every group at the size that it wants,
 * replaces unhealthy machines, starts those again that reboot. It is told what to do, and tells how far it is, only in
 * the files of the {@link Groups}.
 *
 * <p>A machine ends in the order of <a
 * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html">the documentation</a>: "the
 * terminating instance is first deregistered from the load balancer", which takes the target groups' deregistration
 * delay, and only then "the lifecycle hook puts the instance into a wait state". After that its system is asked to power
 * off, for which EC2 gives it "a few minutes", the rehearsal {@link #SHUTDOWN}; then the power goes.
 */
public final class AutoScaling {
    private static final Duration PAUSE = Duration.ofMillis(250);
    private static final Duration SHUTDOWN = Duration.ofSeconds(60);
    private static final Duration AFTER_A_FAILED_LAUNCH = Duration.ofSeconds(15);

    private final Site site;
    private final Groups groups;
    private final Fleet fleet;
    private final Consumer<String> log;
    private final Set<String> busy = ConcurrentHashMap.newKeySet();
    private volatile Instant launchNotBefore = Instant.MIN;

    public AutoScaling(Site site, Groups groups, Fleet fleet, Consumer<String> log) {
        this.site = site;
        this.groups = groups;
        this.fleet = fleet;
        this.log = log;
    }

    /** Until the process ends. */
    public void run() {
        while (true) {
            for (MachineGroup group : site.machineGroups()) {
                try {
                    keep(group);
                } catch (RuntimeException e) {
                    say(group, e.toString());
                }
            }
            Await.within(PAUSE, () -> false);
        }
    }

    /** One look at a group, and the beginning of all that it asks for. */
    void keep(MachineGroup template) {
        if (groups.find(template.id()).isEmpty()) {
            return;
        }
        Set<String> notRunning = checkHealth(template);
        Plan plan = Plan.of(
                template,
                groups.get(template.id()),
                notRunning,
                id -> fleet.machine(id).map(Machine::zone).orElse(""));
        if (!plan.endings().isEmpty()) {
            groups.change(template.id(), group -> group.ending(plan.endings()));
        }
        for (int i = 0; i < plan.launches() && Instant.now().isAfter(launchNotBefore); i++) {
            launchNow(template);
        }
        for (Instance instance : groups.get(template.id()).instances()) {
            if (instance.leaves()) {
                fleet.machine(instance.id()).ifPresent(machine -> work(machine, () -> end(template, machine)));
            }
        }
    }

    /** How long a machine takes at most from the wish that it end to its end. */
    public Duration departure(MachineGroup template) {
        return deregistrationDelay(template)
                .plus(template.goodbye().map(TerminationHook::timeout).orElse(Duration.ZERO))
                .plus(SHUTDOWN);
    }

    /** A new machine of a group, which counts from now on. */
    public Machine launch(MachineGroup template) {
        Machine machine = fleet.launch(template, groups.get(template.id()).passing());
        groups.change(template.id(), group -> group.with(Instance.pending(machine.instanceId())));
        say(template, "launches " + machine.name() + " (" + machine.instanceId() + ", " + machine.address() + ")");
        return machine;
    }

    /** Switches it on and puts it into service. */
    public void bringIntoService(Machine machine) {
        fleet.boot(machine);
        groups.change(
                machine.group(), group -> group.moving(machine.instanceId(), Lifecycle.PENDING, Lifecycle.IN_SERVICE));
    }

    /** Whether nothing that it has begun is under way. */
    boolean idle() {
        return busy.isEmpty();
    }

    private void launchNow(MachineGroup template) {
        try {
            Machine machine = launch(template);
            work(machine, () -> boot(template, machine));
        } catch (RuntimeException e) {
            say(template, "cannot launch: " + e.getMessage());
            launchNotBefore = Instant.now().plus(AFTER_A_FAILED_LAUNCH);
        }
    }

    private void boot(MachineGroup template, Machine machine) {
        try {
            bringIntoService(machine);
            say(template, machine.name() + " is in service");
        } catch (RuntimeException e) {
            say(template, machine.name() + " cannot be launched: " + e.getMessage());
            launchNotBefore = Instant.now().plus(AFTER_A_FAILED_LAUNCH);
            forget(machine);
        }
    }

    /** Starts what reboots, calls unhealthy what is off, and says which machines are. A cut of the power is not seen. */
    private Set<String> checkHealth(MachineGroup template) {
        List<Instance> off = new ArrayList<>();
        for (Instance instance : groups.get(template.id()).instances()) {
            Optional<Machine> machine = fleet.machine(instance.id());
            if (machine.isPresent() && instance.lifecycle() != Lifecycle.TERMINATING_PROCEED) {
                if (fleet.rebooted(machine.get())) {
                    work(machine.get(), () -> reboot(template, machine.get()));
                } else if (fleet.poweredOff(machine.get())) {
                    off.add(instance);
                }
            }
        }
        for (Instance instance : off) {
            if (instance.healthy() && !groups.get(template.id()).rests("HealthCheck")) {
                say(template, instance.id() + " is stopped, therefore unhealthy");
                groups.change(template.id(), group -> group.marking(instance.id(), false));
            }
        }
        return off.stream().map(Instance::id).collect(Collectors.toSet());
    }

    private void reboot(MachineGroup template, Machine machine) {
        say(template, machine.name() + " reboots");
        fleet.start(machine);
    }

    private void end(MachineGroup template, Machine machine) {
        String id = machine.instanceId();
        say(template, machine.name() + " is to end; it leaves its target groups");
        fleet.drain(machine);
        if (!away(machine, Lifecycle.TERMINATING, deregistrationDelay(template))) {
            fleet.deregister(machine);
        }
        Lifecycle last = Lifecycle.TERMINATING;
        if (template.goodbye().isPresent()) {
            last = Lifecycle.TERMINATING_WAIT;
            groups.change(template.id(), group -> group.moving(id, Lifecycle.TERMINATING, Lifecycle.TERMINATING_WAIT));
            TerminationHook hook = template.goodbye().get();
            say(template, machine.name() + " has " + hook.timeout().toSeconds() + " s for the hook " + hook.name());
            boolean completed = away(machine, last, hook.timeout());
            say(template, machine.name() + (completed ? " has completed it" : " has not completed it"));
        }
        Lifecycle before = last;
        groups.change(template.id(), group -> group.moving(id, before, Lifecycle.TERMINATING_PROCEED));
        shutDown(template, machine);
        forget(machine);
        say(template, machine.name() + " is gone");
    }

    /** Whether it has come further, or is not there any more, before its time at this point is over. */
    private boolean away(Machine machine, Lifecycle point, Duration limit) {
        Optional<Instance> now = groups.get(machine.group()).instance(machine.instanceId());
        Duration left = now.map(instance -> limit.minus(instance.age())).orElse(Duration.ZERO);
        return Await.within(
                left,
                () -> groups.get(machine.group())
                        .instance(machine.instanceId())
                        .filter(instance -> instance.lifecycle() == point)
                        .isEmpty());
    }

    private void shutDown(MachineGroup template, Machine machine) {
        if (fleet.machine(machine.instanceId()).isPresent() && fleet.running(machine)) {
            fleet.shutDown(machine);
            if (!Await.within(SHUTDOWN, () -> !fleet.running(machine))) {
                say(template, machine.name() + " has not powered off in " + SHUTDOWN.toSeconds() + " s");
            }
        }
    }

    private void forget(Machine machine) {
        if (fleet.machine(machine.instanceId()).isPresent()) {
            fleet.remove(machine);
        }
        groups.change(machine.group(), group -> group.without(machine.instanceId()));
    }

    private Duration deregistrationDelay(MachineGroup template) {
        return Duration.ofSeconds(site.balancer().targetGroups().stream()
                .filter(group -> template.targetGroupArns().contains(group.arn()))
                .mapToInt(TargetGroup::deregistrationDelay)
                .max()
                .orElse(0));
    }

    /** Has a machine worked on in a thread of its own, by one at a time. */
    private void work(Machine machine, Runnable work) {
        if (busy.add(machine.instanceId())) {
            new Thread(() -> {
                        try {
                            work.run();
                        } catch (RuntimeException e) {
                            say(site.machineGroup(machine.group()), machine.name() + ": " + e);
                        } finally {
                            busy.remove(machine.instanceId());
                        }
                    })
                    .start();
        }
    }

    private void say(MachineGroup group, String what) {
        log.accept(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + group.id() + ": " + what);
    }
}
