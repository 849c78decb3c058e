package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs({"openssl", "python3"})
class CertificateTest {
    private static final String LIVE = "srv/twinhost/letsencrypt/production/live/example.com";
    private static final String SERVED = "var/lib/twinhost/tls/current";

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createHost() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
    }

    @Test
    void shouldMakeAPlaceholderForBothNamesUntilThereIsACertificate() {
        Shell.Result result = verb();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.lastLine())
                .endsWith("serves a placeholder until there is a certificate on the shared storage");
        assertThat(openssl("x509 -noout -subject -ext subjectAltName -in " + SERVED + "/fullchain.pem"))
                .contains("CN = placeholder", "DNS:www.example.com, DNS:example.com");
        assertThat(openssl("pkey -pubout -in " + SERVED + "/privkey.pem"))
                .isEqualTo(openssl("x509 -noout -pubkey -in " + SERVED + "/fullchain.pem"));
    }

    @Test
    void shouldNameTheExtraNamesInThePlaceholderToo() {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_EXTRA_DOMAINS", "old.example.com example.net");
        Release.of(shell, Release.SHA, settings);

        verb();

        assertThat(openssl("x509 -noout -ext subjectAltName -in " + SERVED + "/fullchain.pem"))
                .contains("DNS:www.example.com, DNS:example.com, DNS:old.example.com, DNS:example.net");
    }

    @Test
    void shouldKeepItsPlaceholder() {
        verb();
        String first = shell.read(SERVED + "/version");

        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.read(SERVED + "/version")).isEqualTo(first);
    }

    @Test
    void shouldTakeTheCertificateOverAsSoonAsItIsThere() {
        verb();
        issue("first");

        Shell.Result result = verb();

        assertThat(result.lastLine()).contains("serves the certificate from the shared storage: notAfter=");
        assertThat(shell.read(SERVED + "/fullchain.pem")).isEqualTo(shell.read(LIVE + "/fullchain.pem"));
        assertThat(shell.read(SERVED + "/privkey.pem")).isEqualTo(shell.read(LIVE + "/privkey.pem"));
        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
    }

    @Test
    void shouldChangeTheVersionThatTheEdgeWatchesWithEveryRenewal() {
        issue("first");
        verb();
        String first = shell.read(SERVED + "/version");

        issue("second");
        verb();

        assertThat(shell.read(SERVED + "/version")).isNotEqualTo(first);
        assertThat(shell.read(SERVED + "/fullchain.pem")).isEqualTo(shell.read(LIVE + "/fullchain.pem"));
    }

    @Test
    void shouldSwapFolderByFolderSoThatNoReaderMeetsAKeyOfAnotherCertificate() throws Exception {
        issue("first");
        verb();

        assertThat(Files.isSymbolicLink(shell.path(SERVED))).isTrue();
        assertThat(Files.readSymbolicLink(shell.path(SERVED)))
                .isEqualTo(Path.of(shell.read(SERVED + "/version").strip()));
        issue("second");
        verb();
        try (var versions = Files.list(shell.path("var/lib/twinhost/tls"))) {
            assertThat(versions.map(version -> version.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "current", shell.read(SERVED + "/version").strip());
        }
    }

    @Test
    void shouldRefuseAKeyThatIsNotTheCertificates() {
        issue("first");
        verb();
        String served = shell.read(SERVED + "/fullchain.pem");
        issue("second");
        shell.bash("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + LIVE + "/privkey.pem");

        Shell.Result first = verb();
        Shell.Result again = verb();

        assertThat(first.output())
                .contains(
                        "the key on the shared storage is not the one of the certificate there; what is served stays");
        assertThat(again.output()).isEmpty();
        assertThat(shell.read(SERVED + "/fullchain.pem")).isEqualTo(served);
    }

    @Test
    void shouldRefuseACertificateThatIsBroken() {
        issue("first");
        verb();
        String served = shell.read(SERVED + "/fullchain.pem");
        shell.write(LIVE + "/fullchain.pem", "");

        verb();

        assertThat(shell.read(SERVED + "/fullchain.pem")).isEqualTo(served);
    }

    @Test
    void shouldNeverGoBackFromACertificateToAPlaceholder() {
        issue("first");
        verb();
        String served = shell.read(SERVED + "/fullchain.pem");
        shell.bash("rm -r $TWINHOST_ROOT/srv/twinhost/letsencrypt");

        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.read(SERVED + "/fullchain.pem")).isEqualTo(served);
    }

    @Test
    void shouldLetRootAloneReadTheKey() throws Exception {
        issue("first");
        verb();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(shell.path(SERVED + "/privkey.pem"))))
                .isEqualTo("rw-------");
    }

    @Test
    void shouldLeaveTheKeyOffAWitness() {
        Machine.witness(shell);
        issue("first");

        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.exists("var/lib/twinhost/tls/current")).isFalse();
    }

    @Test
    void shouldTakeNothingFromTheDirectoryOfAnotherAcmeServer() {
        issue("first");
        shell.bash("mv $TWINHOST_ROOT/srv/twinhost/letsencrypt/{production,staging}");

        assertThat(verb().lastLine()).contains("serves a placeholder");
    }

    private Shell.Result verb() {
        return Release.verb(shell, "certificate");
    }

    private void issue(String name) {
        Shell.Result issued = shell.bash("mkdir -p " + LIVE
                + " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=" + name
                + " -keyout "
                + LIVE + "/privkey.pem -out " + LIVE + "/fullchain.pem 2>/dev/null");
        assertThat(issued.status()).as(issued.output()).isZero();
    }

    private String openssl(String arguments) {
        return shell.bash("openssl " + arguments).output();
    }
}
