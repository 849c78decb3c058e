package dev.twinhost.rehearsal.site;

import java.time.Duration;
import java.util.List;

/**
 * An auto scaling group.
 *
 * @param id its logical id, which machines signal to
 * @param after logical ids of the groups whose signals CloudFormation awaits before it makes this one
 * @param signalTimeout how long CloudFormation waits for the signals of its machines
 */
public record MachineGroup(
        String id,
        String name,
        int size,
        int signals,
        Duration signalTimeout,
        List<Subnet> subnets,
        List<String> targetGroupArns,
        LaunchTemplate launchTemplate,
        List<String> after) {
    public boolean serves() {
        return !targetGroupArns.isEmpty();
    }
}
