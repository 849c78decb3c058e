package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What certbot's entry point makes of what is on the shared storage before it lets certbot see it, with the libraries that certbot
 * reads its files with; certbot itself only notes what it finds.
 */
@Tag("root")
class CertbotLineageTest {
    /** Certbot's folder as its container sees it. */
    private static final String INSIDE = "/mnt/lineage/" + CertbotSurroundings.PRODUCTION;

    private static final String CONFIG = CertbotSurroundings.PRODUCTION + "/";
    private static final String RENEWAL = CONFIG + "renewal/example.com.conf";
    private static final String FOUND = "live archive renewal\n";
    private static final String ACCOUNTS = CertbotSurroundings.ACCOUNTS;

    @TempDir
    static Path work;

    @AutoClose
    private static CertbotSurroundings container;

    private static String account;

    private Shell shell;

    @BeforeAll
    static void registerAccount() throws IOException {
        container = new CertbotSurroundings(work);
        container.reset();
        container.inside(
                "certbot",
                "register",
                "-n",
                "--agree-tos",
                "-m",
                "someone@example.com",
                "--server",
                CertbotSurroundings.DIRECTORY,
                "--config-dir",
                "/mnt/registered",
                "--work-dir",
                "/tmp/registered/work",
                "--logs-dir",
                "/tmp/registered/logs");
        account = container.bash("ls registered/" + ACCOUNTS).strip();
    }

    @BeforeEach
    void createContainerWithALineage() {
        container.reset();
        container.bash("rm -rf lineage");
        container.set("TWINHOST_ROOT", "/mnt/lineage");
        shell = new Shell(work.resolve("lineage"));
        shell.write("srv/preflight/keep", "");
        shell.write("host", "ok\n");
        shell.standIn("sleep", """
                printf '%s %s\\n' "$(cat "$TWINHOST_ROOT/srv/preflight/request")" "$(cat "$TWINHOST_ROOT/host")" >"$TWINHOST_ROOT/srv/preflight/answer"
                if [[ -e $TWINHOST_ROOT/called || $(cat "$TWINHOST_ROOT/host") != ok ]]; then kill -TERM "$PPID"; fi""");
        shell.standIn("certbot", """
                cd "$TWINHOST_ROOT/srv/letsencrypt/production"
                found=()
                for part in live/example.com archive/example.com renewal/example.com.conf; do
                  [[ ! -e $part ]] || found+=("${part%%/*}")
                done
                echo "${found[*]}" >"$TWINHOST_ROOT/found"
                echo "$*" >"$TWINHOST_ROOT/called\"""");
        bash("""
                mkdir -p archive/example.com live/example.com renewal
                cp -r ../../../../registered/accounts .
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=ca -keyout /dev/null -out archive/example.com/chain1.pem 2>/dev/null
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=example.com \\
                  -keyout archive/example.com/privkey1.pem -out archive/example.com/cert1.pem 2>/dev/null
                cat archive/example.com/{cert,chain}1.pem >archive/example.com/fullchain1.pem
                for part in cert privkey chain fullchain; do
                  ln -s ../../archive/example.com/${part}1.pem live/example.com/$part.pem
                  echo "$part = %s/live/example.com/$part.pem" >>renewal/example.com.conf
                done
                printf '[renewalparams]\\naccount = %s\\nserver = %s\\nauthenticator = webroot\\n' >>renewal/example.com.conf
                """.formatted(INSIDE, account, CertbotSurroundings.DIRECTORY));
    }

