package dev.twinhost.rehearsal.load;

import java.time.Duration;
import java.time.Instant;

/**
 * One request of a load.
 *
 * @param took until the answer was complete, or until it failed
 * @param late by how much it began later than it should have: the load's own fault, not the site's
 * @param host instance id of the target to which the balancer gave it; empty where it came to none
 * @param container which container answered, as the default page tells; empty where none did
 * @param error what failed and why, as in {@code handshake: not within 5 s}; empty where nothing did
 */
public record Request(Instant start, Duration took, Duration late, String host, String container, String error) {
    public boolean failed() {
        return !error.isEmpty();
    }
}
