package dev.twinhost.bench;

import dev.twinhost.rehearsal.system.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What h2load of nghttp2 has printed and logged.
 *
 * <p>With {@code --rps} each of its clients sends at a steady rate of its own, so all of them together are an open loop as long as no answer
 * takes longer than the pause between two requests of one client. It takes the time of a request from when it is sent, which may be later
 * than when it was due: by a busy processor, by the resolution of its timers (1 ms), by a connection that still waits. {@link #due} puts
 * that back.
 *
 * @see <a href="https://nghttp2.org/documentation/h2load.1.html">h2load(1)</a>
 */
public final class H2load {
    private static final Pattern FINISHED = Pattern.compile("finished in \\S+, ([0-9.]+) req/s");
    private static final Pattern REQUESTS = Pattern.compile(
            "requests: \\d+ total, \\d+ started, (\\d+) done, (\\d+) succeeded, 0 failed, 0 errored, 0 timeout");
    private static final Pattern TRAFFIC = Pattern.compile("traffic: .* \\S+ \\((\\d+)\\) data");
    private static final Pattern STATUSES = Pattern.compile("status codes: (\\d+) 2xx, 0 3xx, 0 4xx, 0 5xx");

    private H2load() {}

    /** Requests a second; a {@link Failure} where a single one was not answered as it should be. */
    public static double requestsPerSecond(String printed) {
        Matcher finished = FINISHED.matcher(printed);
        Matcher requests = REQUESTS.matcher(printed);
        Matcher statuses = STATUSES.matcher(printed);
        if (!finished.find()
                || !requests.find()
                || !statuses.find()
                || !requests.group(1).equals(requests.group(2))
                || !requests.group(1).equals(statuses.group(1))
                || Double.parseDouble(finished.group(1)) <= 0) {
            throw new Failure("Not every request was answered well:\n" + printed);
        }
        return Double.parseDouble(finished.group(1));
    }

    /** Bytes of all bodies that it got, those of its time to warm up among them. */
    public static long bytes(String printed) {
        Matcher traffic = TRAFFIC.matcher(printed);
        if (!traffic.find() || Long.parseLong(traffic.group(1)) == 0) {
            throw new Failure("No answers had a body:\n" + printed);
        }
        return Long.parseLong(traffic.group(1));
    }

    /** A request of its log: microseconds since the epoch at which it was sent, and until the end of the answer. */
    record Request(long sent, long taken) {}

    /** The requests of a log, in the order in which they were sent; a {@link Failure} unless there are as many as were to be sent, all of them well. */
    static List<Request> requests(List<String> log, int sent) {
        List<Request> requests = new ArrayList<>();
        for (String line : log) {
            String[] columns = line.split("\t");
            if (columns.length < 3 || !columns[1].equals("200")) {
                throw new Failure("A request was not answered well: " + line);
            }
            requests.add(new Request(Long.parseLong(columns[0]), Long.parseLong(columns[2])));
        }
        if (requests.size() != sent) {
            throw new Failure("h2load has logged " + requests.size() + " requests instead of " + sent);
        }
        requests.sort((one, other) -> Long.compare(one.sent(), other.sent()));
        return requests;
    }

    /**
     * Latencies from when requests were due.
     *
     * <p>Requests are sent in the order in which they are due, and those of one client are due at a steady pace, as is with {@code clients}
     * of them every {@code clients}-th of all. Of these, the one that was sent the least late says when the others were due.
     *
     * @param skipped microseconds at the beginning that do not count: connections are made then
     */
    public static Tail due(List<String> log, int sent, int clients, double requestsPerSecond, long skipped) {
        List<Request> requests = requests(log, sent);
        double pace = clients * 1e6 / requestsPerSecond;
        long first = requests.get(0).sent() + skipped;
        // From then on, a client that was connected first has sent all of its own.
        long last = requests.get(0).sent() + (long) ((sent / clients - 1) * pace);
        List<Request> counted = requests.stream()
                .filter(request -> request.sent() >= first && request.sent() < last)
                .toList();
        double[] earliest = new double[clients];
        Arrays.fill(earliest, Double.MAX_VALUE);
        for (int i = 0; i < counted.size(); i++) {
            int client = i % clients;
            earliest[client] = Math.min(earliest[client], counted.get(i).sent() - first - i / clients * pace);
        }
        double[] latencies = new double[counted.size()];
        double[] taken = new double[counted.size()];
        double[] late = new double[counted.size()];
        for (int i = 0; i < counted.size(); i++) {
            double due = earliest[i % clients] + i / clients * pace;
            late[i] = (counted.get(i).sent() - first - due) / 1000;
            taken[i] = counted.get(i).taken() / 1000.0;
            latencies[i] = late[i] + taken[i];
        }
        Arrays.sort(latencies);
        Arrays.sort(taken);
        Arrays.sort(late);
        return new Tail(latencies, taken, late);
    }

    /**
     * Milliseconds, each ascending.
     *
     * @param latencies from when it was due
     * @param taken from when it was sent
     * @param late from when it was due until it was sent
     */
    public record Tail(double[] latencies, double[] taken, double[] late) {
        /** The least figure that is not exceeded by that share of all: the nearest rank. */
        public static double percentile(double[] ascending, double percent) {
            int rank = (int) Math.ceil(ascending.length * percent / 100 - 1e-9);
            return ascending[Math.max(rank, 1) - 1];
        }
    }
}
