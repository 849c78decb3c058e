package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import java.util.Collection;
import java.util.Optional;

/** What EC2 and the balancer do for an auto scaling group. */
public interface Fleet {
    Optional<Machine> machine(String instanceId);

    /** A new machine of this group, not yet on, in the subnet that has the fewest of it, without those that pass. */
    Machine launch(MachineGroup group, Collection<String> passing);

    /** Switches a new machine on and makes it a target of its groups. */
    void boot(Machine machine);

    /** Switches one on that was on before, from the same disk. */
    void start(Machine machine);

    boolean running(Machine machine);

    /** Whether its system ended by itself, to be started again. */
    boolean rebooted(Machine machine);

    /** Whether its system ended by itself, for good. */
    boolean poweredOff(Machine machine);

    /** No new connections for it. */
    void drain(Machine machine);

    /** It is no target any more. */
    void deregister(Machine machine);

    /** Asks its system to power off. */
    void shutDown(Machine machine);

    /** Ends it for good: power, disk, network, and what is known of it. */
    void remove(Machine machine);
}
