package dev.twinhost.rehearsal.site;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An auto scaling group.
 *
 * @param id its logical id, which machines signal to
 * @param size how many machines it wants
 * @param smallest how few it may want, {@code largest} how many
 * @param after logical ids of the groups whose signals CloudFormation awaits before it makes this one
 * @param signalTimeout how long CloudFormation waits for the signals of its machines
 * @param gracePeriod how long after a machine's start the group does not ask for its health
 * @param goodbye what a machine that is to end gets, if anything
 * @param maintenance how a machine is replaced; without it, it ends while its replacement starts
 * @param update how CloudFormation replaces its machines; without it, it never does
 */
public record MachineGroup(
        String id,
        String name,
        int size,
        int smallest,
        int largest,
        int signals,
        Duration signalTimeout,
        Duration gracePeriod,
        Optional<TerminationHook> goodbye,
        Optional<MaintenancePolicy> maintenance,
        Optional<RollingUpdate> update,
        Map<String, String> tags,
        List<Subnet> subnets,
        List<String> targetGroupArns,
        LaunchTemplate launchTemplate,
        List<String> after) {
    public boolean serves() {
        return !targetGroupArns.isEmpty();
    }
}
