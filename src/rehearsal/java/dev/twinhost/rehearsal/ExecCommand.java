package dev.twinhost.rehearsal;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Somebody who is logged in on a machine. */
@Command(
        name = "exec",
        description = "Runs a command as root inside a machine: 1, 2, … or witness.",
        mixinStandardHelpOptions = true)
final class ExecCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "HOST", description = "1, 2, … or witness.")
    private String machine;

    @Parameters(index = "1..*", paramLabel = "CMD", arity = "1..*", description = "The command and its arguments.")
    private List<String> words;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        return rehearsal.inside(rehearsal.machines().named(machine), words).attached();
    }
}
