package dev.twinhost.rehearsal.scaling;

import java.time.Duration;
import java.time.Instant;

/**
 * A machine as its auto scaling group sees it.
 *
 * @param since when it came to this point of its life, in milliseconds since 1970
 */
public record Instance(String id, Lifecycle lifecycle, boolean healthy, long since) {
    static Instance pending(String id) {
        return new Instance(id, Lifecycle.PENDING, true, Instant.now().toEpochMilli());
    }

    Instance in(Lifecycle next) {
        return new Instance(id, next, healthy, Instant.now().toEpochMilli());
    }

    Instance called(boolean nowHealthy) {
        return new Instance(id, lifecycle, nowHealthy, since);
    }

    /** How long it has been there. */
    public Duration age() {
        return Duration.ofMillis(Instant.now().toEpochMilli() - since);
    }

    /** Whether its group wants to end it. */
    public boolean leaves() {
        return !lifecycle.counts();
    }
}
