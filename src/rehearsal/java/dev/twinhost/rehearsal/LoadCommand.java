package dev.twinhost.rehearsal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.system.Failure;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Visitors who keep coming while something happens to the site. */
@Command(
        name = "load",
        description =
                "Visits the site at a steady rate, with a new TLS connection for each request, and prints what became of them.",
        mixinStandardHelpOptions = true)
final class LoadCommand implements Callable<Integer> {
    private static final int MOST_SECONDS = 24 * 60 * 60;
    private static final int MOST = 200;
    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final Duration PRINT_LIMIT = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(200);

    @Parameters(index = "0", paramLabel = "SECONDS", description = "For how long.")
    private int seconds;

    @Parameters(
            index = "1",
            paramLabel = "RATE",
            arity = "0..1",
            defaultValue = "20",
            description = "Requests a second, at most " + MOST + "; ${DEFAULT-VALUE} where it is left out.")
    private int rate;

    @Option(names = "--json", description = "For programs.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException, InterruptedException {
        check("SECONDS", seconds, MOST_SECONDS);
        check("RATE", rate, MOST);
        Rehearsal rehearsal = Rehearse.running();
        Progress progress = new Progress(System.out);
        Load load = rehearsal.startLoad(rate, Duration.ofSeconds(seconds));
        CountDownLatch printed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt(load, printed)));
        long said = System.nanoTime();
        while (!load.ended()) {
            Thread.sleep(PAUSE.toMillis());
            if (!json && System.nanoTime() - said >= PROGRESS.toNanos()) {
                said += PROGRESS.toNanos();
                LoadResult result = load.soFar();
                progress.say(result.requests().size() + " requests, "
                        + result.failures().size() + " failed");
            }
        }
        LoadResult result = load.stop();
        System.out.println(json ? json(result) : result.text());
        printed.countDown();
        return 0;
    }

    /** Ctrl-C ends the load early, and its result is printed all the same. */
    private static void interrupt(Load load, CountDownLatch printed) {
        load.stop();
        try {
            printed.await(PRINT_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String json(LoadResult result) throws JsonProcessingException {
        return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(result.summary());
    }

    private static void check(String name, int value, int most) {
        if (value < 1 || value > most) {
            throw new Failure(name + ": got " + value + ", want 1 to " + most);
        }
    }
}