    @Test
    void shouldLeaveALineageThatCertbotHasWrittenAlone() {
        String renewal = shell.read(RENEWAL);

        String said = run();

        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(shell.read(RENEWAL)).isEqualTo(renewal);
        assertThat(said).doesNotContain("aside").doesNotContain("takes");
        assertThat(shell.exists(CONFIG + "broken")).isFalse();
        assertThat(shell.read("called")).contains(" --account " + account + " ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "truncate -s 40 archive/example.com/privkey1.pem",
                "truncate -s 40 archive/example.com/cert1.pem",
                "truncate -s 40 archive/example.com/chain1.pem",
                "truncate -s 40 archive/example.com/fullchain1.pem",
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out archive/example.com/privkey1.pem",
                "rm archive/example.com/chain1.pem",
                "rm -r archive",
                "rm -r live archive",
                "sed -i s,https://acme-v02,https://ca, renewal/example.com.conf"
            })
    void shouldSetAsideWhatCannotServeSoThatTheSameNameCanBeIssuedAgain(String breakage) {
        bash(breakage);
        String before = bash("find live archive renewal ! -type d 2>/dev/null | wc -l");

        String said = run();

        assertThat(shell.read("found")).isEqualTo("\n");
        assertThat(said).contains("sets the lineage aside in " + INSIDE + "/broken/");
        assertThat(bash("find broken ! -type d | wc -l")).isEqualTo(before);
        assertThat(shell.exists(CONFIG + ACCOUNTS + "/" + account)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rm -r renewal",
                "truncate -s 0 renewal/example.com.conf",
                "truncate -s 70 renewal/example.com.conf",
                "sed -i 's,/mnt/lineage/srv/letsencrypt/production,/etc/letsencrypt,; s/webroot/nginx/' renewal/example.com.conf",
                "echo 'archive_dir = /etc/letsencrypt/archive/example.com' | cat - renewal/example.com.conf >x && mv x renewal/example.com.conf",
                "cp -rL live x && rm -r live && mv x live",
                "cp -rL live x && rm -r live archive renewal && mv x live",
                // links that were not copied, or lead to where the lineage was:
                // https://github.com/certbot/certbot/issues/4750
                "rm -r live",
                "rm live/example.com/cert.pem",
                "rm live/example.com/cert.pem && mkdir live/example.com/cert.pem",
                "rm -r live && ln -s /etc/letsencrypt/live live",
                "rm -r live/example.com && ln -s /etc/letsencrypt/live/example.com live/example.com",
                "for part in cert privkey chain fullchain; do ln -sf /etc/letsencrypt/archive/example.com/${part}1.pem live/example.com/$part.pem; done",
                // names that certbot does not count, and parts of a pair that do not have the same number
                "for part in cert privkey chain fullchain; do mv archive/example.com/${part}{1,}.pem && ln -sf ../../archive/example.com/$part.pem live/example.com/$part.pem; done",
                "mv archive/example.com/privkey{1,2}.pem && ln -sf ../../archive/example.com/privkey2.pem live/example.com/privkey.pem",
                // an archive of another name: https://github.com/certbot/certbot/issues/4940
                "mv archive/example.com archive/old && for part in cert privkey chain fullchain; do ln -sf ../../archive/old/${part}1.pem live/example.com/$part.pem; done",
                "mv archive/example.com archive/old && for part in cert privkey chain fullchain; do ln -sf ../../archive/old/${part}1.pem live/example.com/$part.pem; done; echo >archive/example.com",
                "touch archive/example.com/cert08.pem && cp -rL live x && rm -r live renewal && mv x live",
                "rm -r renewal && touch renewal",
                "rm renewal/example.com.conf && mkdir renewal/example.com.conf",
                "ln -sf /etc/letsencrypt/renewal/old.conf renewal/example.com.conf",
                "printf '\\377' | dd of=renewal/example.com.conf bs=1 seek=560 conv=notrunc status=none",
                "sed -i 's/^authenticator/autorenew = False\\n&/' renewal/example.com.conf",
                "sed -i 's/^server = .*/&\\n&/' renewal/example.com.conf",
                "sed -i 's,^server = .*,server = %(x)s,' renewal/example.com.conf",
                "sed -i 's,^server = https://acme-v02.*,server = https://acme-v02,' renewal/example.com.conf",
                "printf '[acme_renewal_info]\\nari_retry_after = soon\\n' >>renewal/example.com.conf",
                // of a clock that was ahead
                "printf '[acme_renewal_info]\\nari_retry_after = 2999-01-01T00:00:00\\n' >>renewal/example.com.conf"
            })
    void shouldTakeAWholePairOverAsItIs(String copy) {
        String key = shell.read(CONFIG + "live/example.com/privkey.pem");
        bash(copy);

        String said = run();

        assertThat(said).doesNotContain("sets the lineage aside");
        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(shell.read(CONFIG + "live/example.com/privkey.pem")).isEqualTo(key);
        assertKnown();
        for (String part : new String[] {"cert", "privkey", "chain", "fullchain"}) {
            assertThat(shell.path(CONFIG + "live/example.com/" + part + ".pem")).isSymbolicLink();
            assertThat(shell.read(RENEWAL).lines())
                    .contains(part + " = " + INSIDE + "/live/example.com/" + part + ".pem");
        }
        assertThat(shell.read(RENEWAL))
                .contains("[renewalparams]\n", "server = " + CertbotSurroundings.DIRECTORY + "\n");
    }

