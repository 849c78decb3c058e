package dev.twinhost.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.MachineScript;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.site.MachineGroup;
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
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * The machines' way to a site that serves, in the order of CloudFormation: a group that depends on another is made when
 * the other's machines have signalled, so that an order that would lock a real stack up locks this one up, too. Whoever
 * fails on the way ends the start at once with the last lines of that machine's log.
 */
final class Startup {
    private static final Duration CERTIFICATE_LIMIT = Duration.ofMinutes(4);
    private static final int LAST_LINES = 15;
    private static final List<String> LOGS = List.of("/var/log/twinhost.log", "/var/log/cloud-init-output.log");

    private final Rehearsal rehearsal;
    private final Progress progress;
    private final List<Machine> launched = new ArrayList<>();

    Startup(Rehearsal rehearsal, Progress progress) {
        this.rehearsal = rehearsal;
        this.progress = progress;
    }

    /** Launches every group and waits for its signals. */
    void launchAll() {
        List<MachineGroup> waiting = new ArrayList<>(rehearsal.site().machineGroups());
        Set<String> complete = new HashSet<>();
        while (!waiting.isEmpty()) {
            List<MachineGroup> next = waiting.stream()
                    .filter(group -> complete.containsAll(group.after()))
                    .toList();
            if (next.isEmpty()) {
                throw new Failure("These groups wait for each other: " + names(waiting));
            }
            progress.step("Boot " + names(next), () -> launched.addAll(rehearsal.launch(next)));
            for (MachineGroup group : next) {
                awaitSignals(group);
                complete.add(group.id());
            }
            waiting.removeAll(next);
        }
    }

    /** Waits until every host that visitors are sent to serves a certificate of the CA for every name of the site. */
    void awaitCertificates() {
        List<Machine> hosts = launched.stream()
                .filter(machine ->
                        rehearsal.site().machineGroup(machine.group()).serves())
                .toList();
        List<String> names = rehearsal.site().names();
        progress.step("Wait for the certificate of " + String.join(" and ", names) + " on every host", () -> {
            for (Machine host : hosts) {
                for (String name : names) {
                    await(
                            "host " + host.name() + " to serve a certificate of the CA for " + name,
                            CERTIFICATE_LIMIT,
                            () -> new ServedCertificate(rehearsal, host, name).trusted());
                }
            }
        });
    }

    private void awaitSignals(MachineGroup group) {
        List<Machine> expected = launched.stream()
                .filter(machine -> machine.group().equals(group.id()))
                .limit(group.signals())
                .toList();
        progress.step("Wait for the signals of " + names(List.of(group)), () -> {
            for (Machine machine : expected) {
                await(
                        "the signal of " + describe(machine),
                        group.signalTimeout(),
                        () -> rehearsal.signal(machine).equals(Optional.of(Signal.SUCCESS)));
                progress.say("  " + describe(machine) + " has signalled success");
            }
        });
    }

    private void await(String what, Duration limit, BooleanSupplier condition) {
        try {
            Await.that(what, limit, () -> {
                launched.forEach(this::refuseFailed);
                return condition.getAsBoolean();
            });
        } catch (WaitedInVain e) {
            throw new Failure(
                    e.getMessage() + launched.stream().map(this::lastLines).collect(Collectors.joining()));
        }
    }

    private void refuseFailed(Machine machine) {
        Optional<Signal> signal = rehearsal.signal(machine);
        if (signal.equals(Optional.of(Signal.FAILURE))) {
            throw new Failure(describe(machine) + " has signalled failure." + lastLines(machine));
        }
        if (!rehearsal.script(machine).running()) {
            throw new Failure(describe(machine) + " does not run any more." + lastLines(machine));
        }
        if (signal.isEmpty()) {
            List<String> errors = cloudInitErrors(rehearsal.script(machine));
            if (!errors.isEmpty()) {
                throw new Failure("The user-data of " + describe(machine) + " has failed: " + String.join(", ", errors)
                        + "." + lastLines(machine));
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
        return "\nThe last lines of " + log.getFileName() + " of " + describe(machine) + ":\n"
                + lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()).stream()
                        .map(line -> "    " + line + "\n")
                        .collect(Collectors.joining());
    }

    private String describe(Machine machine) {
        String kind = rehearsal.site().machineGroup(machine.group()).serves() ? "host " : "";
        return kind + machine.name() + " (" + machine.instanceId() + ", " + machine.address() + ")";
    }

    private static String names(List<MachineGroup> groups) {
        return groups.stream().map(group -> group.size() + " of " + group.id()).collect(Collectors.joining(" and "));
    }
}
