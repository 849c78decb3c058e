package dev.twinhost.rehearsal.load;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Visitors who come at a fixed rate whatever the site does, each with a connection of his own: a process in the
 * visitor's namespace. One line per request goes to a file as soon as the request has ended.
 *
 * <p>Not hey, Debian's load generator: a worker of it that waits for a slow answer sends nothing meanwhile, it takes
 * every certificate, and of a failed request it keeps neither time nor host.
 */
final class LoadGenerator {
    /** What the last visits and a busy disk may take. */
    static final Duration END_LIMIT = Visit.LIMIT.plusSeconds(10);

    private static final int STACK = 256 * 1024;

    private final URI url;
    private final Trust trust;
    private final int rate;
    private final long requests;
    private final PrintWriter lines;
    private final ThreadPoolExecutor visits;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(daemons());
    private final ExecutorService disk = Executors.newSingleThreadExecutor(daemons());
    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean stopped;

    LoadGenerator(URI url, Trust trust, int rate, long requests, PrintWriter lines) {
        this.url = url;
        this.trust = trust;
        this.rate = rate;
        this.requests = requests;
        this.lines = lines;
        // A visit that has been given up may still wait for DNS, which nothing interrupts.
        int most = (int) (4 * Visit.LIMIT.toSeconds() * rate) + 10;
        visits = new ThreadPoolExecutor(0, most, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons());
    }

    /** Arguments: URL, requests a second, seconds (0: until it is told to end), file, certificates of the authorities. */
    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        Security.setProperty("networkaddress.cache.ttl", "0");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        int rate = Integer.parseInt(arguments[1]);
        long seconds = Long.parseLong(arguments[2]);
        Path file = Path.of(arguments[3]);
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (PrintWriter lines = new PrintWriter(Files.newBufferedWriter(fresh))) {
            LoadGenerator generator = new LoadGenerator(
                    URI.create(arguments[0]),
                    Trust.of(Path.of(arguments[4])),
                    rate,
                    seconds == 0 ? Long.MAX_VALUE : seconds * rate,
                    lines);
            generator.stopWhenTold();
            generator.warmUp();
            // Its name says that it has begun.
            Files.move(fresh, file);
            generator.run();
        }
    }

    private void stopWhenTold() {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopped = true;
            try {
                main.join(END_LIMIT.plusSeconds(1).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    /** Loads the classes of a visit: else the first one would take half a second for that alone. */
    private void warmUp() {
        new Visit(url, trust, System.nanoTime(), request -> {}).run(clock);
    }

    void run() {
        long begin = System.nanoTime();
        for (long i = 0; i < requests && !stopped; i++) {
            long planned = begin + i * TimeUnit.SECONDS.toNanos(1) / rate;
            for (long left = planned - System.nanoTime(); left > 0 && !stopped; left = planned - System.nanoTime()) {
                LockSupport.parkNanos(Math.min(left, Duration.ofMillis(100).toNanos()));
            }
            if (!stopped) {
                visit(planned);
            }
        }
        for (long end = System.nanoTime() + END_LIMIT.toNanos(); open.get() > 0 && System.nanoTime() < end; ) {
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
    }

    private void visit(long planned) {
        open.incrementAndGet();
        Visit visit = new Visit(url, trust, planned, this::write);
        try {
            visits.execute(() -> visit.run(clock));
        } catch (RejectedExecutionException allThreadsWait) {
            visit.giveUp();
        }
    }

    /** In a thread of its own: no visitor waits for a busy disk. */
    private void write(RequestLine request) {
        disk.execute(() -> {
            lines.println(request.line());
            lines.flush();
            open.decrementAndGet();
        });
    }

    private static ThreadFactory daemons() {
        return work -> {
            Thread thread = new Thread(null, work, "visit", STACK);
            thread.setDaemon(true);
            return thread;
        };
    }
}
