package dev.twinhost.rehearsal.load;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A load in figures. Seconds count from the beginning of its first request. */
public record LoadSummary(
        @JsonProperty("rate") int rate,
        @JsonProperty("seconds") double seconds,
        @JsonProperty("requests") int requests,
        @JsonProperty("failures") int failures,
        @JsonProperty("window") Window window,
        @JsonProperty("errors") Map<String, Long> errors,
        @JsonProperty("medianMillis") double median,
        @JsonProperty("slowest") Slowest slowest,
        @JsonProperty("latestMillis") double latest,
        @JsonProperty("hosts") List<Host> hosts,
        @JsonProperty("containers") Map<String, Long> containers,
        @JsonProperty("failed") List<Failed> failed) {
    private static final String FORMAT = "%-12s%s";
    private static final double LATE_MILLIS = 100;

    /** Between the beginnings of the first and the last failed request. */
    record Window(
            @JsonProperty("from") double from,
            @JsonProperty("to") double to,
            @JsonProperty("seconds") double seconds) {}

    /** Of those that were answered. */
    record Slowest(
            @JsonProperty("at") double at,
            @JsonProperty("millis") double millis) {}

    /** A target of the balancer; both names are empty for requests that came to none. */
    record Host(
            @JsonProperty("machine") String machine,
            @JsonProperty("instance") String instance,
            @JsonProperty("requests") long requests,
            @JsonProperty("failures") long failures) {
        private String text() {
            return (instance.isEmpty() ? "none" : machine + " (" + instance + ")") + ": " + requests
                    + (failures == 0 ? "" : ", " + failures + " of them failed");
        }
    }

    record Failed(
            @JsonProperty("at") double at,
            @JsonProperty("instance") String instance,
            @JsonProperty("error") String error) {}

    static LoadSummary of(LoadResult result) {
        List<Request> all = result.requests();
        List<Request> failures = result.failures();
        List<Request> answered =
                all.stream().filter(request -> !request.failed()).toList();
        Function<Request, Double> at =
                request -> seconds(Duration.between(all.get(0).start(), request.start()));
        return new LoadSummary(
                result.rate(),
                all.isEmpty() ? 0 : at.apply(all.get(all.size() - 1)),
                all.size(),
                failures.size(),
                failures.isEmpty()
                        ? null
                        : new Window(
                                at.apply(failures.get(0)),
                                at.apply(failures.get(failures.size() - 1)),
                                seconds(result.window())),
                counts(failures, Request::error),
                answered.stream()
                        .map(Request::took)
                        .sorted()
                        .skip(answered.size() / 2)
                        .findFirst()
                        .map(LoadSummary::millis)
                        .orElse(0.0),
                answered.stream()
                        .max((a, b) -> a.took().compareTo(b.took()))
                        .map(request -> new Slowest(at.apply(request), millis(request.took())))
                        .orElse(null),
                all.stream()
                        .map(Request::late)
                        .max(Duration::compareTo)
                        .map(LoadSummary::millis)
                        .orElse(0.0),
                hosts(result),
                counts(answered, Request::container),
                failures.stream()
                        .map(request -> new Failed(at.apply(request), request.host(), request.error()))
                        .toList());
    }

    String text() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT, "%d requests in %.1f s, %d a second: %d failed", requests, seconds, rate, failures));
        if (window != null) {
            line(lines, "window", "%.1f s, from %.1f s to %.1f s", window.seconds, window.from, window.to);
        }
        errors.forEach((error, count) -> line(lines, "error", "%d × %s", count, error));
        if (slowest != null) {
            line(lines, "time", "half within %.0f ms, slowest %.0f ms at %.1f s", median, slowest.millis, slowest.at);
        }
        if (latest > LATE_MILLIS) {
            line(lines, "late", "this machine was busy: requests were sent up to %.0f ms late", latest);
        }
        hosts.forEach(host -> line(lines, "host", "%s", host.text()));
        containers.forEach((container, count) ->
                line(lines, "container", "%s: %d", container.isEmpty() ? "not told" : container, count));
        return String.join("\n", lines);
    }

    private static List<Host> hosts(LoadResult result) {
        Map<String, List<Request>> byHost = result.requests().stream()
                .collect(Collectors.groupingBy(Request::host, TreeMap::new, Collectors.toList()));
        return byHost.entrySet().stream()
                .map(host -> new Host(
                        result.name(host.getKey()),
                        host.getKey(),
                        host.getValue().size(),
                        host.getValue().stream().filter(Request::failed).count()))
                .sorted(Comparator.comparing(Host::instance, Comparator.comparing(String::isEmpty))
                        .thenComparing(Host::machine, Comparator.comparing("?"::equals))
                        .thenComparing(Host::machine))
                .toList();
    }

    private static Map<String, Long> counts(List<Request> requests, Function<Request, String> key) {
        Map<String, Long> counts = new LinkedHashMap<>();
        requests.stream().collect(Collectors.groupingBy(key, TreeMap::new, Collectors.counting())).entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .forEach(entry -> counts.put(entry.getKey(), entry.getValue()));
        return counts;
    }

    private static void line(List<String> lines, String what, String format, Object... values) {
        lines.add(String.format(Locale.ROOT, FORMAT, what, String.format(Locale.ROOT, format, values)));
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private static double millis(Duration duration) {
        return Math.round(duration.toNanos() / 10_000.0) / 100.0;
    }
}
