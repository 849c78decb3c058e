package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.site.Association;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A change of the site that replaces no machine. */
@Command(
        name = "release",
        description = {
            "Applies the working copy as it is now to the machines, one after the other, as the association does on AWS.",
            "Ends with status 0 when every machine has succeeded."
        },
        mixinStandardHelpOptions = true)
final class ReleaseCommand implements Callable<Integer> {
    @Option(
            names = {"-c", "--context"},
            paramLabel = "KEY=VALUE",
            description = "A setting, beside those that up was given.")
    private Map<String, String> context = Map.of();

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Progress progress = new Progress(System.out);
        ReleaseRun run = rehearsal.releaseRun();
        progress.say("Synthesise the template and publish the release: npx cdk synth");
        Association association = run.publish(context);
        progress.say("Apply it to one machine after the other");
        List<MachineRelease> results = run.apply(association, result -> progress.say("  " + text(result)));
        return results.stream().allMatch(MachineRelease::succeeded) ? 0 : 1;
    }

    private static String text(MachineRelease result) {
        String took = result.took().isZero()
                ? ""
                : String.format(Locale.ROOT, " (%.1f s)", result.took().toMillis() / 1000.0);
        return result.machine().name() + ": " + result.lastLine() + took;
    }
}
