package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.system.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many orders the real certbot makes of the authority, counted in the authority's own log. */
@Tag("root")
class CertbotOrdersTest {
    private static final String NAMES = "www.example.com,example.com";

    @TempDir
    static Path work;

    @AutoClose
    private static CertbotSurroundings certbot;

    @BeforeAll
    static void startAuthority() throws IOException {
        certbot = new CertbotSurroundings(work);
    }

    @BeforeEach
    void forgetEverything() {
        certbot.reset();
    }

    @Test
    void shouldOrderOnceForEachNameMoreOrLessUnderTheSameName() {
        assertThat(certbot.attempt()).endsWith("has a certificate for " + NAMES + "\n");
        assertThat(certbot.orders()).isEqualTo(1);
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(1);

        certbot.set("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.names()).contains("DNS:old.example.com").contains("DNS:example.net");

        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");
        certbot.attempt();
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(3);
        assertThat(certbot.names()).contains("DNS:example.net").doesNotContain("old");
        assertThat(certbot.bash("ls srv/letsencrypt/production/renewal")).isEqualTo("example.com.conf\n");
    }

    @Test
    void shouldOrderOncePerStepOfTheBackOffHoweverOftenItsContainerDies() throws Exception {
        Process container = certbot.start();
        Await.that("an order", CertbotSurroundings.LIMIT, () -> certbot.orders() == 1);
        certbot.end(container, "KILL", "-");

        for (int again = 0; again < 3; again++) {
            container = certbot.start();
            assertThat(container.waitFor(2, TimeUnit.SECONDS)).isFalse();
            certbot.end(container, "KILL", "-");
        }
        assertThat(certbot.orders()).isEqualTo(1);

        certbot.bash(
                "read -r failures _ names <srv/letsencrypt/production.next; echo \"$failures 0 $names\" >srv/letsencrypt/production.next");
        certbot.end(certbot.awaitAttempt(certbot.start()), "TERM", "");
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.names()).contains("DNS:example.com");
    }

    @Test
    void shouldOrderOnceForEachTimeThatTheLineageIsBroken() {
        certbot.attempt();
        List<String> breakages = List.of(
                "truncate -s 40 archive/example.com/privkey1.pem",
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out archive/example.com/privkey1.pem",
                "rm archive/example.com/chain1.pem",
                "rm -r live archive");
        for (int i = 0; i < breakages.size(); i++) {
            certbot.production(breakages.get(i));
            certbot.attempt();
            assertThat(certbot.orders()).as(breakages.get(i)).isEqualTo(2 + i);
        }

        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(1 + breakages.size());
        assertThat(certbot.accounts()).isEqualTo(1);
        assertThat(certbot.bash("ls srv/letsencrypt/production/renewal")).isEqualTo("example.com.conf\n");
        assertThat(certbot.names()).contains("DNS:example.com");
    }

    @Test
    void shouldOrderNothingForAPairThatIsWholeAndRenewItAfterwards() {
        certbot.attempt();
        certbot.production(
                "sed -i 's,/srv/letsencrypt/production,/etc/letsencrypt,; s/webroot$/nginx/' renewal/example.com.conf");
        certbot.attempt();
        certbot.production("cp -rL live x && rm -r live renewal && mv x live");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(1);

        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.names()).contains("DNS:example.net");
        assertThat(certbot.accounts()).isEqualTo(1);
    }

    @Test
    void shouldOrderOnceForACertificateThatHasExpired() {
        certbot.attempt();
        certbot.production("""
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
                        certbot.bash(
                                "openssl x509 -noout -checkend 0 -in srv/letsencrypt/production/live/example.com/cert.pem || true"))
                .contains("will expire");

        certbot.attempt();
        certbot.attempt();

        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.bash(
                        "openssl x509 -noout -checkend 0 -in srv/letsencrypt/production/live/example.com/cert.pem"))
                .contains("will not expire");
    }

    @Test
    void shouldKeepStagingAndProductionApartOnTheWayThereAndBack() {
        certbot.attempt();
        String production = certbot.bash("cat srv/letsencrypt/production/live/example.com/cert.pem");

        certbot.authority("staging", "acme-staging-v02");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.bash("cat srv/letsencrypt/staging/live/example.com/cert.pem"))
                .isNotEqualTo(production);

        certbot.authority("production", "acme-v02");
        certbot.attempt();
        certbot.authority("staging", "acme-staging-v02");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.bash("cat srv/letsencrypt/production/live/example.com/cert.pem"))
                .isEqualTo(production);
    }
}
