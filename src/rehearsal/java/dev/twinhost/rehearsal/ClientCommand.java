package dev.twinhost.rehearsal;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** A visitor. */
@Command(
        name = "client",
        description = "Runs a command of this machine with the network, DNS and trusted CA of a visitor.",
        mixinStandardHelpOptions = true)
final class ClientCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CMD", arity = "1..*", description = "The command and its arguments.")
    private List<String> words;

    @Override
    public Integer call() {
        return Rehearse.running().asVisitor(words).attached();
    }
}
