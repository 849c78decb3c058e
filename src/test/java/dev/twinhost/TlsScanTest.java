package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The edge under the eyes of a public scanner, testssl.sh as Debian packages it, without a word to anyone else. */
@Tag("root")
class TlsScanTest {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Set<String> ABOVE_LOW = Set.of("MEDIUM", "HIGH", "CRITICAL");
    /** What the scanner could not find out. */
    private static final Set<String> IN_VAIN = Set.of("WARN", "FATAL");

    /** At most: on a busy machine one of its many connections may come to nothing, and then it scans again. */
    private static final int SCANS = 3;

    @TempDir
    Path root;

    @Test
    void shouldHaveNoFindingAboveLowThatTheReadmeDoesNotExplain() throws Exception {
        Set<String> explained = explained();
        JsonNode all;
        try (EdgeSurroundings surroundings = new EdgeSurroundings(root, 4)) {
            all = scan(surroundings, 1);
            for (int scan = 2; scan <= SCANS && !explained.containsAll(ids(all, IN_VAIN)); scan++) {
                all = scan(surroundings, scan);
            }
        }

        assertThat(ids(all, ABOVE_LOW)).as(all.toPrettyString()).isSubsetOf(explained);
        assertThat(ids(all, IN_VAIN)).as(all.toPrettyString()).isSubsetOf(explained);
        assertThat(ids(all, Set.of("OK")))
                .contains("SSLv2", "SSLv3", "TLS1_2", "TLS1_3", "cipherlist_LOW", "PFS", "ALPN_HTTP2", "HSTS_time")
                .contains("cert_trust", "cert_chain_of_trust", "heartbleed", "ROBOT", "CRIME_TLS", "SWEET32", "RC4");
    }

    private JsonNode scan(EdgeSurroundings surroundings, int number) throws Exception {
        Path findings = root.resolve("findings-" + number + ".json");
        EdgeSurroundings.Ended scan = surroundings.runOfThisMachine(
                EdgeSurroundings.Place.VISITOR,
                LIMIT,
                "testssl",
                "--quiet",
                "--color=0",
                "--warnings=batch",
                "--ip=" + EdgeSurroundings.EDGE,
                "--add-ca=" + root.resolve("var/lib/twinhost/tls/current/fullchain.pem"),
                "--jsonfile=" + findings,
                // protocols, ciphers and their order, forward secrecy, certificate, headers, known attacks
                "--protocols",
                "--std",
                "--server-preference",
                "--fs",
                "--server-defaults",
                "--headers",
                "--vulnerable",
                // a page that is long enough to be compressed
                "https://www.example.com:8443/?size=5000");
        assertThat(findings).as(scan.output() + scan.error()).exists();
        return new ObjectMapper().readTree(Files.readString(findings));
    }

    private static Set<String> ids(JsonNode findings, Set<String> severities) {
        Set<String> ids = new TreeSet<>();
        findings.forEach(finding -> {
            if (severities.contains(finding.path("severity").asText())) {
                ids.add(finding.path("id").asText());
            }
        });
        return ids;
    }

    /** The README's table of findings, by their ids. */
    private static Set<String> explained() throws Exception {
        String readme = Files.readString(Shell.CHECKOUT.resolve("README.md"));
        String section = readme.substring(readme.indexOf("| finding of testssl.sh |"));
        return Pattern.compile("(?m)^\\| `(\\w+)` \\| .+ \\|$")
                .matcher(section.substring(0, section.indexOf("\n\n")))
                .results()
                .map(row -> row.group(1))
                .collect(Collectors.toSet());
    }
}
