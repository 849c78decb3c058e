package dev.twinhost.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.MachineScript;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.scaling.Signals;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.WaitedInVain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Watches machines on their way up. Whoever fails ends the wait at once with the last lines of that machine's log. */
final class BootWatch implements Signals {
    private static final int LAST_LINES = 15;
    private static final List<String> LOGS = List.of("/var/log/twinhost.log", "/var/log/cloud-init-output.log");

    private final Rehearsal rehearsal;

    BootWatch(Rehearsal rehearsal) {
        this.rehearsal = rehearsal;
    }

    void await(String what, Duration limit, Collection<Machine> machines, BooleanSupplier condition) {
        try {
            Await.that(what, limit, () -> {
                machines.forEach(this::refuseFailed);
                return condition.getAsBoolean();
            });
        } catch (WaitedInVain e) {
            throw new Failure(
                    e.getMessage() + machines.stream().map(this::lastLines).collect(Collectors.joining()));
        }
    }

    @Override
    public void await(Machine machine, Duration limit) {
        awaitSignal(machine, limit, List.of(machine));
    }

    void awaitSignal(Machine machine, Duration limit, Collection<Machine> watched) {
        await("the signal of " + machine.described(), limit, watched, () -> succeeded(machine));
    }

    boolean succeeded(Machine machine) {
        return rehearsal.signal(machine).equals(Optional.of(Signal.SUCCESS));
    }

    private void refuseFailed(Machine machine) {
        Optional<String> denial = rehearsal.machines().denial(machine);
        if (denial.isPresent()) {
            throw new Failure(
                    machine.described() + " was denied a call of AWS: " + denial.get() + "." + lastLines(machine));
        }
        Optional<Signal> signal = rehearsal.signal(machine);
        if (signal.equals(Optional.of(Signal.FAILURE))) {
            throw new Failure(machine.described() + " has signalled failure." + lastLines(machine));
        }
        if (!rehearsal.script(machine).running()) {
            throw new Failure(machine.described() + " does not run any more." + lastLines(machine));
        }
        if (signal.isEmpty()) {
            List<String> errors = cloudInitErrors(rehearsal.script(machine));
            if (!errors.isEmpty()) {
                throw new Failure("The user-data of " + machine.described() + " has failed: "
                        + String.join(", ", errors) + "." + lastLines(machine));
            }
        }
    }

    /** What cloud-init itself says about user-data that ended badly; nothing while it is still at work. */
    private static List<String> cloudInitErrors(MachineScript machine) {
        List<String> errors = new ArrayList<>();
        try {
            Path result = machine.file("run/cloud-init/result.json");
            if (Files.exists(result)) {
                JsonNode found = new ObjectMapper().readTree(result.toFile());
                found.path("v1").path("errors").forEach(error -> errors.add(error.asText()));
            }
        } catch (IOException | UncheckedIOException stillBeingWrittenOrOff) {
            return List.of();
        }
        return errors;
    }

    private String lastLines(Machine machine) {
        MachineScript script = rehearsal.script(machine);
        Path log = LOGS.stream()
                .map(script::diskFile)
                .filter(Files::exists)
                .findFirst()
                .orElse(script.console());
        List<String> lines = Files.exists(log) ? Folders.read(log).lines().toList() : List.of();
        return "\nThe last lines of " + log.getFileName() + " of " + machine.described() + ":\n"
                + lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()).stream()
                        .map(line -> "    " + line + "\n")
                        .collect(Collectors.joining());
    }
}
