package dev.twinhost.rehearsal.site;

import java.time.Duration;

/** A lifecycle hook that holds up the end of a machine until somebody completes it, or until its time is over. */
public record TerminationHook(String name, Duration timeout) {}
