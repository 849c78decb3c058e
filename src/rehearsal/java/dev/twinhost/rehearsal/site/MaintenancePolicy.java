package dev.twinhost.rehearsal.site;

import java.time.Duration;

/**
 * An instance maintenance policy: between which percentages of the wanted size a group stays while it replaces machines.
 *
 * @param warmup how long after its start a machine does not count as ready
 */
public record MaintenancePolicy(int minHealthyPercentage, int maxHealthyPercentage, Duration warmup) {
    /** How many healthy machines have to be ready before one is ended. */
    public int least(int size) {
        return percent(minHealthyPercentage, size);
    }

    /** How many machines there may be while one is replaced. */
    public int most(int size) {
        return percent(maxHealthyPercentage, size);
    }

    private static int percent(int percentage, int size) {
        return (percentage * size + 99) / 100;
    }
}
