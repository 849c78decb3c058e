package dev.twinhost.rehearsal.release;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;

/**
 * What became of a release on one machine.
 *
 * @param output everything that the machine said; empty where it was not asked
 */
public record MachineRelease(Machine machine, Outcome outcome, String output, Duration took) {
    /** A machine that is off, or that the association does not reach, is passed over; none is asked after one that has failed. */
    public enum Outcome {
        SUCCEEDED,
        FAILED,
        OFF,
        MISSED,
        NOT_ASKED
    }

    public boolean succeeded() {
        return outcome == Outcome.SUCCEEDED;
    }

    /** Its last words. */
    public String lastLine() {
        return switch (outcome) {
            case OFF -> "is off";
            case MISSED -> "has missed the association";
            case NOT_ASKED -> "was not asked, because another one has failed";
            default -> output.strip().lines().reduce("", (before, line) -> line);
        };
    }
}
