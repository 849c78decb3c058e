package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A machine that its group replaces, because EC2 calls it unhealthy: from that moment until it is gone. */
final class Replacement {
    private static final Duration LAUNCH_LIMIT = Duration.ofSeconds(60);

    private final Rehearsal rehearsal;
    private final Progress progress;
    private final BootWatch watch;
    private String lastSeen = "";

    Replacement(Rehearsal rehearsal, Progress progress) {
        this.rehearsal = rehearsal;
        this.progress = progress;
        watch = new BootWatch(rehearsal);
    }

    /** Returns the new machine when it has signalled success and the old one is gone. */
    Machine of(Machine old) {
        MachineGroup group = rehearsal.site().machineGroup(old.group());
        List<String> before = ids(group);
        rehearsal.replace(old);
        progress.say(old.described() + " is called unhealthy");
        Machine fresh = Await.value(
                group.id() + " to launch another machine",
                LAUNCH_LIMIT.plus(rehearsal.departure(group)),
                () -> ids(group).stream()
                        .filter(id -> !before.contains(id))
                        .findFirst()
                        .flatMap(rehearsal.machines()::withId)
                        .filter(machine -> rehearsal.script(machine).running()));
        progress.say("  " + fresh.described() + " is launched");
        watch.await(fresh.described() + " to signal success", group.signalTimeout(), List.of(fresh), () -> {
            follow(old);
            return watch.succeeded(fresh);
        });
        progress.say("  " + fresh.described() + " has signalled success");
        Await.that(
                "the end of " + old.described(),
                rehearsal.departure(group),
                () -> follow(old).isEmpty());
        progress.say("  " + old.described() + " is gone");
        return fresh;
    }

    /** Says where it is, whenever that changes. */
    private Optional<Instance> follow(Machine old) {
        Optional<Instance> now = rehearsal.instance(old);
        String seen = now.map(instance -> instance.lifecycle().word()).orElse(lastSeen);
        if (!lastSeen.isEmpty() && !seen.equals(lastSeen)) {
            progress.say("  " + old.described() + " is " + seen);
        }
        lastSeen = seen;
        return now;
    }

    private List<String> ids(MachineGroup group) {
        return rehearsal.groups().get(group.id()).instances().stream()
                .map(Instance::id)
                .toList();
    }
}
