package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.Answer;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The machines' way to a site that serves, in the order of CloudFormation: a group that depends on another is made when
 * the other's machines have signalled, so that an order that would lock a real stack up locks this one up, too. Whoever
 * fails on the way ends the start at once.
 */
final class Startup {
    private static final Duration CERTIFICATE_LIMIT = Duration.ofMinutes(4);

    private final Rehearsal rehearsal;
    private final Progress progress;
    private final BootWatch watch;
    private final List<Machine> launched = new ArrayList<>();

    Startup(Rehearsal rehearsal, Progress progress) {
        this.rehearsal = rehearsal;
        this.progress = progress;
        watch = new BootWatch(rehearsal);
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

    /** Waits for what the first deploy waits for at its end: a machine's word that the release serves. */
    void awaitAnswer() {
        Answers answers = new Answers(rehearsal.state());
        rehearsal
                .site()
                .waitCondition()
                .ifPresent(condition -> progress.step("Wait for the release's answer", () -> {
                    watch.await(
                            "an answer to the deploy",
                            condition.limit(),
                            launched,
                            () -> answers.first(condition).isPresent());
                    Answer answer = answers.first(condition).orElseThrow();
                    if (!answer.success()) {
                        throw new Failure(answer.text());
                    }
                    progress.say("  " + answer.text());
                }));
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
                    watch.await(
                            "host " + host.name() + " to serve a certificate of the CA for " + name,
                            CERTIFICATE_LIMIT,
                            launched,
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
                watch.awaitSignal(machine, group.signalTimeout(), launched);
                progress.say("  " + machine.described() + " has signalled success");
            }
        });
    }

    private static String names(List<MachineGroup> groups) {
        return groups.stream().map(group -> group.size() + " of " + group.id()).collect(Collectors.joining(" and "));
    }
}
