package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What people report of certbot's files that were damaged, copied or forgotten by the CA: the real certbot goes on with the same lineage, in one attempt. */
@Tag("root")
@Tag("extended")
class CertbotHealingTest {
    private static final Path SURVEY =
            Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/certbot/renewal-files.py");
    private static final String ACCOUNTS = CertbotSurroundings.ACCOUNTS;

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

    /**
     * The file is cut off at each length, filled up with zeros from there, gets a byte that is no UTF-8 at each place, each line twice and not at all, and
     * more; in one process with certbot's own code. https://github.com/certbot/certbot/issues/2550
     */
    @Test
    void shouldCallNoRenewalFileRightFromWhichCertbotWouldNotRenew() throws IOException {
        certbot.attempt();
        certbot.attempt(); // asks when to renew, and notes that in the file
        Files.copy(SURVEY, work.resolve("survey.py"));
        int length = certbot.production("cat renewal/example.com.conf").length();

        List<String> survey = certbot.inside(
                        "python3",
                        "/mnt/survey.py",
                        "/" + CertbotSurroundings.PRODUCTION,
                        "example.com",
                        CertbotSurroundings.DIRECTORY,
                        "/twinhost/check.py")
                .lines()
                .filter(line -> line.contains("\t"))
                .toList();

        assertThat(survey).filteredOn(line -> line.startsWith("cut at ")).hasSize(length + 1);
        assertThat(survey).hasSizeGreaterThan(3 * length);
        assertThat(survey).filteredOn(line -> line.contains("\tknown\t")).allMatch(line -> line.endsWith("\ttaken"));
        assertThat(survey)
                .contains(
                        "cut at " + length + "\tknown\ttaken",
                        "BOM\tknown\ttaken",
                        "CRLF\tknown\ttaken",
                        "reuse_key = True\tknown\ttaken");
        assertThat(survey).anyMatch(line -> line.endsWith("\tunknown\torders another lineage"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "truncate -s 0 renewal/example.com.conf",
                "truncate -s 400 renewal/example.com.conf",
                "truncate -s 445 renewal/example.com.conf",
                "sed -i '/^server/{s/v02.*//;q}' renewal/example.com.conf",
                "printf '\\377' | dd of=renewal/example.com.conf bs=1 seek=600 conv=notrunc status=none",
                "rm renewal/example.com.conf && mkdir renewal/example.com.conf",
                "sed -i 's/^cert = .*/&\\n&/' renewal/example.com.conf",
                "sed -i 's/^authenticator.*/x = %(x)s/' renewal/example.com.conf",
                "sed -i 's/^ari_retry_after.*/ari_retry_after = x/' renewal/example.com.conf"
            })
    void shouldOrderNothingBesideALineageWhoseRenewalFileCannotBeRead(String damage) {
        certbot.attempt();
        certbot.production(damage);

        certbot.attempt();
        certbot.attempt();

        assertThat(certbot.orders()).isEqualTo(1);
        assertThat(certbot.production("ls live renewal")).doesNotContain("-0001");
        assertServedForAllNames();

        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.accounts()).isEqualTo(1);
        assertThat(certbot.names()).contains("DNS:example.net");
    }

