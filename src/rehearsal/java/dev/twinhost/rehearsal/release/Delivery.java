package dev.twinhost.rehearsal.release;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;
import java.util.Set;

/**
 * How a changed association comes to the machines. Systems Manager pushes it, to one after the other. A machine that comes
 * while that is under way may be left out: it is "ignored during the current association execution interval" (<a
 * href="https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-manager-targets-and-rate-controls.html">documentation</a>),
 * and of an association without a schedule there is no next one. Where the push is lost, the agent of each machine asks
 * every ten minutes ({@code DefaultSsmAssociationFrequencyMinutes} of amazon-ssm-agent), each at moments of its own.
 *
 * @param missed names of the machines that it does not reach
 * @param interval between two questions of a machine; zero: it is pushed
 */
public record Delivery(Set<String> missed, Duration interval) {
    public static final Delivery PUSHED = new Delivery(Set.of(), Duration.ZERO);

    public boolean reaches(Machine machine) {
        return !missed.contains(machine.name());
    }

    /** When the machine at this place, counted from 0, of so many asks for the first time after the change. */
    public Duration firstQuestion(int place, int machines) {
        return interval.multipliedBy(place + 1).dividedBy(machines);
    }
}
