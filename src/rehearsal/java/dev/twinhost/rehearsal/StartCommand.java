package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Power again. */
@Command(
        name = "start",
        description = "Switches a machine on that is off: it boots from the disk that it had.",
        mixinStandardHelpOptions = true)
final class StartCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "HOST", description = "1, 2, … or witness.")
    private String name;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Machine machine = rehearsal.machines().named(name);
        rehearsal.start(machine);
        System.out.println(
                "Machine " + name + " boots; bin/rehearse exec " + name + " twinhost status says how it does.");
        return 0;
    }
}
