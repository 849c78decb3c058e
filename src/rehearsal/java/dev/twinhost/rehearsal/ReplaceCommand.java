package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A machine that EC2 finds to be impaired. */
@Command(
        name = "replace",
        description =
                "Calls a machine unhealthy, as EC2 does, so that its auto scaling group replaces it; ends when the"
                        + " new one has signalled success and the old one is gone.",
        mixinStandardHelpOptions = true)
final class ReplaceCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "HOST", description = "1, 2, … or witness.")
    private String name;

    @Option(
            names = "--warmup",
            paramLabel = "SECONDS",
            description =
                    "From now on the group takes a new machine for ready after so many seconds, not after those of"
                            + " the template.")
    private Long warmup;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Machine old = rehearsal.machines().named(name);
        if (warmup != null) {
            rehearsal.shortenWarmup(Duration.ofSeconds(warmup));
        }
        Progress progress = new Progress(System.out);
        Machine fresh = new Replacement(rehearsal, progress).of(old);
        progress.say("Machine " + fresh.name() + " has taken the place of " + name + ".");
        return 0;
    }
}
