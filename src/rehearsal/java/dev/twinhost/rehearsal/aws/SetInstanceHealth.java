package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import java.util.Map;

/** EC2 Auto Scaling: somebody says how a machine does. Within the grace period it counts only if it is said so. */
final class SetInstanceHealth implements Action {
    private final Site site;
    private final Machines machines;
    private final Groups groups;

    SetInstanceHealth(Site site, Machines machines, Groups groups) {
        this.site = site;
        this.machines = machines;
        this.groups = groups;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String id = parameters.getOrDefault("InstanceId", "");
        String status = parameters.getOrDefault("HealthStatus", "");
        if (!status.equals("Healthy") && !status.equals("Unhealthy")) {
            throw Scaling.invalid("Valid instance health states are: [Healthy, Unhealthy].");
        }
        Machine machine = machines.withId(id).orElseThrow(() -> unknown(id));
        MachineGroup group = site.machineGroup(machine.group());
        Instance instance =
                groups.find(group.id()).flatMap(now -> now.instance(id)).orElseThrow(() -> unknown(id));
        boolean respects =
                !parameters.getOrDefault("ShouldRespectGracePeriod", "true").equals("false");
        if (!respects || instance.age().compareTo(group.gracePeriod()) >= 0) {
            groups.change(group.id(), now -> now.marking(id, status.equals("Healthy")));
        }
        return Scaling.answer("SetInstanceHealth", "");
    }

    private static AwsError unknown(String id) {
        return Scaling.invalid("Instance Id not found - No managed instance found for instance ID: " + id);
    }
}
