package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.release.Answer;
import dev.twinhost.rehearsal.release.Delivery;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.site.Association;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A change of the site that replaces no machine. */
@Command(
        name = "release",
        description = {
            "Applies the working copy as it is now to the machines, one after the other, as the association does on AWS.",
            "Says what the deploy would say, by the answer that a machine gives it. Ends with status 0 where that is success;",
            "otherwise the release before is applied again, as CloudFormation does."
        },
        mixinStandardHelpOptions = true)
final class ReleaseCommand implements Callable<Integer> {
    private static final int POLLED_MAX = 3600;

    @Option(
            names = {"-c", "--context"},
            paramLabel = "KEY=VALUE",
            description = "A setting, beside those that up was given.")
    private Map<String, String> context = Map.of();

    @Option(
            names = "--miss",
            paramLabel = "HOST",
            description = "The association does not reach this machine, as one that has come at the wrong moment.")
    private Set<String> missed = Set.of();

    @Option(
            names = "--polled",
            paramLabel = "SECONDS",
            description =
                    "Nothing is pushed: each machine asks for the association every so many seconds, at a moment of its"
                            + " own. On AWS it is 600.")
    private Integer polled;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (polled != null && (polled < 1 || polled > POLLED_MAX)) {
            throw new ParameterException(
                    spec.commandLine(), "--polled: got " + polled + ", want 1 to " + POLLED_MAX + " seconds");
        }
        Rehearsal rehearsal = Rehearse.running();
        missed.forEach(rehearsal.machines()::named);
        Delivery delivery = new Delivery(missed, Duration.ofSeconds(polled == null ? 0 : polled));
        Progress progress = new Progress(System.out);
        ReleaseRun run = rehearsal.releaseRun();
        progress.say("Synthesise the template and publish the release: npx cdk synth");
        Association association = run.publish(context);
        progress.say("Apply it to one machine after the other");
        Consumer<MachineRelease> listener = result -> progress.say("  " + text(result));
        run.apply(association, delivery, listener);
        Optional<Answer> answer = run.answer();
        Duration patience = run.patience();
        boolean success = answer.filter(Answer::success).isPresent();
        if (!success) {
            progress.say("Go back to what was deployed before");
            run.goBack(listener);
        }
        progress.say(answer.map(Answer::text)
                .orElse("The deploy would fail: no machine has answered, and after " + patience.toMinutes()
                        + " minutes it would wait no longer"));
        return success ? 0 : 1;
    }

    private static String text(MachineRelease result) {
        String took = result.took().isZero()
                ? ""
                : String.format(Locale.ROOT, " (%.1f s)", result.took().toMillis() / 1000.0);
        return result.machine().name() + ": " + result.lastLine() + took;
    }
}
