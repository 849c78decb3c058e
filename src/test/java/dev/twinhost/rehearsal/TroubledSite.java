package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The site of one test class in which machines get into trouble: whole and under load when a test begins, mended and
 * without load when it has ended.
 */
final class TroubledSite extends RunningSite
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    /** New connections a second. */
    static final int RATE = 20;

    private Load load;
    private Memory before;

    TroubledSite(char letter, String... options) {
        super(letter, options);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        start();
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        try {
            awaitWhole();
        } catch (AssertionError leftByAFailedTest) {
            start();
            awaitWhole();
        }
        before = Memory.of(rehearsal());
        load = rehearsal().startLoad(RATE);
        Await.that(
                "some requests",
                Duration.ofSeconds(20),
                () -> load.soFar().requests().size() > 3 * RATE);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        rehearsal().mend();
        if (load != null && !load.ended()) {
            load.stop();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        close();
    }

    /** What the site knew before the test. */
    Memory before() {
        return before;
    }

    /** Ends the load, and prints what became of it below what has happened. */
    LoadResult endLoad(String what, Object... values) {
        LoadResult result = load.stop();
        System.out.printf("%s%n%s%n", what.formatted(values), result.text());
        assertThat(result.requests()).hasSizeGreaterThan(3 * RATE);
        return result;
    }

    /** A machine's power is cut; returns when. */
    Instant kill(Machine machine) {
        Instant death = Instant.now();
        rehearsal().kill(machine);
        return death;
    }

    /** The machine that its group launches after another has gone. */
    Machine successor(Machine gone, Machine... others) {
        return Await.value(
                "a machine in the place of " + gone.name(),
                Duration.ofSeconds(300),
                () -> machines().stream()
                        .filter(machine -> machine.group().equals(gone.group()))
                        .filter(machine -> !machine.instanceId().equals(gone.instanceId()))
                        .filter(machine -> Arrays.stream(others).noneMatch(machine::equals))
                        .findFirst());
    }

    /** Waits for a machine's signal. */
    Boot boot(Machine machine) {
        Await.that(
                "the signal of machine " + machine.name(),
                Duration.ofSeconds(200),
                () -> rehearsal().signal(machine).isPresent());
        return Boot.of(uptime(machine), rehearsal().cgroupOf(machine));
    }

    /** Waits until a generation that is new in this test has a founder that serves. */
    Boot awaitFounder() {
        Memory founded = Await.value(
                "a machine to found",
                Duration.ofSeconds(300),
                () -> Optional.of(Memory.of(rehearsal())).filter(memory -> memory.generation() > before.generation()));
        return boot(machines().stream()
                .filter(machine -> machine.instanceId().equals(founded.founder()))
                .findFirst()
                .orElseThrow());
    }

    /** A reboot in good order; returns when the machine runs again. It may take the drain's time, Docker's to stop, and a boot. */
    void reboot(Machine machine) {
        String boot = startOf(machine);
        attempt(machine, "systemctl", "reboot");
        Await.that("the reboot of machine " + machine.name(), Duration.ofSeconds(240 + 90 + 60), () -> {
            String now = startOf(machine);
            return !now.isEmpty() && !now.equals(boot);
        });
    }

    private String startOf(Machine machine) {
        return attempt(machine, "ps", "-o", "lstart=", "-p", "1").output().strip();
    }
}
