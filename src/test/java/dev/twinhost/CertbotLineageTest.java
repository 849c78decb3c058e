package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What certbot's entry point makes of what is on the shared storage before it lets certbot see it; certbot only notes what it finds. */
@Needs("openssl")
class CertbotLineageTest {
    private static final String DIRECTORY = "https://acme.example/directory";
    private static final String CONFIG = "srv/letsencrypt/production/";
    private static final String RENEWAL = CONFIG + "renewal/example.com.conf";
    private static final String FOUND = "live archive renewal\n";

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createContainerWithALineage() {
        shell = new Shell(root)
                .with("TWINHOST_DOMAIN", "example.com")
                .with("TWINHOST_EMAIL", "someone@example.com")
                .with("TWINHOST_ACME_DIRECTORY", DIRECTORY)
                .with("TWINHOST_ACME_NAME", "production")
                .with("TWINHOST_ACME_PROFILE", "")
                .with("TWINHOST_EXTRA_DOMAINS", "");
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
                mkdir -p archive/example.com live/example.com renewal accounts/acme.example/directory/old
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=ca -keyout /dev/null -out archive/example.com/chain1.pem 2>/dev/null
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=example.com \\
                  -keyout archive/example.com/privkey1.pem -out archive/example.com/cert1.pem 2>/dev/null
                cat archive/example.com/{cert,chain}1.pem >archive/example.com/fullchain1.pem
                for part in cert privkey chain fullchain; do
                  ln -s ../../archive/example.com/${part}1.pem live/example.com/$part.pem
                  echo "$part = $PWD/live/example.com/$part.pem" >>renewal/example.com.conf
                done
                printf '[renewalparams]\\naccount = old\\nserver = https://acme.example/directory\\nauthenticator = webroot\\n' >>renewal/example.com.conf
                """);
    }

    @Test
    void shouldLeaveALineageThatCertbotHasWrittenAlone() {
        String renewal = shell.read(RENEWAL);

        String said = run();

        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(shell.read(RENEWAL)).isEqualTo(renewal);
        assertThat(said).doesNotContain("aside").doesNotContain("takes");
        assertThat(shell.exists(CONFIG + "broken")).isFalse();
        assertThat(shell.read("called")).contains(" --account old ");
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
                "rm live/example.com/cert.pem",
                "rm -r archive",
                "rm -r live",
                "rm -r live archive",
                "sed -i s,acme.example,ca.example, renewal/example.com.conf"
            })
    void shouldSetAsideWhatCannotServeSoThatTheSameNameCanBeIssuedAgain(String breakage) {
        bash(breakage);
        String before = bash("find live archive renewal ! -type d 2>/dev/null | wc -l");

        String said = run();

        assertThat(shell.read("found")).isEqualTo("\n");
        assertThat(said).contains("sets the lineage aside in " + root + "/" + CONFIG + "broken/");
        assertThat(bash("find broken ! -type d | wc -l")).isEqualTo(before);
        assertThat(shell.exists(CONFIG + "accounts/acme.example/directory/old")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rm -r renewal",
                "truncate -s 0 renewal/example.com.conf",
                "truncate -s 70 renewal/example.com.conf",
                "sed -i \"s,$PWD,/etc/letsencrypt,; s/webroot/nginx/\" renewal/example.com.conf",
                "echo 'archive_dir = /etc/letsencrypt/archive/example.com' | cat - renewal/example.com.conf >x && mv x renewal/example.com.conf",
                "cp -rL live x && rm -r live && mv x live",
                "cp -rL live x && rm -r live archive renewal && mv x live"
            })
    void shouldTakeAWholePairOverAsItIs(String copy) {
        bash(copy);
        String key = shell.read(CONFIG + "live/example.com/privkey.pem");

        String said = run();

        assertThat(said).doesNotContain("aside");
        assertThat(shell.read("found")).isEqualTo(FOUND);
        assertThat(shell.read(CONFIG + "live/example.com/privkey.pem")).isEqualTo(key);
        for (String part : new String[] {"cert", "privkey", "chain", "fullchain"}) {
            assertThat(shell.path(CONFIG + "live/example.com/" + part + ".pem")).isSymbolicLink();
            assertThat(shell.read(RENEWAL).lines())
                    .contains(part + " = " + root + "/" + CONFIG + "live/example.com/" + part + ".pem");
        }
        assertThat(shell.read(RENEWAL)).contains("[renewalparams]\n", "server = " + DIRECTORY + "\n");
    }

    @Test
    void shouldKeepTheAccountOfALineageThatItTakesOver() {
        bash(
                "sed -i \"s,$PWD,/etc/letsencrypt,\" renewal/example.com.conf && mkdir accounts/acme.example/directory/another");

        run();

        assertThat(shell.read(RENEWAL)).contains("account = old\n");
        assertThat(shell.read("called")).contains(" --account old ");
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

    private String run() {
        Shell.Result result = shell.await(shell.start("sh", Shell.CHECKOUT + "/docker/certbot/entrypoint.sh"));
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    /** In the folder of the ACME server. */
    private String bash(String script) {
        Shell.Result result = shell.bash("set -e\nmkdir -p " + CONFIG + "\ncd " + CONFIG + "\n" + script);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }
}
