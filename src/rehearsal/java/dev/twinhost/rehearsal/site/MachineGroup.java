package dev.twinhost.rehearsal.site;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An auto scaling group.
 *
 * @param id its logical id, which machines signal to
 * @param desired how many machines it wants; where the template does not say so, as few as it may at first, and later what
 *     it wanted before (<a
 *     href="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html">documentation</a>)
 * @param smallest how few it may want, {@code largest} how many
 * @param after logical ids of the groups whose signals CloudFormation awaits before it makes this one
 * @param signalTimeout how long CloudFormation waits for the signals of its machines
 * @param gracePeriod how long after a machine's start the group does not ask for its health
 * @param goodbye what a machine that is to end gets, if anything
 * @param maintenance how a machine is replaced; without it, it ends while its replacement starts
 * @param termination which machine of a surplus ends first
 * @param update how CloudFormation replaces its machines; without it, it never does
 */
public record MachineGroup(
        String id,
        String name,
        Optional<Integer> desired,
        int smallest,
        int largest,
        int signals,
        Duration signalTimeout,
        Duration gracePeriod,
        Optional<TerminationHook> goodbye,
        Optional<MaintenancePolicy> maintenance,
        Termination termination,
        Optional<RollingUpdate> update,
        Map<String, String> tags,
        List<Subnet> subnets,
        List<String> targetGroupArns,
        LaunchTemplate launchTemplate,
        List<String> after) {
    /**
     * Which machine of the fullest zone ends first. By default it is one with the oldest launch template and, among those,
     * one that EC2 Auto Scaling picks: here the oldest.
     */
    public enum Termination {
        OLDEST,
        NEWEST
    }

    /** How many machines it has at first. */
    public int size() {
        return desired.orElse(smallest);
    }

    public boolean serves() {
        return !targetGroupArns.isEmpty();
    }
}
