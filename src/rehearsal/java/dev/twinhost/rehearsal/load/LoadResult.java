package dev.twinhost.rehearsal.load;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** What became of the requests of a load, in the order in which they began. */
public final class LoadResult {
    private final int rate;
    private final List<Request> requests;
    private final Map<String, String> names;

    LoadResult(int rate, List<Request> requests, Map<String, String> names) {
        this.rate = rate;
        this.requests =
                requests.stream().sorted(Comparator.comparing(Request::start)).toList();
        this.names = Map.copyOf(names);
    }

    public List<Request> requests() {
        return requests;
    }

    public List<Request> failures() {
        return requests.stream().filter(Request::failed).toList();
    }

    /** The failed ones of those that began from the one moment on and before the other. */
    public List<Request> failuresBetween(Instant from, Instant to) {
        return failures().stream()
                .filter(request ->
                        !request.start().isBefore(from) && request.start().isBefore(to))
                .toList();
    }

    /** From the beginning of the first failed request to that of the last; zero where at most one has failed. */
    public Duration window() {
        List<Request> failed = failures();
        return failed.isEmpty()
                ? Duration.ZERO
                : Duration.between(
                        failed.get(0).start(), failed.get(failed.size() - 1).start());
    }

    /** For a person. */
    public String text() {
        return summary().text();
    }

    public LoadSummary summary() {
        return LoadSummary.of(this);
    }

    int rate() {
        return rate;
    }

    /** How the rehearsal called the machine of an instance. */
    String name(String instanceId) {
        return names.getOrDefault(instanceId, "?");
    }
}
