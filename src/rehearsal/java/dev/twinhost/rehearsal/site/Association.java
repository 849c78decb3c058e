package dev.twinhost.rehearsal.site;

import java.time.Duration;

/**
 * What Systems Manager starts on every machine of the site, on one after the other, and on no further one once it has
 * failed.
 *
 * @param script as the agent on a machine would give it to a shell
 */
public record Association(String script, Duration limit) {}
