package dev.twinhost.rehearsal.load;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Tools.Daemon;
import dev.twinhost.rehearsal.system.WaitedInVain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A load while it runs, in a process of its own that ends with its time, when it is stopped, or with the rehearsal. */
public final class Load {
    private static final Duration START_LIMIT = Visit.LIMIT.plusSeconds(10);
    private static final Duration STOP_LIMIT = LoadGenerator.END_LIMIT.plusSeconds(5);
    private static final Duration LOG_LIMIT = Duration.ofSeconds(1);

    private final Daemon generator;
    private final int rate;
    private final Path file;
    private final Path balancer;
    private final Supplier<List<Machine>> machines;
    private final Map<String, String> names = new HashMap<>();
    private final long nanos = System.nanoTime();
    private final Instant now = Instant.now();

    /**
     * @param file where the generator writes
     * @param balancer the balancer's log
     * @param machines those that there are at this moment
     */
    public Load(Daemon generator, int rate, Path file, Path balancer, Supplier<List<Machine>> machines) {
        this.generator = generator;
        this.rate = rate;
        this.file = file;
        this.balancer = balancer;
        this.machines = machines;
    }

    /**
     * The command of a generator.
     *
     * @param seconds 0: until it is stopped
     */
    public static List<String> generator(Path classes, String url, int rate, long seconds, Path file) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                // Its counters would be in a file, and a busy disk would stop it.
                "-XX:+PerfDisableSharedMem",
                "-cp",
                classes.toString(),
                LoadGenerator.class.getName(),
                url,
                String.valueOf(rate),
                String.valueOf(seconds),
                file.toString(),
                "/etc/ssl/certs/ca-certificates.crt");
    }

    public void awaitBegin() {
        rememberNames();
        Await.that("the load to begin", START_LIMIT, () -> generator.running() && Files.exists(file));
    }

    /** Whether its time has passed, or somebody else has ended it. */
    public boolean ended() {
        rememberNames();
        return !generator.process().isAlive();
    }

    /** How it stands. */
    public LoadResult soFar() {
        rememberNames();
        BalancerLog log = BalancerLog.read(balancer);
        return new LoadResult(
                rate, lines().stream().map(line -> request(line, log)).toList(), names);
    }

    /** Sends nothing more, and waits for the requests that are under way. */
    public LoadResult stop() {
        generator.process().destroy();
        Await.that("the load's last request", STOP_LIMIT, this::ended);
        awaitLog();
        return soFar();
    }

    /** The balancer writes a connection down a moment after its visitor has his answer. */
    private void awaitLog() {
        try {
            Await.that(
                    "the balancer's log",
                    LOG_LIMIT,
                    () -> soFar().requests().stream()
                            .allMatch(request ->
                                    request.failed() || !request.host().isEmpty()));
        } catch (WaitedInVain someAnsweredBySomethingElse) {
            return;
        }
    }

    private List<RequestLine> lines() {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(RequestLine::of).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Request request(RequestLine line, BalancerLog log) {
        Instant start = now.plusNanos(line.start() - nanos);
        Duration took = Duration.ofNanos(line.took());
        return new Request(
                start,
                took,
                Duration.ofNanos(line.late()),
                line.port() == 0
                        ? ""
                        : log.target(line.port(), start.toEpochMilli(), took).orElse(""),
                line.container(),
                line.error());
    }

    /** A machine may be gone, and its name another one's, when its requests are counted. */
    private void rememberNames() {
        machines.get().forEach(machine -> names.put(machine.instanceId(), machine.name()));
    }
}
