package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.TerminationHook;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * EC2 Auto Scaling: what a termination hook held up goes on. There is nothing to complete before the machine waits for
 * it, while it is still being deregistered from its target groups.
 */
final class CompleteLifecycleAction implements Action {
    private final Site site;
    private final Groups groups;

    CompleteLifecycleAction(Site site, Groups groups) {
        this.site = site;
        this.groups = groups;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        if (parameters.containsKey("LifecycleActionToken")) {
            throw Scaling.invalid("The rehearsal cannot play LifecycleActionToken; it plays InstanceId");
        }
        String result = parameters.getOrDefault("LifecycleActionResult", "");
        if (!result.equals("CONTINUE") && !result.equals("ABANDON")) {
            throw Scaling.invalid("Valid lifecycle action results are: [CONTINUE, ABANDON].");
        }
        String name = parameters.getOrDefault("AutoScalingGroupName", "");
        MachineGroup group = site.machineGroups().stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Scaling.invalid("AutoScalingGroup name not found - no such group: " + name));
        String id = parameters.getOrDefault("InstanceId", "");
        String hook = parameters.getOrDefault("LifecycleHookName", "");
        if (!group.goodbye().map(TerminationHook::name).filter(hook::equals).isPresent() || !complete(group, id)) {
            throw Scaling.invalid("No active Lifecycle Action found with instance ID " + id);
        }
        return Scaling.answer("CompleteLifecycleAction", "");
    }

    private boolean complete(MachineGroup group, String id) {
        AtomicBoolean waited = new AtomicBoolean();
        if (groups.find(group.id()).isPresent()) {
            groups.change(group.id(), now -> {
                waited.set(now.waits(id));
                return now.proceeding(id);
            });
        }
        return waited.get();
    }
}
