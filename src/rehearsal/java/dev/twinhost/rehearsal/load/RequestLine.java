package dev.twinhost.rehearsal.load;

import java.util.Locale;

/**
 * One request of a load, as the generator writes it down: a line per request, its fields separated by tabs.
 *
 * @param start when it began, on the clock of {@code System.nanoTime()}, which all processes of a machine share
 * @param took nanoseconds until the answer was complete, or until it failed
 * @param late nanoseconds by which it began later than it should have: the generator's own fault, not the site's
 * @param port the visitor's port of its connection, 0 where there was none: what the balancer knows it by
 * @param container which container answered, as the default page tells; empty where it did not
 * @param error why it failed; empty where it did not
 */
record RequestLine(long start, long took, long late, int port, String container, String error) {
    private static final String SEPARATOR = "\t";

    String line() {
        return String.format(
                Locale.ROOT, "%d\t%d\t%d\t%d\t%s\t%s", start, took, late, port, container, oneField(error));
    }

    static RequestLine of(String line) {
        String[] fields = line.split(SEPARATOR, -1);
        return new RequestLine(
                Long.parseLong(fields[0]),
                Long.parseLong(fields[1]),
                Long.parseLong(fields[2]),
                Integer.parseInt(fields[3]),
                fields[4],
                fields[5]);
    }

    private static String oneField(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
