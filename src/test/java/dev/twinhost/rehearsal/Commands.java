package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The commands of one rehearsal, run as people run them, in a process of their own. */
final class Commands {
    private final Checkout checkout;
    private final String id;

    /** The letter keeps the rehearsals of the tests apart from each other, and all of them from the one of a person. */
    Commands(Path checkout, char letter) {
        this.checkout = Checkout.at(checkout);
        id = Checkout.at(Path.of("")).id() + letter;
    }

    Run run(String... arguments) throws IOException, InterruptedException {
        Process process = start(arguments);
        String output = new String(process.getInputStream().readAllBytes());
        return new Run(process.waitFor(), output);
    }

    /** Started only; its output, errors among it, is the process's to read. */
    Process start(String... arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dtwinhost.checkout=" + checkout.root(),
                "-cp",
                System.getProperty("java.class.path"),
                Rehearse.class.getName()));
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.environment().put("TWINHOST_REHEARSAL", id);
        return builder.redirectErrorStream(true).start();
    }

    Rehearsal rehearsal() {
        String cache = System.getenv().getOrDefault("TWINHOST_REHEARSAL_CACHE", Rehearsal.CACHE.toString());
        return new Rehearsal(checkout, id, Path.of(cache));
    }

    StateFolder state() {
        return rehearsal().state();
    }

    String id() {
        return id;
    }

    /** How a command ended, and everything that it printed. */
    record Run(int status, String output) {}
}
