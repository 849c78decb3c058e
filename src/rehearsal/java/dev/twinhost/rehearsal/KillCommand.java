package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** A power cut. */
@Command(
        name = "kill",
        description = "Cuts the power of a machine. Its disk stays; its auto scaling group is not told.",
        mixinStandardHelpOptions = true)
final class KillCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "HOST", description = "1, 2, … or witness.")
    private String name;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Machine machine = rehearsal.machines().named(name);
        rehearsal.kill(machine);
        System.out.println("Machine " + name + " is off. Switch it on again with bin/rehearse start " + name
                + ", or have another one take its place with bin/rehearse replace " + name + ".");
        return 0;
    }
}
