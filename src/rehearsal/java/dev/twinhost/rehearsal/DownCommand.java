package dev.twinhost.rehearsal;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The end. */
@Command(
        name = "down",
        description = "Ends everything of this rehearsal, whatever state it is in; only the root file systems stay.",
        mixinStandardHelpOptions = true)
final class DownCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.rehearsal();
        boolean existed = rehearsal.exists();
        rehearsal.end();
        System.out.println(existed ? "Nothing of the rehearsal is left." : "There was nothing to end.");
        return 0;
    }
}