    /** A sample of all lengths, with the whole script; {@link CertbotHealingTest} has the check's word at each of them. */
    @Test
    void shouldTakeAWholePairOverWhereverItsRenewalFileIsCutOff() {
        int whole = shell.read(RENEWAL).length();
        for (int length = 0; length <= whole; length += 37) {
            createContainerWithALineage();
            bash("truncate -s " + length + " renewal/example.com.conf");

            String said = run();

            assertThat(said).as("at " + length).doesNotContain("aside");
            assertThat(shell.read("found")).as("at " + length).isEqualTo(FOUND);
            assertThat(shell.read("called")).as("at " + length).contains(" --account " + account + " ");
            assertKnown();
        }
    }

    /** CRLF and a byte order mark, as an editor leaves them, and what certbot does not mind to miss. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "sed -i 's/$/\\r/' renewal/example.com.conf",
                "sed -i '1s/^/\\xef\\xbb\\xbf/' renewal/example.com.conf",
                "sed -i '/^authenticator/d' renewal/example.com.conf",
                "sed -i '1i # written by hand' renewal/example.com.conf",
                "sed -i '1i version = 99' renewal/example.com.conf"
            })
    void shouldLeaveARenewalFileAloneThatCertbotTakes(String edit) {
        bash(edit);
        String renewal = shell.read(RENEWAL);

        run();

        assertThat(shell.read(RENEWAL)).isEqualTo(renewal);
        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(shell.read("called")).contains(" --account " + account + " ");
    }

    /**
     * Of a host that died while it wrote a new pair, and of one where a newer certificate was copied to a lower number: certbot would put the highest
     * number in use. https://github.com/certbot/certbot/issues/10655
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "for part in cert privkey chain; do cp archive/example.com/${part}{1,2}.pem; done; : >archive/example.com/fullchain2.pem",
                "for part in cert chain fullchain; do cp archive/example.com/${part}{1,34}.pem; done; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out archive/example.com/privkey34.pem",
            })
    void shouldSetANewerPairAsideThatIsNotWhole(String breakage) {
        bash(breakage);

        String said = run();

        assertThat(said).contains("it is newer than the one in use").doesNotContain("lineage aside");
        assertThat(bash("ls archive/example.com")).isEqualTo("cert1.pem\nchain1.pem\nfullchain1.pem\nprivkey1.pem\n");
        assertThat(bash("ls broken/* | wc -l")).isEqualTo("4\n");
        assertThat(shell.read("found")).isEqualTo(FOUND);
    }

    @Test
    void shouldLeaveANewerPairThatIsWholeToCertbot() {
        bash("for part in cert privkey chain fullchain; do cp archive/example.com/${part}{1,2}.pem; done");

        String said = run();

        assertThat(said).doesNotContain("aside");
        assertThat(bash("ls archive/example.com | wc -l")).isEqualTo("8\n");
    }

    /** What is no folder of certbot's stops each of its runs, or comes to light when the certificate has been issued. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ln -s /etc/letsencrypt/live/example.com live/example.com",
                "ln -s /etc/letsencrypt/archive/example.com archive/example.com",
                "ln -s /etc/letsencrypt/renewal/example.com.conf renewal/example.com.conf",
                "touch live/example.com",
                "rmdir live && touch live",
                "rmdir archive && ln -s /gone archive",
                "rmdir renewal && touch renewal",
            })
    void shouldSetAsideWhatStandsWhereCertbotWantsAFolder(String breakage) {
        bash("rm -r live/* archive/* renewal/*\n" + breakage);

        String said = run();

        assertThat(said).contains("aside in " + INSIDE + "/broken/");
        assertThat(shell.read("found")).isEqualTo("\n");
        assertThat(bash("find broken ! -type d | wc -l")).isEqualTo("1\n");
        assertThat(bash("find live archive renewal ! -type d 2>/dev/null | wc -l"))
                .isEqualTo("0\n");
    }

    /** Each cut off by a copy: https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3719 */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "truncate -s 20 regr.json",
                "rm meta.json",
                "echo '{}' >private_key.json",
                "printf '\\377' >regr.json",
                "rm *"
            })
    void shouldSetAnAccountAsideThatCertbotCannotRead(String breakage) {
        bash("cd " + ACCOUNTS + "/" + account + "\nchmod u+w *\n" + breakage);

        String said = run();

        assertThat(said).contains("sets the account " + account + " aside in " + INSIDE + "/broken/");
        assertThat(shell.read("called")).doesNotContain("--account");
        assertThat(bash("ls -d broken/*/account-" + account + " | wc -l")).isEqualTo("1\n");
        assertThat(shell.read("found")).isEqualTo(FOUND);
    }

    @Test
    void shouldUseTheNewestAccountWhereTheLineageNamesNoneOfThem() {
        bash("""
                cd %s
                cp -r %s 0older
                cp -r %2$s znewer
                sed -i 's/20[0-9][0-9]-/2019-/' 0older/meta.json
                sed -i 's/20[0-9][0-9]-/2099-/' znewer/meta.json
                mkdir xbroken
                sed -i s/^account.*/account=gone/ ../../../renewal/example.com.conf
                """.formatted(ACCOUNTS, account));

        run();

        assertThat(shell.read("called")).contains(" --account znewer ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sed -i 's/^authenticator/reuse_key = True\\n&/' renewal/example.com.conf",
                "sed -i 's/^authenticator/reuse_key=yes\\n&/; s,/mnt/lineage/srv/letsencrypt/production,/etc/letsencrypt,' renewal/example.com.conf",
                "sed -i 's/^authenticator/reuse_key = true\\n&/; 1i [cut off' renewal/example.com.conf",
                "sed -i 's/^authenticator/reuse_key = True\\r\\n&/' renewal/example.com.conf; cp -rL live x; rm -r live archive; mv x live"
            })
    void shouldKeepTheKeyOfALineageThatKeepsIt(String lineage) {
        bash(lineage);

        run();

        assertThat(shell.read("called")).contains(" --reuse-key ").doesNotContain("key-size");
        assertThat(shell.read(RENEWAL)).containsPattern("(?m)^reuse_key = True|^reuse_key=yes");
    }

    @Test
    void shouldMakeANewKeyWhereTheLineageDoesNotKeepIt() {
        bash("sed -i 's/^authenticator/reuse_key = False\\n&/' renewal/example.com.conf");

        run();

        assertThat(shell.read("called")).doesNotContain("reuse");
    }

    @Test
    void shouldKeepTheAccountOfALineageThatItTakesOver() {
        bash("""
                sed -i 's,%s,/etc/letsencrypt,' renewal/example.com.conf
                cp -r %s/%s %2$s/another
                """.formatted(INSIDE, ACCOUNTS, account));

        run();

        assertThat(shell.read(RENEWAL)).contains("account = " + account + "\n");
        assertThat(shell.read("called")).contains(" --account " + account + " ");
        assertThat(bash("cat broken/*/renewal.conf")).contains("/etc/letsencrypt/live");
    }

    @Test
    void shouldGoBackToTheFormerPairWhereCertbotDiedWhileItChanged() {
        bash("""
                for part in cert privkey chain fullchain; do
                  ln -s ../../archive/example.com/${part}1.pem live/example.com/previous_$part.pem
                done
                rm live/example.com/privkey.pem
                """);

        String said = run();

        assertThat(said).doesNotContain("aside");
        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(bash("ls live/example.com")).isEqualTo("cert.pem\nchain.pem\nfullchain.pem\nprivkey.pem\n");
    }

    @Test
    void shouldChangeNothingWhileNoOrderMayBeMade() {
        bash("rm archive/example.com/chain1.pem");
        shell.write("host", "the balancer has no healthy target yet\n");

        String said = run();

        assertThat(said).doesNotContain("aside");
        assertThat(shell.exists(CONFIG + "live/example.com/cert.pem")).isTrue();
        assertThat(shell.exists("called")).isFalse();
    }

    /** By the libraries of certbot. */
    private void assertKnown() {
        assertThat(container.inside(
                        "python3",
                        "/twinhost/check.py",
                        "renewal",
                        INSIDE + "/renewal/example.com.conf",
                        INSIDE + "/live/example.com",
                        INSIDE + "/archive/example.com",
                        CertbotSurroundings.DIRECTORY))
                .isEmpty();
    }

    private String run() {
        return container.inside("sh", "-c", "PATH=/mnt/lineage/stand-ins:$PATH exec sh /twinhost/entrypoint.sh");
    }

    /** In the folder of the CA. */
    private String bash(String script) {
        return container.bash("mkdir -p lineage/" + CONFIG + "\ncd lineage/" + CONFIG + "\n" + script);
    }
}
