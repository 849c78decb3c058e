package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A deploy that replaces machines. */
@Command(
        name = "roll",
        description =
                "Replaces all machines, as CloudFormation does after a change of their launch templates; ends when"
                        + " the last old one is gone. Where a new machine fails, what was before comes back.",
        mixinStandardHelpOptions = true)
final class RollCommand implements Callable<Integer> {
    @Parameters(paramLabel = "GROUP", arity = "0..*", description = "Only these groups: Hosts, Witness.")
    private List<String> names = List.of();

    @Option(
            names = "--launcher",
            paramLabel = "FILE",
            description = "What the new machines run at their first boot in the place of the template's"
                    + " src/main/resources/dev/twinhost/user-data.sh, after the same variables.")
    private Path launcher;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Optional<String> changed = Optional.ofNullable(launcher).map(this::readLauncher);
        Rehearsal rehearsal = Rehearse.running();
        Progress progress = new Progress(System.out);
        rehearsal.roll(progress, groups(rehearsal), changed);
        progress.say("Every machine is a new one.");
        return 0;
    }

    private String readLauncher(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new ParameterException(
                    spec.commandLine(), "--launcher: cannot be read, got " + file + ", want a script");
        }
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
