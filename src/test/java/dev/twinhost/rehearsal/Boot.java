package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A machine's way from its boot to what was waited for.
 *
 * @param waited how long nothing in it went on because the machine that rehearses was busy with others, as Linux counts it for
 *     the cgroup that a machine has from its boot on, by <a href="https://docs.kernel.org/accounting/psi.html">pressure stall
 *     information</a>: on hardware of its own it would not have waited
 */
record Boot(Duration took, Duration waited) {
    private static final Pattern STALLED = Pattern.compile("(?m)^full .*total=(\\d+)$");

    /** Until now. */
    static Boot of(Duration uptime, Path cgroup) {
        Duration waited = List.of("cpu.pressure", "io.pressure").stream()
                .map(cgroup::resolve)
                .map(Boot::stalled)
                .reduce(Duration.ZERO, Duration::plus);
        return new Boot(uptime, waited);
    }

    /** What it needs on hardware of its own. */
    Duration own() {
        return took.minus(waited);
    }

    @Override
    public String toString() {
        return "%d s after its boot, %d of them waiting for this machine"
                .formatted(took.toSeconds(), waited.toSeconds());
    }

    private static Duration stalled(Path pressure) {
        if (!Files.exists(pressure)) {
            return Duration.ZERO; // a kernel that does not count it
        }
        Matcher stalled = STALLED.matcher(Folders.read(pressure));
        if (!stalled.find()) {
            throw new AssertionError(pressure + " tells no time: " + Folders.read(pressure));
        }
        return Duration.of(Long.parseLong(stalled.group(1)), ChronoUnit.MICROS);
    }
}
