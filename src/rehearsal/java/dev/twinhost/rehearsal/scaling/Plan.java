package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.MaintenancePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a group does next: how many machines it launches and which it ends.
 *
 * <p>An unhealthy machine ends while another is launched, unless the group has a maintenance policy: then the other has
 * to be in service, and its warm-up over, first. A machine that does not run ends in any case (<a
 * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-maintenance-policy-overview-and-considerations.html">instance
 * maintenance policy</a>). With more unhealthy machines than the policy leaves room for, they are replaced one after
 * another. Of a surplus the unhealthy machines end first, then those that the group's termination policy names in the zone
 * that has the most: "Maintaining balance across Availability Zones takes precedence over termination policies" (<a
 * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html">termination
 * policies</a>). What rests is as the <a
 * href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html">documentation</a> says.
 */
record Plan(int launches, List<String> endings) {
    /** @param zones the zone of a machine, by its instance id */
    static Plan of(MachineGroup template, Group group, Set<String> notRunning, Function<String, String> zones) {
        List<Instance> active = new ArrayList<>(group.active());
        List<String> endings = new ArrayList<>();
        int wanted = group.desired();
        if (!group.rests("ReplaceUnhealthy")) {
            List<Instance> unhealthy =
                    active.stream().filter(instance -> !instance.healthy()).toList();
            List<Instance> ends = group.rests("Terminate")
                    ? List.of()
                    : endings(template.maintenance(), group, unhealthy, notRunning);
            ends.forEach(instance -> endings.add(instance.id()));
            active.removeAll(ends);
            int most = template.maintenance()
                    .map(policy -> Math.min(policy.most(group.desired()), group.largest()))
                    .orElse(group.desired());
            wanted = Math.max(wanted, Math.min(wanted + unhealthy.size() - ends.size(), most));
        }
        int surplus = active.size() - wanted;
        if (surplus > 0 && !group.rests("Terminate")) {
            for (int i = 0; i < surplus; i++) {
                Instance last = surplus(template.termination(), active, zones);
                active.remove(last);
                endings.add(last.id());
            }
        }
        return new Plan(group.rests("Launch") ? 0 : Math.max(0, -surplus), endings);
    }

    private static Instance surplus(
            MachineGroup.Termination policy, List<Instance> active, Function<String, String> zones) {
        Map<String, Long> machines = active.stream()
                .collect(Collectors.groupingBy(instance -> zones.apply(instance.id()), Collectors.counting()));
        Comparator<Instance> oldest = Comparator.comparing(Instance::since);
        return active.stream()
                .min(Comparator.comparing(Instance::healthy)
                        .thenComparing(instance -> -machines.get(zones.apply(instance.id())))
                        .thenComparing(policy == MachineGroup.Termination.NEWEST ? oldest.reversed() : oldest))
                .orElseThrow();
    }

    private static List<Instance> endings(
            Optional<MaintenancePolicy> maintenance, Group group, List<Instance> unhealthy, Set<String> notRunning) {
        if (maintenance.isEmpty()) {
            return unhealthy;
        }
        List<Instance> ends = new ArrayList<>(unhealthy.stream()
                .filter(instance -> notRunning.contains(instance.id()))
                .toList());
        List<Instance> waiting =
                unhealthy.stream().filter(instance -> !ends.contains(instance)).toList();
        List<Instance> healthy =
                group.active().stream().filter(Instance::healthy).toList();
        long ready = healthy.stream().filter(instance -> ready(group, instance)).count();
        int most = Math.min(maintenance.get().most(group.desired()), group.largest());
        boolean enough = ready >= maintenance.get().least(group.desired());
        boolean noRoom = ready == healthy.size() && group.active().size() >= most;
        if (enough) {
            ends.addAll(waiting);
        } else if (noRoom) {
            waiting.stream().findFirst().ifPresent(ends::add);
        }
        return ends;
    }

    private static boolean ready(Group group, Instance instance) {
        return instance.lifecycle() == Lifecycle.IN_SERVICE
                && instance.age().compareTo(Duration.ofSeconds(group.warmup())) >= 0;
    }
}
