package dev.twinhost.rehearsal;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The end of every cut. */
@Command(
        name = "mend",
        description = "Undoes what was cut, the storage too: of one machine, or everything.",
        mixinStandardHelpOptions = true)
final class MendCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "HOST",
            description = "1, 2, … or witness; all of them where it is left out.")
    private String name;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        if (name == null) {
            rehearsal.mend();
            System.out.println("All is mended: no machine is cut off from anything.");
        } else {
            rehearsal.mend(rehearsal.machines().named(name));
            System.out.println("All is mended: machine " + name + " is cut off from nothing.");
        }
        return 0;
    }
}
