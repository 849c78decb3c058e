package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.RollingUpdate;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * CloudFormation, as it updates the groups of a stack whose launch template has changed: their {@code
 * AutoScalingRollingUpdate}, group after group in the order of their dependencies.
 *
 * <p>What the <a
 * href="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html">update
 * policy's documentation</a> leaves open is taken from the events of real updates. For the time of the update the group
 * wants at least as many machines as a batch and those that have to stay in service ("Temporarily setting autoscaling
 * group MinSize and DesiredCapacity to 4", for three, one by one). When the new ones have signalled, a batch of old ones
 * is ended and as many are launched as are missing, with the last batch none ("replacing with 0 new instance(s)").
 * Nobody waits for a termination hook: the update goes on while the old machine is still held up by it (<a
 * href="https://github.com/awslabs/amazon-eks-ami/issues/66">amazon-eks-ami#66</a>). Which old machine goes first is
 * nowhere said. A failed update is not rolled back,
 * only the machine that failed ends.
 */
public final class StackUpdate {
    private static final Duration LAUNCH_LIMIT = Duration.ofMinutes(2);

    private final Groups groups;
    private final Function<String, Optional<Machine>> machines;
    private final Signals signals;
    private final Consumer<String> progress;

    /**
     * @param machines finds a machine by its instance id
     * @param progress is told what happens, a line each
     */
    public StackUpdate(
            Groups groups, Function<String, Optional<Machine>> machines, Signals signals, Consumer<String> progress) {
        this.groups = groups;
        this.machines = machines;
        this.signals = signals;
        this.progress = progress;
    }

    /** Replaces every machine of these groups, and returns the old ones, which may still be on their way out. */
    public List<Machine> roll(List<MachineGroup> templates) {
        List<Machine> old = new ArrayList<>();
        inOrder(templates).forEach(template -> old.addAll(roll(template)));
        return old;
    }

    private List<Machine> roll(MachineGroup template) {
        RollingUpdate policy = template.update()
                .orElseThrow(() -> new Failure("The group " + template.id()
                        + " has no AutoScalingRollingUpdate: CloudFormation never replaces its machines."));
        Group before = groups.get(template.id());
        List<Machine> obsolete = before.active().stream()
                .sorted(Comparator.comparing(Instance::since))
                .map(this::machine)
                .toList();
        int batch = Math.min(Math.min(policy.maxBatch(), obsolete.size()), before.largest() - policy.minInService());
        int temporary = Math.max(before.desired(), batch + policy.minInService());
        say("Update of " + template.id() + ": replaces " + obsolete.size() + " in batches of " + batch
                + ", with at least " + policy.minInService() + " in service");
        try {
            groups.change(
                    template.id(),
                    now -> now.sized(temporary, temporary).suspending(union(before.suspended(), policy.suspended())));
            say("  the group wants " + temporary + " meanwhile");
            new Batches(template.id(), policy, obsolete, batch, before).replaceAll();
        } finally {
            groups.change(
                    template.id(),
                    now -> now.sized(before.smallest(), before.desired()).suspending(before.suspended()));
        }
        return obsolete;
    }

    /** Each group after those that it depends on. */
    private static List<MachineGroup> inOrder(List<MachineGroup> templates) {
        List<MachineGroup> ordered = new ArrayList<>();
        List<MachineGroup> waiting = new ArrayList<>(templates);
        while (!waiting.isEmpty()) {
            MachineGroup next = waiting.stream()
                    .filter(template ->
                            waiting.stream().noneMatch(other -> template.after().contains(other.id())))
                    .findFirst()
                    .orElseThrow(() -> new Failure("The groups depend on each other."));
            ordered.add(next);
            waiting.remove(next);
        }
        return ordered;
    }

    private static List<String> union(List<String> some, List<String> more) {
        List<String> all = new ArrayList<>(some);
        more.stream().filter(process -> !all.contains(process)).forEach(all::add);
        return all;
    }

    private Machine machine(Instance instance) {
        return machines.apply(instance.id()).orElseThrow();
    }

    private void say(String what) {
        progress.accept(what);
    }

    /** The machines of one group, batch after batch. */
    private final class Batches {
        private final String group;
        private final RollingUpdate policy;
        private final List<Machine> obsolete;
        private final int batch;
        private final Group before;
        private final Set<String> known = new HashSet<>();
        private int failures;

        Batches(String group, RollingUpdate policy, List<Machine> obsolete, int batch, Group before) {
            this.group = group;
            this.policy = policy;
            this.obsolete = obsolete;
            this.batch = batch;
            this.before = before;
            before.instances().forEach(instance -> known.add(instance.id()));
        }

        void replaceAll() {
            awaitNew();
            List<Machine> left = new ArrayList<>(obsolete);
            while (!left.isEmpty()) {
                List<Machine> next = next(left);
                left.removeAll(next);
                end(next, left.isEmpty());
                awaitNew();
            }
        }

        /** Old machines from where the fewest new ones are, so that the group has them in all its zones in the end. */
        private List<Machine> next(List<Machine> left) {
            List<String> taken = groups.get(group).active().stream()
                    .map(StackUpdate.this::machine)
                    .filter(machine -> !obsolete.contains(machine))
                    .map(Machine::subnet)
                    .toList();
            return left.stream()
                    .sorted(Comparator.comparing(machine -> Collections.frequency(taken, machine.subnet())))
                    .limit(batch)
                    .toList();
        }

        /** With the last batch the group wants again what it wanted before, at the same moment. */
        private void end(List<Machine> machines, boolean last) {
            List<String> ids = machines.stream().map(Machine::instanceId).toList();
            groups.change(
                    group, now -> last ? now.ending(ids).sized(before.smallest(), before.desired()) : now.ending(ids));
            machines.forEach(machine -> say("  " + machine.described() + " is to end"));
        }

        /** Waits until the group has the machines that it wants, and each new one has signalled. */
        private void awaitNew() {
            Await.that(group + " to launch what it wants", LAUNCH_LIMIT, () -> {
                Group now = groups.get(group);
                return now.active().size() == now.desired() && now.inService() == now.desired();
            });
            List<Machine> fresh = groups.get(group).active().stream()
                    .filter(instance -> known.add(instance.id()))
                    .map(StackUpdate.this::machine)
                    .toList();
            fresh.forEach(machine -> say("  " + machine.described() + " is launched"));
            if (policy.waitsForSignals()) {
                fresh.forEach(this::awaitSignal);
            } else if (!fresh.isEmpty()) {
                say("  waits for the pause of " + policy.pause().toSeconds() + " s");
                Await.within(policy.pause(), () -> false);
            }
        }

        /** A failure counts, and so does a time-out; too many of them end the update. */
        private void awaitSignal(Machine machine) {
            try {
                signals.await(machine, policy.pause());
                say("  " + machine.described() + " has signalled success");
            } catch (Failure e) {
                failures++;
                if ((obsolete.size() - failures) * 100 < policy.minSuccessPercent() * obsolete.size()) {
                    groups.change(
                            group,
                            now -> now.ending(List.of(machine.instanceId()))
                                    .sized(before.smallest(), before.desired()));
                    throw new Failure("The update of " + group + " has failed, because " + policy.minSuccessPercent()
                            + " percent have to signal success: " + e.getMessage());
                }
                say("  " + machine.described() + " has not signalled success, which the policy allows");
            }
        }
    }
}
