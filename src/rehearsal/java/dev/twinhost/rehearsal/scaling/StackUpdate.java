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
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * CloudFormation, as it updates the groups of a stack whose launch template has changed: their {@code
 * AutoScalingRollingUpdate}, group after group in the order of their dependencies.
 *
 * <p>What the <a
 * href="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html">update
 * policy's documentation</a> leaves open is taken from the events of real updates, above all from <a
 * href="https://github.com/guardian/testing-asg-rolling-update/tree/main/observations">those that the Guardian has
 * observed</a>. For the time of the update the group wants at least as many machines as a batch and those that have to
 * stay in service ("Temporarily setting autoscaling group MinSize and DesiredCapacity to 4", for three, one by one), and
 * where it wants as many already, its sizes stay. When the new ones have signalled, a batch of old ones is ended and as
 * many are launched as are missing, with the last batch none ("replacing with 0 new instance(s)"). Nobody waits for a
 * termination hook: the update goes on while the old machine is still held up by it (<a
 * href="https://github.com/awslabs/amazon-eks-ami/issues/66">amazon-eks-ami#66</a>). Which old machine goes first is
 * nowhere said.
 *
 * <p>Where too many of the new machines fail, every group whose update had begun is updated back, with the launch template
 * and by the update policy of before. Such an update begins with what the template says of the group's sizes: MinSize falls,
 * but DesiredCapacity only where the template has one ("The Desired is not rolled back, remaining at 10",
 * healthy-to-unhealthy.md); so does an update forward, but for a group that keeps its sizes, as those of the page do. What is too many then the group ends by itself, by its termination policy ("an instance
 * was taken out of service in response to a difference between desired and actual capacity", healthy-scale-out-mid-deploy.md);
 * the machines with the failed launch template that remain are obsolete, and replaced as in every rolling update
 * ("Terminating 1 obsolete instance(s) in batches of 1, while keeping at least 3 instance(s) in service",
 * healthy-to-unhealthy-fully-scaled-v2.md): the new ones have to signal as well. That the group reaches its size before
 * the obsolete ones are counted no event shows; it is how Eucalyptus has copied CloudFormation ({@code
 * AWSAutoScalingAutoScalingGroupResourceAction}). Where going back fails too, the stack is in {@code
 * UPDATE_ROLLBACK_FAILED}, and what the policy has suspended rests until that is continued.
 */
public final class StackUpdate {
    private static final Duration LAUNCH_LIMIT = Duration.ofMinutes(2);

    private final Groups groups;
    private final Launchers launchers;
    private final Function<String, Optional<Machine>> machines;
    private final Signals signals;
    private final Consumer<String> progress;

    /**
     * @param machines finds a machine by its instance id
     * @param progress is told what happens, a line each
     */
    public StackUpdate(
            Groups groups,
            Launchers launchers,
            Function<String, Optional<Machine>> machines,
            Signals signals,
            Consumer<String> progress) {
        this.groups = groups;
        this.launchers = launchers;
        this.machines = machines;
        this.signals = signals;
        this.progress = progress;
    }

    /**
     * Replaces every machine of these groups by one with another launcher, none: that of the template. Returns the old
     * ones, which may still be on their way out; fails where it had to go back.
     */
    public List<Machine> roll(List<MachineGroup> templates, Optional<String> launcher) {
        templates.forEach(StackUpdate::policy);
        List<Machine> old = new ArrayList<>();
        List<Before> begun = new ArrayList<>();
        try {
            for (MachineGroup template : inOrder(templates)) {
                Before before = new Before(template, groups.get(template.id()), launchers.of(template.id()));
                begun.add(before);
                launchers.change(template.id(), launcher);
                say("Update of " + template.id());
                if (!policy(template).keepsSizes()) {
                    resize(template);
                }
                old.addAll(replace(before, instance -> before.has(instance.id())));
            }
            return old;
        } catch (Failure failure) {
            throw rollBack(begun, failure);
        }
    }

    /** A group as the update has found it. */
    private record Before(MachineGroup template, Group group, Optional<String> launcher) {
        boolean has(String instanceId) {
            return group.instance(instanceId).isPresent();
        }
    }

    private Failure rollBack(List<Before> begun, Failure failure) {
        String reason = failure.getMessage().stripTrailing() + "\n";
        try {
            for (Before before : begun) {
                launchers.change(before.template().id(), before.launcher());
                say("The update has failed: rollback of " + before.template().id());
                resize(before.template());
                replace(before, instance -> !before.has(instance.id()));
            }
            return new Failure(reason + "CloudFormation has gone back: UPDATE_ROLLBACK_COMPLETE.");
        } catch (Failure again) {
            return new Failure(reason + "Going back has failed, too: UPDATE_ROLLBACK_FAILED. "
                    + again.getMessage().stripTrailing() + "\nThese processes rest until it is continued: "
                    + begun.stream()
                            .map(before -> before.template().id() + ": "
                                    + String.join(
                                            ", ",
                                            groups.get(before.template().id()).suspended()))
                            .collect(Collectors.joining("; ")));
        }
    }

    private void resize(MachineGroup template) {
        groups.change(
                template.id(),
                now -> now.sized(template.smallest(), template.desired().orElse(now.desired())));
        int desired = groups.get(template.id()).desired();
        if (template.desired().isEmpty() && desired != template.smallest()) {
            say("  the group still wants " + desired + ", as the template has no DesiredCapacity");
        }
    }

    /** Replaces those machines of a group that are obsolete once it has as many as it wants. */
    private List<Machine> replace(Before before, Predicate<Instance> isObsolete) {
        MachineGroup template = before.template();
        RollingUpdate policy = policy(template);
        groups.change(template.id(), now -> now.suspending(union(before.group().suspended(), policy.suspended())));
        awaitSettled(template.id());
        Group start = groups.get(template.id());
        List<Machine> obsolete = start.active().stream()
                .filter(isObsolete)
                .sorted(Comparator.comparing(Instance::since))
                .map(this::machine)
                .toList();
        if (obsolete.isEmpty()) {
            say("  no machine of " + template.id() + " is obsolete");
        } else {
            new Batches(template.id(), policy, obsolete, start).replaceAll();
        }
        groups.change(template.id(), now -> now.suspending(before.group().suspended()));
        return obsolete;
    }

    private void awaitSettled(String group) {
        Await.that(group + " to have the machines that it wants", LAUNCH_LIMIT, () -> {
            Group now = groups.get(group);
            return now.active().size() == now.desired() && now.inService() == now.desired();
        });
    }

    private static RollingUpdate policy(MachineGroup template) {
        return template.update()
                .orElseThrow(() -> new Failure("The group " + template.id()
                        + " has no AutoScalingRollingUpdate: CloudFormation never replaces its machines."));
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

    /** The obsolete machines of one group, batch after batch. */
    private final class Batches {
        private final String group;
        private final RollingUpdate policy;
        private final List<Machine> obsolete;
        private final int batch;
        private final Group start;
        private final Set<String> known = new HashSet<>();
        private int failures;

        Batches(String group, RollingUpdate policy, List<Machine> obsolete, Group start) {
            this.group = group;
            this.policy = policy;
            this.obsolete = obsolete;
            this.start = start;
            batch = Math.min(Math.min(policy.maxBatch(), obsolete.size()), start.largest() - policy.minInService());
            start.instances().forEach(instance -> known.add(instance.id()));
        }

        void replaceAll() {
            say("  replaces " + obsolete.size() + " in batches of " + batch + ", with at least " + policy.minInService()
                    + " in service");
            int temporary = batch + policy.minInService();
            if (temporary > start.desired()) {
                groups.change(group, now -> now.sized(temporary, temporary));
                say("  the group wants " + temporary + " meanwhile");
            }
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
                    group, now -> last ? now.ending(ids).sized(start.smallest(), start.desired()) : now.ending(ids));
            machines.forEach(machine -> say("  " + machine.described() + " is to end"));
        }

        /** Waits until the group has the machines that it wants, and each new one has signalled. */
        private void awaitNew() {
            awaitSettled(group);
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
                    throw new Failure("The update of " + group + " has failed, because " + policy.minSuccessPercent()
                            + " percent have to signal success: " + e.getMessage());
                }
                say("  " + machine.described() + " has not signalled success, which the policy allows");
            }
        }
    }
}
