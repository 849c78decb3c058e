package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.load.Request;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Trouble as chance draws it, under load, with at most one machine out at a time: what is promised holds throughout.
 * {@code -Dschedule.minutes=20} makes it long, {@code -Dschedule.seed=N} draws the same again.
 */
@Tag("rehearsal")
@Tag("trouble")
@Tag("extended")
@Order(4)
class DrawnScheduleTest {
    /** Instead of the template's, which nobody has to wait for here. */
    private static final Duration WARMUP = Duration.ofSeconds(45);

    private static final int LOOK_SECONDS = 5;

    @RegisterExtension
    static final TroubledSite site = new TroubledSite('z');

    private final long seed = Long.getLong("schedule.seed", System.currentTimeMillis());
    private final Duration time = Duration.ofMinutes(Integer.getInteger("schedule.minutes", 3));
    /** Unlike Random, it draws differently for seeds that are close to each other. */
    private final SplittableRandom random = new SplittableRandom(seed);

    private final List<Window> allowed = new ArrayList<>();
    private final List<String> broken = new CopyOnWriteArrayList<>();

    private enum Trouble {
        LOSE,
        SWITCH_OFF_AND_ON,
        REPLACE,
        REBOOT,
        ISOLATE,
        MUTE,
        STALL,
        RELEASE
    }

    /** When a request may fail. */
    private record Window(Instant from, Instant to) {
        boolean covers(Request request) {
            return !request.start().plus(request.took()).isBefore(from)
                    && request.start().isBefore(to);
        }
    }

    @Test
    void shouldHoldWhatIsPromisedWhateverChanceDraws() throws Exception {
        Instant start = Instant.now();
        List<String> story = new ArrayList<>(List.of("drawn with -Dschedule.seed=" + seed));
        System.out.println(story.get(0));
        site.rehearsal().shortenWarmup(WARMUP);
        ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor();
        watch.scheduleWithFixedDelay(this::look, 0, LOOK_SECONDS, TimeUnit.SECONDS);
        try (TreeCopy tree = new TreeCopy()) {
            while (Duration.between(start, Instant.now()).compareTo(time) < 0) {
                Trouble trouble = draw(List.of(Trouble.values()));
                Machine machine = draw(site.machines());
                story.add("%6.1f s  %s %s"
                        .formatted(
                                Duration.between(start, Instant.now()).toMillis() / 1000.0,
                                trouble,
                                trouble == Trouble.RELEASE ? "" : machine.described()));
                System.out.println(story.get(story.size() - 1));
                bring(trouble, machine, tree);
                site.awaitWhole();
                assertThat(broken).as(String.join("\n", story)).isEmpty();
            }
        } finally {
            watch.shutdown();
        }

        LoadResult result = site.endLoad("%s", String.join("\n", story));
        assertThat(Memory.of(site.rehearsal())).isEqualTo(site.before());
        assertThat(result.failures())
                .as(String.join("\n", story))
                .allMatch(request -> allowed.stream().anyMatch(window -> window.covers(request)));
    }

    private void bring(Trouble trouble, Machine machine, TreeCopy tree) throws Exception {
        Rehearsal rehearsal = site.rehearsal();
        switch (trouble) {
            case LOSE -> {
                allow(site.kill(machine));
                pause();
                Machine[] others = site.machines().toArray(Machine[]::new);
                rehearsal.terminate(machine);
                site.successor(machine, others);
            }
            case SWITCH_OFF_AND_ON -> {
                allow(site.kill(machine));
                pause();
                rehearsal.start(machine);
            }
            case REPLACE -> {
                rehearsal.replace(machine);
                Await.that(
                        "the end of machine " + machine.name(),
                        rehearsal.departure(rehearsal.site().machineGroup(machine.group())),
                        () -> rehearsal.instance(machine).isEmpty());
            }
            case REBOOT -> site.reboot(machine);
            case ISOLATE -> cut(() -> rehearsal.isolate(machine));
            case MUTE -> cut(() -> rehearsal.mute(machine));
            case STALL -> {
                rehearsal.stall(machine);
                pause();
                rehearsal.unstall(machine);
            }
            case RELEASE -> {
                tree.append("nginx/conf.d/site.conf", "# A change.\n");
                assertThat(new Commands(tree.folder(), 'z').rehearsal().release(Map.of()))
                        .allMatch(MachineRelease::succeeded);
            }
        }
    }

    private void cut(Runnable cut) {
        allow(Instant.now());
        cut.run();
        pause();
        allow(Instant.now());
        site.rehearsal().mend();
    }

    /** Visitors may notice for a while what happens now. */
    private void allow(Instant moment) {
        allowed.add(new Window(moment, moment.plus(Noticed.by(site))));
    }

    private void pause() {
        Instant end = Instant.now().plusSeconds(5 + random.nextInt(45));
        Await.that("chance", Duration.ofMinutes(2), () -> Instant.now().isAfter(end));
    }

    private <T> T draw(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    /** With one machine out the quorum never is, so nobody founds, orders or acts beside the others. */
    private void look() {
        try {
            Memory now = Memory.of(site.rehearsal());
            if (!now.equals(site.before())) {
                broken.add("what the site knows has changed from " + site.before() + " to " + now);
            }
            if (Acting.clusters(site).size() > 1) {
                broken.add("clusters that act: " + Acting.clusters(site));
            }
        } catch (RuntimeException e) {
            broken.add(e.toString());
        }
    }
}
