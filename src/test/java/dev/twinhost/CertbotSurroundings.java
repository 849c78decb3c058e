package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** certbot's container with the real certbot, and an authority whose own log counts what is asked of it. Needs root. */
final class CertbotSurroundings implements AutoCloseable {
    /** Where certbot's folders of the CA are, in {@code work} as in the container. */
    static final String PRODUCTION = "srv/letsencrypt/production";

    static final String DIRECTORY = "https://acme-v02.api.letsencrypt.org:14000/dir";

    /** Certbot's folder of that CA's accounts, in {@link #PRODUCTION}. */
    static final String ACCOUNTS = "accounts/acme-v02.api.letsencrypt.org:14000/dir";

    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Path SCRIPT =
            Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/certbot/surroundings.sh");

    private final Path work;
    private final Enclosure enclosure;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private int ordersBefore;
    private int accountsBefore;

    /** @param work an empty folder, which certbot's container has as {@code /mnt} */
    CertbotSurroundings(Path work) throws IOException {
        this.work = work;
        for (String folder : List.of("letsencrypt", "acme", "preflight")) {
            Files.createDirectories(work.resolve("srv").resolve(folder));
        }
        Command.of(
                        Shell.CHECKOUT + "/src/rehearsal/machine/ca.sh",
                        "leaf",
                        "acme-v02.api.letsencrypt.org",
                        "acme-staging-v02.api.letsencrypt.org",
                        work.toString())
                .run();
        // the challenge's service reads the webroot as another user
        Command.of("chmod", "711", work.toString()).run();
        enclosure = new Enclosure(SCRIPT, work);
    }

    /** A container that has never run, and counts from zero. */
    void reset() {
        bash("rm -rf srv/letsencrypt/*");
        settings.clear();
        set("TWINHOST_DOMAIN", "example.com");
        set("TWINHOST_EMAIL", "someone@example.com");
        set("TWINHOST_ACME_PROFILE", "");
        set("TWINHOST_EXTRA_DOMAINS", "");
        authority("production", "acme-v02");
        ordersBefore = count("Added order");
        accountsBefore = count(" accounts in memory");
    }

    void set(String name, String value) {
        settings.put(name, value);
    }

    void authority(String name, String host) {
        set("TWINHOST_ACME_NAME", name);
        set("TWINHOST_ACME_DIRECTORY", "https://" + host + ".api.letsencrypt.org:14000/dir");
    }

    /** Has the container make an attempt, as if it were time for one, and ends it. What it said; that there is a certificate, at its end. */
    String attempt() {
        bash("rm -f srv/letsencrypt/*.next");
        end(awaitAttempt(start()), "TERM", "");
        return log();
    }

    Process awaitAttempt(Process container) {
        Await.that(
                "the end of an attempt",
                LIMIT,
                () -> log().lines()
                        .anyMatch(line -> line.startsWith("has a certificate")
                                || line.startsWith("the attempt failed")
                                || line.startsWith("certbot reports success")));
        assertThat(log()).contains("has a certificate for ");
        return container;
    }

    Process start() {
        List<String> container =
                List.of("setsid", "--wait", "sh", "-c", "echo $$ >/run/main.pid; exec sh /twinhost/entrypoint.sh");
        try {
            Files.deleteIfExists(work.resolve("container.log"));
            return entering(container)
                    .redirectErrorStream(true)
                    .redirectOutput(work.resolve("container.log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param group a minus for all of its processes */
    void end(Process container, String signal, String group) {
        try {
            String kill = "kill -s " + signal + " -- " + group + "\"$(cat /run/main.pid)\"";
            assertThat(entering(List.of("sh", "-c", kill)).start().waitFor()).isZero();
            if (!container.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("It still ran after " + LIMIT.toSeconds() + " s");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Runs a command in the container, with its settings, and waits for its end; what it printed on both streams. */
    String inside(String... command) {
        Path output = work.resolve("inside.log");
        try {
            Process process = entering(List.of(command))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(2 * LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(
                        "It still ran after " + 2 * LIMIT.toSeconds() + " s, and said: " + read(output));
            }
            assertThat(process.exitValue()).as(read(output)).isZero();
            return read(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Runs a script in {@code work}. */
    String bash(String script) {
        Command.Result result =
                Command.of("bash", "-c", "set -e\ncd " + work + "\n" + script).result();
        if (result.status() != 0) {
            throw new AssertionError(result.output() + result.error());
        }
        return result.output();
    }

    /** Runs a script in certbot's folder of the CA. */
    String production(String script) {
        return bash("mkdir -p " + PRODUCTION + "\ncd " + PRODUCTION + "\n" + script);
    }

    /** How many orders the authority has got since the last reset. */
    int orders() {
        return count("Added order") - ordersBefore;
    }

    /** How many accounts the authority has made since the last reset. */
    int accounts() {
        return count(" accounts in memory") - accountsBefore;
    }

    /** The names of the certificate in use. */
    String names() {
        return bash("openssl x509 -noout -ext subjectAltName -in " + PRODUCTION + "/live/example.com/fullchain.pem");
    }

    String status() {
        return read(work.resolve("srv/letsencrypt/production.status"));
    }

    private ProcessBuilder entering(List<String> words) {
        ProcessBuilder builder = enclosure.entering("enter", words);
        builder.environment().putAll(settings);
        return builder;
    }

    private int count(String words) {
        return (int) read(work.resolve("pebble.log"))
                .lines()
                .filter(line -> line.contains(words))
                .count();
    }

    private String log() {
        return read(work.resolve("container.log"));
    }

    private static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        enclosure.close();
    }
}
