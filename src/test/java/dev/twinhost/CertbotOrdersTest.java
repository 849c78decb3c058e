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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many orders the real certbot makes of the authority, counted in the authority's own log. */
@Tag("root")
class CertbotOrdersTest {
    private static final Path SCRIPT =
            Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/certbot/surroundings.sh");
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String NAMES = "www.example.com,example.com";

    @TempDir
    static Path work;

    @AutoClose
    private static Enclosure enclosure;

    private final Map<String, String> settings = new LinkedHashMap<>();
    private int ordersBefore;

    @BeforeAll
    static void startAuthority() throws IOException {
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

    @BeforeEach
    void createSettings() {
        settings.put("TWINHOST_DOMAIN", "example.com");
        settings.put("TWINHOST_EMAIL", "someone@example.com");
        settings.put("TWINHOST_ACME_PROFILE", "");
        settings.put("TWINHOST_EXTRA_DOMAINS", "");
        authority("production", "acme-v02");
        ordersBefore = allOrders();
    }

    @AfterEach
    void forgetEverything() {
        bash("rm -rf srv/letsencrypt/*");
    }

    @Test
    void shouldOrderOnceForEachNameMoreOrLessUnderTheSameName() {
        assertThat(attempt()).endsWith("has a certificate for " + NAMES + "\n");
        assertThat(orders()).isEqualTo(1);
        attempt();
        assertThat(orders()).isEqualTo(1);

        settings.put("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net");
        attempt();
        assertThat(orders()).isEqualTo(2);
        assertThat(names()).contains("DNS:old.example.com").contains("DNS:example.net");

        settings.put("TWINHOST_EXTRA_DOMAINS", "example.net");
        attempt();
        attempt();
        assertThat(orders()).isEqualTo(3);
        assertThat(names()).contains("DNS:example.net").doesNotContain("old");
        assertThat(bash("ls srv/letsencrypt/production/renewal")).isEqualTo("example.com.conf\n");
    }

    @Test
    void shouldOrderOncePerStepOfTheBackOffHoweverOftenItsContainerDies() throws Exception {
        Process container = start();
        Await.that("an order", LIMIT, () -> orders() == 1);
        end(container, "KILL", "-");

        for (int again = 0; again < 3; again++) {
            container = start();
            assertThat(container.waitFor(2, TimeUnit.SECONDS)).isFalse();
            end(container, "KILL", "-");
        }
        assertThat(orders()).isEqualTo(1);

        bash(
                "read -r failures _ names <srv/letsencrypt/production.next; echo \"$failures 0 $names\" >srv/letsencrypt/production.next");
        end(awaitAttempt(start()), "TERM", "");
        assertThat(orders()).isEqualTo(2);
        assertThat(names()).contains("DNS:example.com");
    }

    @Test
    void shouldOrderOnceForEachTimeThatTheLineageIsBroken() {
        attempt();
        int accounts = accounts();
        List<String> breakages = List.of(
                "truncate -s 40 archive/example.com/privkey1.pem",
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out archive/example.com/privkey1.pem",
                "rm archive/example.com/chain1.pem",
                "rm -r live");
        for (int i = 0; i < breakages.size(); i++) {
            production(breakages.get(i));
            attempt();
            assertThat(orders()).as(breakages.get(i)).isEqualTo(2 + i);
        }

        attempt();
        assertThat(orders()).isEqualTo(1 + breakages.size());
        assertThat(accounts()).isEqualTo(accounts);
        assertThat(bash("ls srv/letsencrypt/production/renewal")).isEqualTo("example.com.conf\n");
        assertThat(names()).contains("DNS:example.com");
    }

    @Test
    void shouldOrderNothingForAPairThatIsWholeAndRenewItAfterwards() {
        attempt();
        int accounts = accounts();
        production(
                "sed -i 's,/srv/letsencrypt/production,/etc/letsencrypt,; s/webroot$/nginx/' renewal/example.com.conf");
        attempt();
        production("cp -rL live x && rm -r live renewal && mv x live");
        attempt();
        assertThat(orders()).isEqualTo(1);

        settings.put("TWINHOST_EXTRA_DOMAINS", "example.net");
        attempt();
        assertThat(orders()).isEqualTo(2);
        assertThat(names()).contains("DNS:example.net");
        assertThat(accounts()).isEqualTo(accounts);
    }

    @Test
    void shouldOrderOnceForACertificateThatHasExpired() {
        attempt();
        production("""
                cd archive/example.com
                : >index.txt
                echo 01 >serial
                printf '%s\\n' '[ca]' 'database = index.txt' 'serial = serial' 'new_certs_dir = .' 'default_md = sha256' 'policy = any' '[any]' >ca.cnf
                openssl req -new -key privkey1.pem -subj / -addext subjectAltName=DNS:www.example.com,DNS:example.com -out request.pem
                openssl ca -batch -config ca.cnf -name ca -selfsign -keyfile privkey1.pem -in request.pem -notext -out cert1.pem \\
                  -startdate 20200101000000Z -enddate 20200401000000Z -extfile <(echo subjectAltName=DNS:www.example.com,DNS:example.com) 2>/dev/null
                cat cert1.pem chain1.pem >fullchain1.pem
                rm -f index.txt* serial* 01.pem ca.cnf request.pem
                """);
        assertThat(
                        bash(
                                "openssl x509 -noout -checkend 0 -in srv/letsencrypt/production/live/example.com/cert.pem || true"))
                .contains("will expire");

        attempt();
        attempt();

        assertThat(orders()).isEqualTo(2);
        assertThat(bash("openssl x509 -noout -checkend 0 -in srv/letsencrypt/production/live/example.com/cert.pem"))
                .contains("will not expire");
    }

    @Test
    void shouldKeepStagingAndProductionApartOnTheWayThereAndBack() {
        attempt();
        String production = bash("cat srv/letsencrypt/production/live/example.com/cert.pem");

        authority("staging", "acme-staging-v02");
        attempt();
        assertThat(orders()).isEqualTo(2);
        assertThat(bash("cat srv/letsencrypt/staging/live/example.com/cert.pem"))
                .isNotEqualTo(production);

        authority("production", "acme-v02");
        attempt();
        authority("staging", "acme-staging-v02");
        attempt();
        assertThat(orders()).isEqualTo(2);
        assertThat(bash("cat srv/letsencrypt/production/live/example.com/cert.pem"))
                .isEqualTo(production);
    }

    private void authority(String name, String host) {
        settings.put("TWINHOST_ACME_NAME", name);
        settings.put("TWINHOST_ACME_DIRECTORY", "https://" + host + ".api.letsencrypt.org:14000/dir");
    }

    /** Has the container make an attempt, as if it were time for one, and ends it. What it said. */
    private String attempt() {
        bash("rm -f srv/letsencrypt/*.next");
        end(awaitAttempt(start()), "TERM", "");
        return read(work.resolve("container.log"));
    }

    private Process awaitAttempt(Process container) {
        Path log = work.resolve("container.log");
        Await.that(
                "the end of an attempt",
                LIMIT,
                () -> read(log)
                        .lines()
                        .anyMatch(
                                line -> line.startsWith("has a certificate") || line.startsWith("the attempt failed")));
        assertThat(read(log)).contains("\nhas a certificate for ");
        return container;
    }

    private Process start() {
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
    private void end(Process container, String signal, String group) {
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

    private ProcessBuilder entering(List<String> words) {
        ProcessBuilder builder = enclosure.entering("enter", words);
        builder.environment().putAll(settings);
        return builder;
    }

    private int orders() {
        return allOrders() - ordersBefore;
    }

    private static int allOrders() {
        return count("Added order");
    }

    private static int accounts() {
        return count("POST /sign-me-up");
    }

    private static int count(String words) {
        return (int) read(work.resolve("pebble.log"))
                .lines()
                .filter(line -> line.contains(words))
                .count();
    }

    private static String names() {
        return bash(
                "openssl x509 -noout -ext subjectAltName -in srv/letsencrypt/production/live/example.com/fullchain.pem");
    }

    private static void production(String script) {
        bash("cd srv/letsencrypt/production\n" + script);
    }

    private static String bash(String script) {
        Command.Result result =
                Command.of("bash", "-c", "set -e\ncd " + work + "\n" + script).result();
        if (result.status() != 0) {
            throw new AssertionError(result.output() + result.error());
        }
        return result.output();
    }

    private static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
