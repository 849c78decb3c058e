package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.MaintenancePolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * An auto scaling group as it is now: how many machines it wants, and those that it has.
 *
 * @param suspended names of the processes that rest
 * @param warmup seconds for which a machine that came into service does not count as ready
 */
public record Group(
        int smallest, int largest, int desired, long warmup, List<String> suspended, List<Instance> instances) {
    /** As the template makes it: no machine is there yet. */
    static Group of(MachineGroup group) {
        long warmup = group.maintenance()
                .map(MaintenancePolicy::warmup)
                .map(duration -> duration.toSeconds())
                .orElse(0L);
        return new Group(group.smallest(), group.largest(), group.size(), warmup, List.of(), List.of());
    }

    public Optional<Instance> instance(String id) {
        return instances.stream().filter(instance -> instance.id().equals(id)).findFirst();
    }

    /** The machines that count. */
    public List<Instance> active() {
        return instances.stream().filter(instance -> !instance.leaves()).toList();
    }

    public long inService() {
        return instances.stream()
                .filter(instance -> instance.lifecycle() == Lifecycle.IN_SERVICE)
                .count();
    }

    /** The instance ids of those that are to end. */
    public Set<String> leaving() {
        return instances.stream().filter(Instance::leaves).map(Instance::id).collect(Collectors.toSet());
    }

    /** The same with those that have to be replaced: where they are counts for nothing. */
    Set<String> passing() {
        return instances.stream()
                .filter(instance -> instance.leaves() || !instance.healthy())
                .map(Instance::id)
                .collect(Collectors.toSet());
    }

    public boolean rests(String process) {
        return suspended.contains(process);
    }

    public Group sized(int newSmallest, int newDesired) {
        return new Group(newSmallest, largest, newDesired, warmup, suspended, instances);
    }

    public Group suspending(List<String> processes) {
        return new Group(smallest, largest, desired, warmup, List.copyOf(processes), instances);
    }

    public Group warmingUp(long seconds) {
        return new Group(smallest, largest, desired, seconds, suspended, instances);
    }

    /** Has these machines end. Those that are on their way out already go on as they were. */
    public Group ending(Collection<String> ids) {
        return each(
                instance -> ids.contains(instance.id()) && instance.lifecycle().counts()
                        ? instance.in(Lifecycle.TERMINATING)
                        : instance);
    }

    public Group marking(String id, boolean healthy) {
        return each(instance -> instance.id().equals(id) ? instance.called(healthy) : instance);
    }

    /** Whether this machine waits for somebody to complete its termination hook. */
    public boolean waits(String id) {
        return instance(id)
                .filter(instance -> instance.lifecycle() == Lifecycle.TERMINATING_WAIT)
                .isPresent();
    }

    /** Ends that wait. */
    public Group proceeding(String id) {
        return moving(id, Lifecycle.TERMINATING_WAIT, Lifecycle.TERMINATING_PROCEED);
    }

    Group with(Instance instance) {
        List<Instance> more = new ArrayList<>(instances);
        more.add(instance);
        return new Group(smallest, largest, desired, warmup, suspended, more);
    }

    public Group without(String id) {
        return new Group(
                smallest,
                largest,
                desired,
                warmup,
                suspended,
                instances.stream().filter(instance -> !instance.id().equals(id)).toList());
    }

    Group moving(String id, Lifecycle from, Lifecycle to) {
        return each(instance -> instance.id().equals(id) && instance.lifecycle() == from ? instance.in(to) : instance);
    }

    private Group each(UnaryOperator<Instance> change) {
        return new Group(
                smallest,
                largest,
                desired,
                warmup,
                suspended,
                instances.stream().map(change).toList());
    }
}
