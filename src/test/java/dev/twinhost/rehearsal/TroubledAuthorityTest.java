package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.authority.RunningAuthority;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A CA that refuses, limits, hangs or is gone, or a name that leads elsewhere, while the certificate is due: orders are as far apart as the back-off says,
 * and what is served stays. Time passes by setting the stored time of the next attempt back.
 */
@OnSharedSite
class TroubledAuthorityTest {
    private static final Duration ATTEMPT = Duration.ofSeconds(60);
    /** In which a certbot that would try again would have done so: it looks every ten seconds. */
    private static final Duration LOOK = Duration.ofSeconds(15);

    private SharedSite site;
    private RunningAuthority authority;
    private X509Certificate served;

    @BeforeEach
    void makeTheCertificateDue(SharedSite shared) {
        site = shared;
        authority = site.rehearsal().authority();
        Await.that(
                "one certificate on both hosts",
                ATTEMPT,
                () -> site.served(site.hosts().get(0))
                        .equals(site.served(site.hosts().get(1))));
        served = site.served(site.hosts().get(0));
        onStorage("mkdir away && mv live archive renewal away/");
    }

    /** Unless there is another one by now. */
    private void bringTheLineageBack() {
        onStorage("[ ! -d away ] || { [ -e live ] || mv away/* .; rm -r away; }");
    }

    @AfterEach
    void mend() {
        site.rehearsal().mend();
        bringTheLineageBack();
        plan(0, Instant.now().plus(Duration.ofHours(12)));
        onEveryHost("sed -i '/# elsewhere$/d' /etc/hosts");
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, www.example.com, 'www.example.com points to 192.0.2.7, which is not the balancer'",
        "2001:db8::7, example.com, 'example.com has an AAAA record, 2001:db8::7, which is not the balancer''s'"
    })
    void shouldOrderNothingWhileANameLeadsElsewhere(String address, String name, String reason) {
        onEveryHost("echo '%s %s # elsewhere' >>/etc/hosts".formatted(address, name));
        long orders = authority.orders();
        plan(0, Instant.EPOCH);

        Await.that(
                "certbot to say what it waits for",
                ATTEMPT,
                () -> Folders.read(status()).equals("waits: " + reason + "\n"));
        assertThat(Await.within(LOOK, () -> authority.orders() > orders)).isFalse();
        assertThat(failures()).isZero();
        assertThat(site.hosts()).extracting(site::served).containsOnly(served);
    }

    @Test
    void shouldAskTheCaOnceInEachStepOfTheBackOffAndServeANewCertificateWhenItIsWell() {
        long orders = authority.orders();
        authority.limit();
        failAfter(0, Duration.ofMinutes(1));
        failAfter(1, Duration.ofMinutes(10));
        authority.refuse();
        failAfter(2, Duration.ofMinutes(100));
        assertThat(authority.orders()).isEqualTo(orders + 3);

        authority.fail();
        long requests = authority.requests();
        failAfter(3, Duration.ofDays(1));
        long whileDown = authority.requests();
        assertThat(whileDown).as("it was asked").isGreaterThan(requests);
        assertThat(Await.within(LOOK, () -> authority.requests() > whileDown)).isFalse();
        assertThat(authority.orders()).isEqualTo(orders + 3);
        assertThat(site.hosts()).extracting(site::served).containsOnly(served);

        authority.mend();
        plan(4, Instant.EPOCH);
        for (Machine host : site.hosts()) {
            Await.that(
                    "a new certificate on host " + host.name(),
                    ATTEMPT.multipliedBy(2),
                    () -> !site.served(host).equals(served));
        }
        assertThat(authority.orders()).isEqualTo(orders + 4);
    }

    @Test
    void shouldOrderNoMoreWhenCertbotsContainerDiesAgainAndAgain() {
        authority.delay();
        long orders = authority.orders();
        plan(3, Instant.EPOCH);
        Await.that("an attempt", ATTEMPT, () -> failures() == 4);
        for (int death = 0; death < 2; death++) {
            Machine host = site.hostOf("certbot");
            String container = site.containers(host, "certbot").get(0);
            site.inside(host, "docker", "kill", container);
            // what is ordered from here on succeeds at once
            authority.mend();
            Await.that(
                    "another container of certbot",
                    ATTEMPT,
                    () -> site.hosts().stream()
                            .flatMap(one -> site.containers(one, "certbot").stream())
                            .anyMatch(one -> !one.equals(container)));
        }

        assertThat(Await.within(LOOK, () -> failures() != 4 || authority.orders() > orders + 1))
                .isFalse();
        assertThat(site.hosts()).extracting(site::served).containsOnly(served);
    }

    @Test
    void shouldSayWhyTheCertificateCannotBeRenewed() throws Exception {
        bringTheLineageBack();
        authority.limit();
        Commands.Run renew = site.commands().run("renew");
        assertThat(renew.output())
                .containsPattern("certbot does not renew on host [12]:\n")
                .contains("The rehearsal takes no more orders");
        assertThat(renew.status()).isEqualTo(1);
    }

    /** The time of the next attempt comes after so many failures, and it fails as well: for how long none is made now. */
    private void failAfter(int failures, Duration pause) {
        Instant begin = Instant.now();
        onStorage("rm -f ../production.status");
        plan(failures, Instant.EPOCH);
        Await.that(
                "attempt " + (failures + 1) + " to fail",
                ATTEMPT,
                () -> Files.exists(status())
                        && Folders.read(status()).startsWith("the attempt failed (" + (failures + 1) + " in a row)"));
        assertThat(failures()).isEqualTo(failures + 1);
        assertThat(Instant.ofEpochSecond(Long.parseLong(Folders.read(plan()).split(" ")[1])))
                .isBetween(begin.plus(pause).minusSeconds(1), Instant.now().plus(pause));
    }

    private int failures() {
        return Integer.parseInt(Folders.read(plan()).split(" ")[0]);
    }

    private void plan(int failures, Instant next) {
        String names = Folders.read(plan()).strip().split(" ", 3)[2];
        Folders.write(plan(), failures + " " + next.getEpochSecond() + " " + names + "\n");
    }

    private Path plan() {
        return letsencrypt().resolve("production.next");
    }

    private Path status() {
        return letsencrypt().resolve("production.status");
    }

    private Path letsencrypt() {
        return site.rehearsal()
                .state()
                .storage(site.rehearsal().site().fileSystem())
                .resolve("letsencrypt");
    }

    private void onEveryHost(String command) {
        site.hosts().forEach(host -> site.inside(host, "sh", "-c", command));
    }

    private void onStorage(String command) {
        site.inside(site.hosts().get(0), "sh", "-c", "cd /srv/twinhost/letsencrypt/production && " + command);
    }
}
