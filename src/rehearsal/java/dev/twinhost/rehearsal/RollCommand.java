package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** A deploy that replaces machines. */
@Command(
        name = "roll",
        description =
                "Replaces all machines, as CloudFormation does after a change of their launch templates; ends when"
                        + " the last old one is gone.",
        mixinStandardHelpOptions = true)
final class RollCommand implements Callable<Integer> {
    @Parameters(paramLabel = "GROUP", arity = "0..*", description = "Only these groups: Hosts, Witness.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Progress progress = new Progress(System.out);
        rehearsal.roll(progress, groups(rehearsal));
        progress.say("Every machine is a new one.");
        return 0;
    }

    private List<MachineGroup> groups(Rehearsal rehearsal) {
        List<MachineGroup> all = rehearsal.site().machineGroups();
        if (names.isEmpty()) {
            return all;
        }
        List<MachineGroup> chosen = new ArrayList<>();
        for (String name : names) {
            chosen.add(all.stream()
                    .filter(group -> group.id().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new Failure("There is no group " + name + "; there are: "
                            + all.stream().map(MachineGroup::id).collect(Collectors.joining(", ")))));
        }
        return chosen;
    }
}
