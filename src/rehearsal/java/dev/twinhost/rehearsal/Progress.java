package dev.twinhost.rehearsal;

import java.io.PrintStream;
import java.util.Locale;

/** Tells the person at the terminal what is being done and how long it took: one line when it begins, one when it ends. */
final class Progress {
    private final PrintStream out;
    private final long start = System.nanoTime();

    Progress(PrintStream out) {
        this.out = out;
    }

    void step(String what, Runnable work) {
        say(what);
        long begin = System.nanoTime();
        work.run();
        say("  done in " + seconds(System.nanoTime() - begin));
    }

    /** A line with the time since the beginning in front of it. */
    void say(String what) {
        out.printf(Locale.ROOT, "[%5.1f s] %s%n", (System.nanoTime() - start) / 1e9, what);
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }
}
