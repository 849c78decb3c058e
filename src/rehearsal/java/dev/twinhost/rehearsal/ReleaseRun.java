package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.Answer;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.release.Delivery;
import dev.twinhost.rehearsal.release.Difference;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.release.MachineRelease.Outcome;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.site.Association;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.WaitCondition;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A deploy that changes nothing but the release: the parameter that names it, its asset, and then the association, which
 * Systems Manager starts on one machine after the other until one fails.
 */
final class ReleaseRun {
    private final Rehearsal rehearsal;
    private final Checkout checkout;

    ReleaseRun(Rehearsal rehearsal, Checkout checkout) {
        this.rehearsal = rehearsal;
        this.checkout = checkout;
    }

    /** Synthesises the tree as it is now, with the settings of {@code up} and these in addition, and publishes it. */
    Association publish(Map<String, String> more) {
        return publish(synthesise(more));
    }

    /** The first half of it, which nobody notices yet. */
    Path synthesise(Map<String, String> more) {
        Path fresh = Folders.make(rehearsal.state().root().resolve("release-" + System.nanoTime()));
        try {
            checkout.synthesise(fresh, context(more));
            Site site = Site.read(fresh);
            refuseMoreThanARelease(site);
            if (site.association().isEmpty()) {
                throw new Failure("The template has no association that would start a release.");
            }
            return fresh;
        } catch (RuntimeException e) {
            Folders.delete(fresh);
            throw e;
        }
    }

    /** The second half: from now on machines get this one. */
    Association publish(Path synthesised) {
        rehearsal.nameRegistry(Site.read(synthesised));
        published().add(synthesised);
        return published().current().association().orElseThrow();
    }

    /** What the association starts, machine after machine; the listener hears of each one as soon as it has ended. */
    List<MachineRelease> apply(Association association, Consumer<MachineRelease> listener) {
        return apply(association, Delivery.PUSHED, listener);
    }

    List<MachineRelease> apply(Association association, Delivery delivery, Consumer<MachineRelease> listener) {
        List<MachineRelease> results = new ArrayList<>();
        List<Machine> machines = rehearsal.machines().all();
        long begin = System.nanoTime();
        for (Machine machine : machines) {
            Duration left =
                    delivery.firstQuestion(results.size(), machines.size()).minusNanos(System.nanoTime() - begin);
            Await.within(left, () -> false);
            boolean failed = results.stream().anyMatch(result -> result.outcome() == Outcome.FAILED);
            MachineRelease result;
            if (failed) {
                result = notRun(machine, Outcome.NOT_ASKED);
            } else if (delivery.reaches(machine)) {
                result = apply(association, machine);
            } else {
                result = notRun(machine, Outcome.MISSED);
            }
            results.add(result);
            listener.accept(result);
        }
        return results;
    }

    /** What a machine has told the deploy; none where the template waits for nothing, or nobody has told anything. */
    Optional<Answer> answer() {
        return published().current().waitCondition().flatMap(new Answers(rehearsal.state())::first);
    }

    /** How long a deploy would wait for an answer. */
    Duration patience() {
        return published().current().waitCondition().map(WaitCondition::limit).orElse(Duration.ZERO);
    }

    /** Brings back what was deployed before, and has the machines apply that. */
    List<MachineRelease> goBack(Consumer<MachineRelease> listener) {
        Published published = published();
        published.goBack();
        return apply(published.current().association().orElseThrow(), listener);
    }

    private Published published() {
        return new Published(rehearsal.state());
    }

    private MachineRelease apply(Association association, Machine machine) {
        if (!rehearsal.script(machine).running()) {
            return notRun(machine, Outcome.OFF);
        }
        long begin = System.nanoTime();
        String limit = String.valueOf(association.limit().toSeconds());
        Command.Result result = rehearsal
                .inside(machine, List.of("timeout", limit, "sh", "-c", "exec 2>&1\n" + association.script()))
                .result();
        return new MachineRelease(
                machine,
                result.status() == 0 ? Outcome.SUCCEEDED : Outcome.FAILED,
                result.output() + result.error(),
                Duration.ofNanos(System.nanoTime() - begin));
    }

    private static MachineRelease notRun(Machine machine, Outcome outcome) {
        return new MachineRelease(machine, outcome, "", Duration.ZERO);
    }

    private List<String> context(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>();
        for (String pair : Folders.read(rehearsal.state().context()).lines().toList()) {
            String[] parts = pair.split("=", 2);
            all.put(parts[0], parts[1]);
        }
        all.putAll(more);
        return all.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toList();
    }

    private void refuseMoreThanARelease(Site fresh) {
        List<String> more = Difference.beyondRelease(rehearsal.site().template(), fresh.template());
        if (!more.isEmpty()) {
            throw new Failure("More than the release has changed:\n    " + String.join("\n    ", more)
                    + "\nNothing has been applied. On AWS, cdk deploy updates these and replaces machines where it must. Here,"
                    + " end the rehearsal with bin/rehearse down and start it with bin/rehearse up;"
                    + " bin/rehearse roll shows how machines are replaced.");
        }
    }
}
