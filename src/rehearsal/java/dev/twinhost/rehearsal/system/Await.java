package dev.twinhost.rehearsal.system;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for something that another process brings about: never without a limit, and the limit's message says for what. */
public final class Await {
    private static final Duration PAUSE = Duration.ofMillis(100);

    private Await() {}

    public static void that(String what, Duration limit, BooleanSupplier condition) {
        value(what, limit, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
    }

    /** The same for what costs much to look at: with this pause between two looks. */
    public static void that(String what, Duration limit, Duration pause, BooleanSupplier condition) {
        value(what, limit, pause, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
    }

    public static <T> T value(String what, Duration limit, Supplier<Optional<T>> source) {
        return value(what, limit, PAUSE, source);
    }

    private static <T> T value(String what, Duration limit, Duration pause, Supplier<Optional<T>> source) {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            Optional<T> value = source.get();
            if (value.isPresent()) {
                return value.get();
            }
            if (System.nanoTime() > end) {
                throw new WaitedInVain(what, limit.toSeconds());
            }
            pause(pause);
        }
    }

    /** Whether it comes true within the limit. */
    public static boolean within(Duration limit, BooleanSupplier condition) {
        long end = System.nanoTime() + limit.toNanos();
        boolean met = condition.getAsBoolean();
        while (!met && System.nanoTime() < end) {
            pause(PAUSE);
            met = condition.getAsBoolean();
        }
        return met;
    }

    private static void pause(Duration pause) {
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            throw new Failure("Interrupted", e);
        }
    }
}
