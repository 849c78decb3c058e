package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Everything from the working copy to two hosts that serve the certificate. */
@Command(
        name = "up",
        description =
                "Starts the site; ends when every host serves the certificate of the rehearsal's CA for every name.",
        mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
    /** The images and what a machine writes in its first days. */
    private static final int SMALLEST_DISK = 1000;

    @Option(
            names = {"-c", "--context"},
            paramLabel = "KEY=VALUE",
            description = "A setting, as for cdk synth.")
    private Map<String, String> context = Map.of();

    @Option(
            names = "--disk",
            paramLabel = "MIB",
            description = "Gives each machine a disk of this size, at least 1000, that can be filled; else it is this"
                    + " machine's own.")
    private Integer disk;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (disk != null && disk < SMALLEST_DISK) {
            throw new ParameterException(
                    spec.commandLine(), "--disk: got " + disk + ", want " + SMALLEST_DISK + " or more MiB");
        }
        Rehearsal rehearsal = Rehearse.rehearsal();
        Progress progress = new Progress(System.out);
        rehearsal.claim();
        try {
            rehearsal.cgroup().enter();
            prepare(rehearsal, progress);
        } catch (RuntimeException e) {
            rehearsal.abandon();
            throw e;
        }
        try {
            start(rehearsal, progress);
        } catch (Failure e) {
            throw new Failure(
                    e.getMessage().stripTrailing()
                            + "\nEverything is left as it is now. Look at it with bin/rehearse status and"
                            + " bin/rehearse exec HOST bash, end it with bin/rehearse down.",
                    e);
        }
        rehearsal.markComplete();
        report(rehearsal, progress);
        return 0;
    }

    private void prepare(Rehearsal rehearsal, Progress progress) {
        List<String> pairs = new ArrayList<>();
        context.forEach((key, value) -> pairs.add(key + "=" + value));
        progress.step("Synthesise the template: npx cdk synth", () -> rehearsal.synthesise(pairs));
        if (disk != null) {
            rehearsal.limitDisks(disk);
        }
        progress.say("  " + rehearsal.site().summary());
        progress.step("Root file systems of the machines", rehearsal::buildRootFileSystems);
    }

    private static void start(Rehearsal rehearsal, Progress progress) {
        progress.step("Network: VPC, balancer, internet", rehearsal::makeNetwork);
        progress.step("DNS, balancer, CA and the stand-in for AWS", rehearsal::startSurroundings);
        Startup startup = new Startup(rehearsal, progress);
        startup.launchAll();
        progress.step("Auto scaling", rehearsal::startAutoScaling);
        startup.awaitAnswer();
        startup.awaitCertificates();
    }

    private static void report(Rehearsal rehearsal, Progress progress) {
        String machines = rehearsal.machines().all().stream()
                .map(machine -> machine.name() + " at " + machine.address())
                .collect(Collectors.joining(", "));
        progress.say("The site is up on " + machines + ". Type next:");
        String www = rehearsal.site().mainName();
        say("client curl -i https://" + www + "/", "what a visitor sees");
        say("status", "machines, targets, certificate");
        say("exec 1 twinhost status", "what host 1 says itself; exec 1 bash for a look around");
        say("down", "end it; only the cache for the next start stays");
    }

    private static void say(String command, String meaning) {
        System.out.printf("  sudo bin/rehearse %-45s %s%n", command, meaning);
    }
}
