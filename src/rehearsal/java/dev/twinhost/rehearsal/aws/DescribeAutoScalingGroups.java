package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.scaling.Group;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** EC2 Auto Scaling: the groups as they are now, all of them, some by name, or those whose tags match every filter. */
final class DescribeAutoScalingGroups implements Action {
    private static final String TAG = "tag:";

    private final Site site;
    private final Machines machines;
    private final Groups groups;

    DescribeAutoScalingGroups(Site site, Machines machines, Groups groups) {
        this.site = site;
        this.machines = machines;
        this.groups = groups;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        List<String> names = members(parameters, "AutoScalingGroupNames.member");
        return Scaling.answer(
                "DescribeAutoScalingGroups",
                "<AutoScalingGroups>"
                        + site.machineGroups().stream()
                                .filter(group -> names.isEmpty() || names.contains(group.name()))
                                .filter(group -> matches(group, parameters))
                                .flatMap(group ->
                                        groups.find(group.id()).stream().map(now -> member(group, now)))
                                .collect(Collectors.joining())
                        + "</AutoScalingGroups>");
    }

    private static boolean matches(MachineGroup group, Map<String, String> parameters) {
        for (int i = 1; parameters.containsKey("Filters.member." + i + ".Name"); i++) {
            String name = parameters.get("Filters.member." + i + ".Name");
            if (!name.startsWith(TAG)) {
                throw Scaling.invalid("The rehearsal cannot play the filter " + name + "; it plays tag:KEY");
            }
            List<String> values = members(parameters, "Filters.member." + i + ".Values.member");
            if (!values.contains(group.tags().get(name.substring(TAG.length())))) {
                return false;
            }
        }
        return true;
    }

    private static List<String> members(Map<String, String> parameters, String prefix) {
        return parameters.entrySet().stream()
                .filter(parameter -> parameter.getKey().startsWith(prefix + "."))
                .map(Map.Entry::getValue)
                .toList();
    }

    private String member(MachineGroup group, Group now) {
        return "<member>" + Xml.element("AutoScalingGroupName", group.name())
                + Xml.element("MinSize", String.valueOf(now.smallest()))
                + Xml.element("MaxSize", String.valueOf(now.largest()))
                + Xml.element("DesiredCapacity", String.valueOf(now.desired()))
                + Xml.element("HealthCheckType", "EC2")
                + Xml.element(
                        "HealthCheckGracePeriod",
                        String.valueOf(group.gracePeriod().toSeconds()))
                + list("AvailabilityZones", group.subnets(), subnet -> Xml.text(subnet.zone()))
                + list("TargetGroupARNs", group.targetGroupArns(), Xml::text)
                + list("Instances", now.instances(), instance -> instance(group, instance))
                + list("SuspendedProcesses", now.suspended(), process -> Xml.element("ProcessName", process))
                + list("Tags", group.tags().entrySet(), tag -> tag(group, tag))
                + "</member>";
    }

    private String instance(MachineGroup group, Instance instance) {
        Optional<Machine> machine = machines.withId(instance.id());
        return Xml.element("InstanceId", instance.id())
                + Xml.element("InstanceType", group.launchTemplate().instanceType())
                + machine.map(found -> Xml.element("AvailabilityZone", found.zone()))
                        .orElse("")
                + Xml.element("LifecycleState", instance.lifecycle().word())
                + Xml.element("HealthStatus", instance.healthy() ? "Healthy" : "Unhealthy")
                + Xml.element("ProtectedFromScaleIn", "false");
    }

    private static String tag(MachineGroup group, Map.Entry<String, String> tag) {
        return Xml.element("ResourceId", group.name())
                + Xml.element("ResourceType", "auto-scaling-group")
                + Xml.element("Key", tag.getKey())
                + Xml.element("Value", tag.getValue())
                + Xml.element("PropagateAtLaunch", "true");
    }

    private static <T> String list(String name, Collection<T> elements, Function<T, String> body) {
        return "<" + name + ">"
                + elements.stream()
                        .map(element -> "<member>" + body.apply(element) + "</member>")
                        .collect(Collectors.joining())
                + "</" + name + ">";
    }
}
