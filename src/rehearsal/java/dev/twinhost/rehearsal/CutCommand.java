package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Failure;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A network, or a storage, that fails. */
@Command(
        name = "cut",
        description = {
            "Cuts a machine off from the other machines, or from one of them; its ways to AWS, the storage, the balancer"
                    + " and the internet stay.",
            "cut HOST storage: the shared storage hangs for this machine alone."
        },
        mixinStandardHelpOptions = true)
final class CutCommand implements Callable<Integer> {
    private static final String STORAGE = "storage";

    @Parameters(index = "0", paramLabel = "HOST", description = "1, 2, … or witness.")
    private String name;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "OTHER",
            description = "1, 2, …, witness or storage; all other machines where it is left out.")
    private String other;

    @Option(names = "--one-way", description = "Only what HOST sends to OTHER is lost.")
    private boolean oneWay;

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Machine machine = rehearsal.machines().named(name);
        System.out.println(cut(rehearsal, machine) + "; undo it with bin/rehearse mend " + name);
        return 0;
    }

    private String cut(Rehearsal rehearsal, Machine machine) {
        if (other == null) {
            if (oneWay) {
                rehearsal.mute(machine);
                return "Nothing that " + name + " sends reaches another machine";
            }
            rehearsal.isolate(machine);
            return "Nothing passes between " + name + " and the other machines";
        }
        if (other.equals(STORAGE)) {
            if (oneWay) {
                throw new Failure("--one-way: the storage hangs both ways; leave it out");
            }
            rehearsal.stall(machine);
            return "The shared storage hangs for " + name;
        }
        Machine peer = rehearsal.machines().named(other);
        if (peer.equals(machine)) {
            throw new Failure(name + " cannot be cut off from itself; name another machine");
        }
        if (oneWay) {
            rehearsal.cut(machine, peer);
            return "Nothing that " + name + " sends reaches " + other;
        }
        rehearsal.cutBoth(machine, peer);
        return "Nothing passes between " + name + " and " + other;
    }
}
