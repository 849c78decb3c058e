package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.registry.ImageSource;
import dev.twinhost.rehearsal.registry.Reference;
import dev.twinhost.rehearsal.system.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description =
                    "What the site's appImage is: a file that docker save has written, or an OCI archive or folder.")
    private Path image;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (disk != null && disk < SMALLEST_DISK) {
            throw new ParameterException(
                    spec.commandLine(), "--disk: got " + disk + ", want " + SMALLEST_DISK + " or more MiB");
        }
        Optional<ImageSource> own = Optional.ofNullable(image).map(file -> PushCommand.image(spec, "--image", file));
        Rehearsal rehearsal = Rehearse.rehearsal();
        Progress progress = new Progress(System.out);
        rehearsal.claim();
        try {
            rehearsal.cgroup().enter();
            prepare(rehearsal, own, progress);
        } catch (RuntimeException e) {
            rehearsal.abandon();
            throw e;
        }
        try {
            start(rehearsal, own, progress);
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

    private void prepare(Rehearsal rehearsal, Optional<ImageSource> own, Progress progress) {
        List<String> pairs = new ArrayList<>();
        context.forEach((key, value) -> pairs.add(key + "=" + value));
        progress.step("Synthesise the template: npx cdk synth", () -> rehearsal.synthesise(pairs));
        checkImage(rehearsal.site().release().appImage(), own);
        if (disk != null) {
            rehearsal.limitDisks(disk);
        }
        progress.say("  " + rehearsal.site().summary());
        progress.step("Root file systems of the machines", rehearsal::buildRootFileSystems);
    }

    /** A machine would find out minutes later. */
    private static void checkImage(Optional<Reference> appImage, Optional<ImageSource> own) {
        if (own.isPresent() && appImage.isEmpty()) {
            throw new Failure("--image " + own.get().file()
                    + ": the site has no appImage, so that nothing would run it; add -c"
                    + " appImage=example/shop:1 or its like");
        }
        boolean missing = own.isEmpty()
                && appImage.filter(image -> !image.names(Reference.OWN)).isPresent();
        if (missing) {
            throw new Failure("appImage " + appImage.get()
                    + ": the rehearsal's registry does not have it; give it with --image FILE, which docker save "
                    + appImage.get() + " -o FILE writes, or rehearse a bare Nginx in its place with -c appImage="
                    + Reference.OWN + " -c appPort=80");
        }
    }

    private static void start(Rehearsal rehearsal, Optional<ImageSource> own, Progress progress) {
        progress.step("Network: VPC, balancer, internet", rehearsal::makeNetwork);
        progress.step("DNS, balancer, CA, registry and the stand-in for AWS", rehearsal::startSurroundings);
        own.ifPresent(image -> {
            Reference wanted = rehearsal.site().release().appImage().orElseThrow();
            progress.step(
                    "Push " + image.file() + " as " + wanted,
                    () -> rehearsal.registry().push(image, wanted));
        });
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
