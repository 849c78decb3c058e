package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host publishes of the certificate that it serves. */
@Needs({"jq", "openssl", "python3"})
class MetricsTest {
    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void createHost() {
        shell = Machine.host(new Shell(root));
        Release.of(shell);
        shell.standIn("aws", "printf '%s\\n' \"$@\" >\"$TWINHOST_ROOT/call\"");
    }

    @Test
    void shouldPublishForTheSiteAndForThisHostWhatItsEdgeServes() throws Exception {
        Edge.serves(shell, 60, "www.example.com", "example.com");

        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.read("handshakes"))
                .contains("-connect " + Machine.ADDRESS + ":443 -servername www.example.com ");
        assertThat(shell.read("call")).startsWith("cloudwatch\nput-metric-data\n--namespace\nSite\n--metric-data\n");
        assertThat(published())
                .hasEntrySatisfying(
                        "CertificateDaysLeft", days -> assertThat(days).isBetween(59, 60))
                .hasEntrySatisfying(
                        "CertificateDaysLeft i-0a", days -> assertThat(days).isBetween(59, 60))
                .containsEntry("CertificateTrusted", 0)
                .containsEntry("CertificateTrusted i-0a", 0);
    }

    @Test
    void shouldTrustWhatTheSystemTrustsForEveryName() throws Exception {
        Edge.serves(shell, 60, "www.example.com", "example.com");
        shell.with("SSL_CERT_FILE", shell.path("served.pem").toString());
        verb();
        assertThat(published()).containsEntry("CertificateTrusted", 1).containsEntry("CertificateTrusted i-0a", 1);

        Edge.serves(shell, 60, "www.example.com");
        verb();
        assertThat(published()).containsEntry("CertificateTrusted", 0);
    }

    @Test
    void shouldPublishNoDaysWhereNothingIsServed() throws Exception {
        Edge.silent(shell);

        verb();

        assertThat(published())
                .containsOnlyKeys("CertificateTrusted", "CertificateTrusted i-0a")
                .containsValue(0);
    }

    @Test
    void shouldSayOnceThatItCannotPublishAndHarmNothing() {
        Edge.serves(shell, 60, "www.example.com", "example.com");
        shell.standIn("aws", "printf '\\nAn error occurred (AccessDenied)\\n' >&2\nexit 254");

        Shell.Result first = verb();

        assertThat(first.status()).isZero();
        assertThat(first.lastLine()).endsWith("the metrics cannot be published: An error occurred (AccessDenied)");
        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        shell.standIn("aws", "exit 0");
        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        shell.standIn("aws", "exit 1");
        assertThat(verb().output()).contains("the metrics cannot be published");
    }

    @Test
    void shouldLeaveItToHosts() {
        Machine.witness(shell);

        assertThat(verb()).isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.exists("call")).isFalse();
    }

    private Shell.Result verb() {
        return Release.verb(shell, "metrics");
    }

    /** The values by name, with the instance behind it where there is one. */
    private Map<String, Integer> published() throws Exception {
        Map<String, Integer> values = new TreeMap<>();
        for (JsonNode datum : new ObjectMapper()
                .readTree(shell.read("call").lines().skip(5).findFirst().orElseThrow())) {
            String instance = datum.at("/Dimensions/0/Value").asText();
            values.put(
                    (datum.path("MetricName").asText() + " " + instance).strip(),
                    datum.path("Value").asInt());
        }
        return values;
    }
}
