package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;

/** What new machines tell CloudFormation. */
public interface Signals {
    /** Returns when it has signalled success; fails when it says otherwise, cannot any more, or the limit is over. */
    void await(Machine machine, Duration limit);
}
