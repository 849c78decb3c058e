package dev.twinhost.rehearsal;

import dev.twinhost.bench.BootTimes;
import dev.twinhost.bench.Comparison;
import dev.twinhost.bench.Figures;
import dev.twinhost.bench.Goal;
import dev.twinhost.bench.Options;
import dev.twinhost.bench.Table;
import dev.twinhost.rehearsal.balancer.TargetHealth;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** How long a host of the rehearsal that is up takes from its kernel to a healthy edge, beside what it had to do meanwhile. */
@CommandLine.Command(
        name = "boot",
        description = {
            "Switches a host of the rehearsal off and on again, with everything on its disk, and prints its way to a healthy edge beside the sum of its parts.",
            "Waits for the whole site before it does it again."
        },
        mixinStandardHelpOptions = true)
public final class BootBench implements Callable<Integer> {
    private static final String WHOLE = "from kernel to healthy, seconds";
    private static final String HOST = "host";
    private static final String SUM = "sum of its parts";
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    @Spec
    private CommandLine.Model.CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "HOST",
            defaultValue = "2",
            description = "1 or 2; ${DEFAULT-VALUE} where it is left out.")
    private String name;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5", description = "How often: ${DEFAULT-VALUE}.")
    private int rounds;

    @Override
    public Integer call() {
        Options.checkRounds(spec, rounds);
        Rehearsal rehearsal = Rehearse.running();
        Machine machine = rehearsal.machines().named(name);
        Path script = Path.of(System.getProperty("twinhost.checkout", ""), "src/rehearsal/tools/boot-times.sh");
        Figures figures = new Figures();
        for (int round = 0; round < rounds; round++) {
            awaitSite(rehearsal);
            rehearsal.kill(machine);
            rehearsal.start(machine);
            BootTimes times = BootTimes.of(awaitTimes(rehearsal, machine, Folders.read(script)));
            figures.add(WHOLE, HOST, times.whole());
            figures.add(WHOLE, SUM, times.sum());
            times.parts().forEach((part, seconds) -> figures.add("its parts, seconds", part, seconds));
            System.out.println("round " + (round + 1) + " of " + rounds);
        }
        System.out.println(
                Table.of(figures, List.of(Comparison.of(WHOLE, HOST, SUM).with(Goal.atMost(1.3)))));
        System.out.println("Each round: bin/rehearse kill " + name + ", bin/rehearse start " + name
                + ", and once every target is healthy, in the machine: src/rehearsal/tools/boot-times.sh");
        return 0;
    }

    /** What the host has noted, once its edge is healthy: Docker remembers five looks, of which it takes one every 5 s. */
    private static String awaitTimes(Rehearsal rehearsal, Machine machine, String script) {
        Command look = rehearsal.inside(machine, List.of("bash", "-c", script));
        AtomicReference<Command.Result> last = new AtomicReference<>();
        Await.that("a healthy edge on machine " + machine.name(), LIMIT, PAUSE, () -> {
            last.set(look.result());
            return last.get().status() == 0;
        });
        return last.get().output();
    }

    /** Every target group calls every host healthy. */
    private static void awaitSite(Rehearsal rehearsal) {
        Await.that(
                "a healthy site",
                LIMIT,
                PAUSE,
                () -> rehearsal.site().balancer().targetGroups().stream()
                        .allMatch(group -> rehearsal.health(group).stream().allMatch(TargetHealth::healthy)));
    }
}