    /** https://github.com/certbot/certbot/issues/4940: the same order at every look, while what is served never changes. */
    @Test
    void shouldOrderOnceWhereTheLinksLeadToAnotherArchive() {
        certbot.attempt();
        certbot.production("""
                mv archive/example.com archive/other
                mkdir archive/example.com
                for part in cert privkey chain fullchain; do ln -sf ../../archive/other/${part}1.pem live/example.com/$part.pem; done
                """);
        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");

        assertThat(certbot.attempt()).contains("Renewing an existing certificate");
        assertThat(certbot.attempt()).contains("not yet due for renewal");
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.names()).contains("DNS:example.net");
    }

    /** A host that died while certbot wrote the next pair: certbot would put it in use, and be content. */
    @Test
    void shouldNotPutAPairInUseThatIsNotWhole() {
        certbot.attempt();
        certbot.production(
                "cd archive/example.com; for part in cert privkey chain; do cp ${part}{1,2}.pem; done; : >fullchain2.pem");

        certbot.attempt();

        assertServedForAllNames();
        assertThat(certbot.orders()).isEqualTo(1);
    }

    /** certbot notices these when it has the certificate, and throws it away. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ln -s /etc/letsencrypt/live/example.com live/example.com",
                "ln -s /etc/letsencrypt/archive/example.com archive/example.com",
                "ln -s /etc/letsencrypt/renewal/example.com.conf renewal/example.com.conf"
            })
    void shouldOrderOnceWhereALinkLeadsNowhere(String link) {
        certbot.production("mkdir -p live archive renewal\n" + link);

        certbot.attempt();
        certbot.attempt();

        assertThat(certbot.orders()).isEqualTo(1);
        assertServedForAllNames();
    }

    /** The links that certbot makes for accounts are absolute: https://github.com/certbot/certbot/issues/7677 */
    @Test
    void shouldRegisterOnceWhereTheFolderOfAccountsLeadsNowhere() {
        certbot.production(
                "mkdir -p accounts/acme-v02.api.letsencrypt.org:14000; ln -s /etc/letsencrypt/accounts/old/dir "
                        + ACCOUNTS);

        certbot.attempt();

        assertThat(certbot.accounts()).isEqualTo(1);
        assertServedForAllNames();
    }

    /** Both answers of a CA, and an account of another one: https://github.com/bunkerity/bunkerweb/issues/3783 */
    @ParameterizedTest
    @ValueSource(strings = {"deactivated", "unknown", "of another CA"})
    void shouldRegisterAgainWhereTheCaRefusesTheAccount(String what) {
        certbot.attempt();
        String account = certbot.production("ls " + ACCOUNTS).strip();
        certbot.production("mkdir -p accounts/ca.example/dir; cp -r " + ACCOUNTS + "/* accounts/ca.example/dir/");
        switch (what) {
            case "deactivated" -> {
                certbot.production("cp -a accounts kept");
                certbot.inside(
                        "certbot",
                        "unregister",
                        "-n",
                        "--server",
                        CertbotSurroundings.DIRECTORY,
                        "--config-dir",
                        "/" + CertbotSurroundings.PRODUCTION,
                        "--work-dir",
                        "/tmp/unregister/work",
                        "--logs-dir",
                        "/tmp/unregister/logs");
                certbot.production("rm -r accounts; mv kept accounts");
            }
            case "unknown" -> certbot.production("sed -i 's,my-account/,&0,' " + ACCOUNTS + "/*/regr.json");
            default -> {
                certbot.production(
                        "sed -i 's,https://.*\",https://ca.example/account/1\",' " + ACCOUNTS + "/*/regr.json");
                certbot.inside(
                        "python3",
                        "-c",
                        """
                        import sys, josepy
                        from cryptography.hazmat.primitives.asymmetric import rsa
                        key = josepy.JWKRSA(key=josepy.ComparableRSAKey(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
                        open(sys.argv[1], "w").write(key.json_dumps())
                        """,
                        "/" + CertbotSurroundings.PRODUCTION + "/" + ACCOUNTS + "/" + account + "/private_key.json");
            }
        }
        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");

        String said = certbot.attempt();

        assertThat(said).contains("sets the account " + account + " aside in ");
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.accounts()).isEqualTo(2);
        assertThat(certbot.names()).contains("DNS:example.net");
        assertThat(certbot.production("ls broken/*/account-" + account)).contains("private_key.json");
        assertThat(certbot.production("ls accounts/ca.example/dir").strip()).isEqualTo(account);
        assertThat(certbot.production("grep ^account renewal/example.com.conf")).doesNotContain(account);

        certbot.set("TWINHOST_EXTRA_DOMAINS", "");
        assertThat(certbot.attempt()).doesNotContain("aside");
        assertThat(certbot.orders()).isEqualTo(3);
        assertThat(certbot.accounts()).isEqualTo(2);
    }

    /** https://github.com/certbot/certbot/issues/9805: it asks which one, and nobody is there. */
    @Test
    void shouldChooseOneOfSeveralAccounts() {
        certbot.attempt();
        certbot.production("rm -r live archive renewal; cp -r " + ACCOUNTS + "/* " + ACCOUNTS + "/another");

        certbot.attempt();

        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(certbot.accounts()).isEqualTo(1);
        assertServedForAllNames();
    }

    @Test
    void shouldRenewALineageWhoseOldHostDidNotRenewIt() {
        certbot.attempt();
        expire("-newkey ec -pkeyopt ec_paramgen_curve:P-256");
        certbot.production("sed -i 's/^authenticator/autorenew = False\\n&/' renewal/example.com.conf");

        certbot.attempt();

        assertThat(certbot.orders()).isEqualTo(2);
        assertServedForAllNames();
    }

    /**
     * A key that is pinned, in a file that is written again, and one that has not the size of certbot's own:
     * https://github.com/certbot/certbot/issues/9975, https://github.com/webmin/webmin/issues/2822
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
                "-newkey ec -pkeyopt ec_paramgen_curve:P-384",
                "-newkey rsa:3072"
            })
    void shouldRenewWithTheSameKeyWhereTheLineageKeepsIt(String kind) {
        certbot.attempt();
        certbot.production(
                "sed -i 's/^authenticator/reuse_key = True\\n&/; s,/srv/letsencrypt/production,/etc/letsencrypt,' renewal/example.com.conf");
        expire(kind);
        String key = key();

        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(2);
        assertThat(key()).isEqualTo(key);
        assertServedForAllNames();

        certbot.set("TWINHOST_EXTRA_DOMAINS", "example.net");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(3);
        assertThat(key()).isEqualTo(key);

        certbot.production("sed -i s/^reuse_key.*// renewal/example.com.conf");
        certbot.set("TWINHOST_EXTRA_DOMAINS", "");
        certbot.attempt();
        assertThat(certbot.orders()).isEqualTo(4);
        assertThat(key()).isNotEqualTo(key);
    }

    private static String key() {
        return certbot.production("openssl pkey -in live/example.com/privkey.pem -pubout");
    }

    /** Puts a pair in use whose certificate has ended. */
    private static void expire(String key) {
        certbot.inside("bash", "-ec", """
                cd /%s/archive/example.com
                openssl req -x509 %s -nodes -subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com,DNS:example.com \
                  -not_before 20200101000000Z -not_after 20200401000000Z -keyout privkey1.pem -out cert1.pem 2>/dev/null
                cat cert1.pem chain1.pem >fullchain1.pem
                """.formatted(CertbotSurroundings.PRODUCTION, key));
    }

    private static void assertServedForAllNames() {
        assertThat(certbot.status()).startsWith("has a certificate for www.example.com,example.com");
        assertThat(certbot.names()).contains("DNS:www.example.com").contains("DNS:example.com");
        assertThat(certbot.production("""
                cd live/example.com
                cat cert.pem chain.pem | cmp - fullchain.pem
                openssl x509 -noout -checkend 0 -in fullchain.pem
                """)).contains("will not expire");
    }
}
