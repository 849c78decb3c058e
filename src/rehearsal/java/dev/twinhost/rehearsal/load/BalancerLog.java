package dev.twinhost.rehearsal.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the balancer writes down of every connection, when it has ended: which target it was given to. */
final class BalancerLog {
    private static final Pattern LINE = Pattern.compile("connection [0-9.]+:(\\d+) (\\d+) [^/ ]+/(\\S+) .*");
    private static final String NO_TARGET = "<NOSRV>";
    private static final Duration CLOCKS = Duration.ofSeconds(1);

    private final Map<Integer, List<Connection>> byPort = new HashMap<>();

    private BalancerLog() {}

    static BalancerLog read(Path file) {
        BalancerLog log = new BalancerLog();
        try (Stream<String> lines = Files.lines(file)) {
            lines.map(LINE::matcher).filter(Matcher::find).forEach(log::add);
            return log;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The target to which the connection from this port of the visitor, begun at this time, was given. */
    Optional<String> target(int port, long epochMillis, Duration took) {
        long first = epochMillis - CLOCKS.toMillis();
        long last = epochMillis + took.plus(CLOCKS).toMillis();
        return byPort.getOrDefault(port, List.of()).stream()
                .filter(connection -> connection.epochMillis() >= first && connection.epochMillis() <= last)
                .map(Connection::target)
                .filter(target -> !target.equals(NO_TARGET))
                .findFirst();
    }

    private void add(Matcher line) {
        byPort.computeIfAbsent(Integer.valueOf(line.group(1)), port -> new ArrayList<>())
                .add(new Connection(Long.parseLong(line.group(2)), line.group(3)));
    }

    private record Connection(long epochMillis, String target) {}
}
