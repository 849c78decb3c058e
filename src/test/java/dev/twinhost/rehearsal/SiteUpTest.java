package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.aws.Secrets;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is promised of a site that is up: real hosts, booted by {@code up} from the template of this working copy. */
@OnSharedSite
class SiteUpTest {
    private static final List<String> NAMES = List.of("example.com", "www.example.com", "old.example.com");

    @Test
    void shouldServeOneCertificateForAllNamesFromBothHosts(SharedSite site) throws Exception {
        List<X509Certificate> served = new ArrayList<>();
        for (Machine host : site.hosts()) {
            for (String name : NAMES) {
                ServedCertificate certificate = new ServedCertificate(site.rehearsal(), host, name);
                assertThat(certificate.trusted()).as(host.name() + " " + name).isTrue();
                served.add(certificate.certificate().orElseThrow());
            }
        }
        assertThat(served).hasSize(6).allMatch(served.get(0)::equals);
        assertThat(served.get(0).getSubjectAlternativeNames())
                .extracting(name -> name.get(1).toString())
                .containsExactlyInAnyOrderElementsOf(NAMES);
    }

    @Test
    void shouldLeadAVisitorFromAnyOtherNameToThePage(SharedSite site) {
        String way = "%{num_redirects} %{http_code} %{url_effective}";
        for (String start : List.of("http://example.com", "http://old.example.com", "https://old.example.com")) {
            assertThat(site.visit("-L", "-o", "/dev/null", "-w", way, start + "/whoami"))
                    .as(start)
                    .isEqualTo("1 200 https://www.example.com/whoami");
        }
    }

    @Test
    void shouldBeAllWellToWhoeverLooksAtItFromOutside(SharedSite site) {
        Command.Result looked = site.rehearsal()
                .asVisitor(List.of(Path.of("bin/verify").toAbsolutePath().toString(), "example.com"))
                .result();

        assertThat(looked.status()).as(looked.output() + looked.error()).isZero();
        assertThat(looked.output()).contains("certificate lasts").endsWith("\nall is well\n");
    }

    @Test
    void shouldShowTheApplicationTheVisitorsOwnAddress(SharedSite site) {
        assertThat(site.visit("https://www.example.com/whoami")).contains("x-forwarded-for: " + Fabric.VISITOR + "\n");
    }

    @Test
    void shouldAnswerARequestToOneHostByAContainerOnTheOther(SharedSite site) {
        for (Machine host : site.hosts()) {
            List<String> containersOfTheOther =
                    site.inside(site.other(host), "docker", "ps", "-q").lines().toList();
            Await.that("host " + host.name() + " to answer through the other", Duration.ofSeconds(30), () -> {
                String answer = site.visitHost(host, "/whoami").output();
                return containersOfTheOther.stream().anyMatch(id -> answer.contains("served-by: " + id));
            });
        }
    }

    @Test
    void shouldLetNothingButTheBalancerReachThePortsOfAHost(SharedSite site) {
        Rehearsal rehearsal = site.rehearsal();
        Machine host = site.hosts().get(0);
        Map<String, Namespace> others = new TreeMap<>();
        others.put("a visitor", rehearsal.fabric().internet());
        others.put("the other host", rehearsal.fabric().machine(site.other(host).name()));
        others.put("the witness", rehearsal.fabric().machine("witness"));
        Map<String, Integer> fromOthers = new TreeMap<>();
        Map<String, Integer> fromBalancer = new TreeMap<>();
        for (int port : List.of(80, 443)) {
            others.forEach((who, where) -> fromOthers.put(who + " " + port, reach(rehearsal, where, host, port)));
            fromBalancer.put("port " + port, reach(rehearsal, rehearsal.fabric().balancer(), host, port));
        }
        int timedOut = 28;
        assertThat(fromOthers)
                .hasSize(6)
                .allSatisfy((who, status) -> assertThat(status).isEqualTo(timedOut));
        assertThat(fromBalancer)
                .hasSize(2)
                .allSatisfy((port, status) -> assertThat(status).isZero());
    }

    @Test
    void shouldOrderACertificateWhileTheHostThatRunsCertbotIsOutOfTheBalancer(SharedSite site) {
        Rehearsal rehearsal = site.rehearsal();
        Machine orders = site.hosts().stream()
                .filter(host -> site.inside(host, "docker", "ps", "--format", "{{.Names}}")
                        .contains("twinhost_certbot"))
                .findFirst()
                .orElseThrow();
        X509Certificate before = site.served(orders);
        rehearsal.drain(orders);
        try {
            long connections = rehearsal.connections(orders);
            // What certbot finds when the storage is new: no account, no certificate, no plan.
            site.inside(orders, "sh", "-c", "rm -rf /srv/twinhost/letsencrypt/*");
            for (Machine host : site.hosts()) {
                Await.that(
                        "a new certificate on host " + host.name(),
                        Duration.ofSeconds(90),
                        () -> !site.served(host).equals(before)
                                && new ServedCertificate(rehearsal, host, "www.example.com").trusted());
            }
            assertThat(rehearsal.connections(orders)).isEqualTo(connections);
        } finally {
            rehearsal.undrain(orders);
        }
    }

    @Test
    void shouldPublishForEachHostTheDaysLeftOfWhatItServesAndThatItIsTrusted(SharedSite site) {
        for (Machine host : site.hosts()) {
            assertThat(site.inside(host, "systemctl", "is-active", "twinhost-metrics.timer"))
                    .isEqualTo("active");
            site.inside(host, "systemctl", "start", "twinhost-metrics.service");
            long days = Duration.between(
                            Instant.now(), site.served(host).getNotAfter().toInstant())
                    .toDays();
            String last = Folders.read(site.rehearsal().state().awsCalls())
                    .lines()
                    .filter(line -> line.contains(" " + host.name() + " monitoring:PutMetricData "))
                    .reduce("", (first, second) -> second);
            assertThat(last)
                    .endsWith(" Namespace=Twinhost 200")
                    .contains(
                            "MetricName=CertificateDaysLeft",
                            "Unit=None MetricData.member.1.Value=" + days + " ",
                            "MetricName=CertificateTrusted",
                            "Unit=None MetricData.member.3.Value=1 ",
                            "Dimensions.member.1.Name=Instance MetricData.member.2.Dimensions.member.1.Value="
                                    + host.instanceId() + " ");
        }
    }

    @Test
    void shouldHaveTheCertificateRenewedAndSayWhenEachHostServesIt(SharedSite site) throws Exception {
        X509Certificate old = site.served(site.hosts().get(0));
        Commands.Run renew = site.commands().run("renew");
        assertThat(renew.output())
                .containsPattern("certbot renews on host [12]\n")
                .containsPattern("host 1 serves the new certificate [0-9.]+ s after its issue\n")
                .containsPattern("host 2 serves the new certificate [0-9.]+ s after its issue\n");
        assertThat(renew.status()).isZero();
        assertThat(site.hosts()).extracting(site::served).doesNotContain(old);
    }

    /** A client that comes back may be led to the other host. */
    @Test
    void shouldResumeAtOneHostTheSessionOfTheOther(SharedSite site) {
        String connect = "printf 'GET /livez HTTP/1.1\\r\\nHost: www.example.com\\r\\nConnection: close\\r\\n\\r\\n' |"
                + " timeout 20 openssl s_client -connect \"$1:443\" -servername www.example.com -ign_eof \"$2\" ";
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            Machine one = site.hosts().get(0);
            Machine other = site.hosts().get(1);
            String session = site.inside(
                    one,
                    "sh",
                    "-c",
                    connect + "-sess_out /run/session >/dev/null 2>&1; cat /run/session",
                    "sh",
                    one.address(),
                    version);
            String said = site.inside(
                    other,
                    "sh",
                    "-c",
                    "printf '%s\\n' \"$3\" >/run/session; " + connect + "-sess_in /run/session 2>&1",
                    "sh",
                    other.address(),
                    version,
                    session);
            assertThat(said.lines()).as(said).anyMatch(line -> line.startsWith("Reused, TLSv1."));
        }
    }

    @Test
    void shouldShowNoJoinTokenInLogsOrTheProcessList(SharedSite site) {
        Path storage = site.rehearsal().state().storage(site.rehearsal().site().fileSystem());
        String token =
                Folders.read(storage.resolve("swarm/generations/1/token")).strip();
        assertThat(token).startsWith("SWMTKN-");
        for (Machine machine : site.rehearsal().machines().all()) {
            assertThat(site.inside(
                            machine, "sh", "-c", "journalctl --no-pager -o export; cat /var/log/*.log; ps -efww"))
                    .as(machine.name())
                    .contains("twinhost")
                    .doesNotContain("SWMTKN-");
            assertThat(Folders.read(site.rehearsal().script(machine).console()))
                    .isNotBlank()
                    .doesNotContain("SWMTKN-");
        }
        assertThat(Folders.read(site.rehearsal().state().awsCalls())).doesNotContain("SWMTKN-");
    }

    @Test
    void shouldShowASecretToTheApplicationAlone(SharedSite site) {
        String value = new Secrets(site.rehearsal().state()).value(SharedSite.SECRET);
        String encoded = encoded(value);
        for (Machine host : site.hosts()) {
            assertThat(site.inside(
                            host,
                            "docker",
                            "exec",
                            site.containers(host, "app").get(0),
                            "cat",
                            "/run/secrets/db_password"))
                    .isEqualTo(value);
        }
        String everywhere = "journalctl --no-pager -o export; cat /var/log/*.log; ps -efww; cat /proc/[0-9]*/environ;"
                + " grep -ars '' /etc/twinhost /opt/twinhost /run/twinhost /var/lib/twinhost /srv/twinhost/swarm /tmp;"
                + " docker ps -aq | xargs -r docker inspect; docker service inspect twinhost_app || true";
        for (Machine machine : site.rehearsal().machines().all()) {
            assertThat(site.inside(machine, "sh", "-c", "{ " + everywhere + "; } 2>/dev/null | tr -d '\\000'"))
                    .as(machine.name())
                    .contains("twinhost")
                    .doesNotContain(value, encoded);
            assertThat(Folders.read(site.rehearsal().script(machine).console())).doesNotContain(value, encoded);
        }
        assertThat(Folders.read(site.rehearsal().state().awsCalls()))
                .contains("secretsmanager:GetSecretValue")
                .doesNotContain(value, encoded);
    }

    /** What {@code twinhost credentials} relies on; the password is for a registry that nobody asks. */
    @Test
    void shouldNotRestartTheApplicationForAFreshPasswordOfItsRegistry(SharedSite site) {
        Machine host = site.hosts().get(0);
        Map<Machine, List<String>> before = new HashMap<>();
        site.hosts().forEach(one -> before.put(one, site.containers(one, "app")));
        for (String password : List.of("AWS:first", "AWS:second")) {
            logIn(
                    site,
                    host,
                    "https://index.docker.io/v1/",
                    password,
                    "docker service update --quiet --detach --no-resolve-image --with-registry-auth twinhost_app");
        }
        assertThat(Await.within(
                        Duration.ofSeconds(5),
                        () -> before.entrySet().stream()
                                .anyMatch(one ->
                                        !site.containers(one.getKey(), "app").equals(one.getValue()))))
                .isFalse();
    }

    /** The same, with a registry that only notes which password it is shown. */
    @Test
    void shouldHandTheFreshPasswordToAMachineThatHasToPull(SharedSite site) {
        Machine host = site.hosts().get(0);
        String registry = """
                import http.server
                class Registry(http.server.BaseHTTPRequestHandler):
                    def do_GET(self):
                        shown = self.headers.get("Authorization")
                        print(shown, flush=True)
                        self.send_response(404 if shown else 401)
                        self.send_header("WWW-Authenticate", "Basic realm=registry")
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                    do_HEAD = do_GET
                http.server.HTTPServer(("127.0.0.1", 5000), Registry).serve_forever()
                """;
        site.inside(host, "systemd-run", "--unit=registry", "python3", "-c", registry);
        try {
            String create = "docker service create --quiet --detach --name probe --replicas 0 --constraint"
                    + " node.id==$(docker info -f '{{.Swarm.NodeID}}') --no-resolve-image --with-registry-auth"
                    + " 127.0.0.1:5000/shop:1";
            logIn(site, host, "127.0.0.1:5000", "AWS:first", create);
            String update = "docker service update --quiet --detach --no-resolve-image --with-registry-auth probe";
            logIn(site, host, "127.0.0.1:5000", "AWS:second", update);
            site.inside(host, "docker", "service", "scale", "--detach", "probe=1");
            Await.that(
                    "the registry to be asked",
                    Duration.ofSeconds(30),
                    () -> site.inside(host, "journalctl", "-u", "registry", "-o", "cat")
                            .contains("Basic " + encoded("AWS:second")));
            assertThat(site.inside(host, "journalctl", "-u", "registry", "-o", "cat"))
                    .doesNotContain(encoded("AWS:first"));
        } finally {
            site.attempt(host, "docker", "service", "rm", "probe");
            site.attempt(host, "systemctl", "stop", "registry");
        }
    }

    @Test
    void shouldKeepContainersFromTheMetadataService(SharedSite site) {
        Machine host = site.hosts().get(0);
        String inApp = "docker exec $(docker ps -q -f name=twinhost_app | head -n 1) curl -sS -m 3 -X PUT"
                + " -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token";
        Command.Result result =
                site.rehearsal().inside(host, List.of("sh", "-c", inApp)).result();
        assertThat(result.status()).isEqualTo(28);
        assertThat(site.inside(
                        host,
                        "curl",
                        "-sS",
                        "-X",
                        "PUT",
                        "-H",
                        "X-aws-ec2-metadata-token-ttl-seconds: 60",
                        "http://169.254.169.254/latest/api/token"))
                .isNotEmpty();
    }

    @Test
    void shouldTellHowItStands(SharedSite site) throws Exception {
        Commands.Run run = site.commands().run("status", "--json");
        assertThat(run.status()).isZero();
        JsonNode status = new ObjectMapper().readTree(run.output());
        assertThat(status.path("complete").asBoolean()).isTrue();
        assertThat(status.path("url").asText()).isEqualTo("https://www.example.com/");
        assertThat(status.path("machines")).hasSize(3);
        for (JsonNode machine : status.path("machines")) {
            assertThat(machine.path("running").asBoolean()).isTrue();
            assertThat(machine.path("signal").asText()).isEqualTo("SUCCESS");
        }
        assertThat(status.at("/machines/0/targets")).hasToString("{\"80\":\"healthy\",\"443\":\"healthy\"}");
        assertThat(status.at("/machines/0/certificate/trusted").asBoolean()).isTrue();
        assertThat(status.at("/machines/2/certificate").isNull()).isTrue();
    }

    @Test
    void shouldEndWithTheStatusOfTheCommandThatItRan(SharedSite site) throws Exception {
        assertThat(site.commands().run("exec", "witness", "sh", "-c", "exit 7").status())
                .isEqualTo(7);
        assertThat(site.commands().run("client", "sh", "-c", "exit 8").status()).isEqualTo(8);
        Commands.Run unknown = site.commands().run("exec", "9", "true");
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.output()).isEqualTo("There is no machine 9; there are: 1, 2, witness\n");
    }

    @Test
    void shouldSayThatItIsUpAlready(SharedSite site) throws Exception {
        Commands.Run again = site.commands().run("up");
        assertThat(again.status()).isEqualTo(1);
        assertThat(again.output())
                .isEqualTo(
                        "A rehearsal of this working copy is up already: see it with bin/rehearse status, end it with"
                                + " bin/rehearse down.\n");
    }

    /** Runs a command with a login of its own. */
    private static void logIn(SharedSite site, Machine host, String registry, String password, String command) {
        String config = "{\"auths\":{\"" + registry + "\":{\"auth\":\"" + encoded(password) + "\"}}}";
        site.inside(
                host,
                "sh",
                "-c",
                "mkdir -p /run/login && echo '" + config + "' >/run/login/config.json && DOCKER_CONFIG=/run/login "
                        + command);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static int reach(Rehearsal rehearsal, Namespace where, Machine host, int port) {
        String scheme = port == 443 ? "https" : "http";
        String url = scheme + "://www.example.com:" + port + "/";
        return rehearsal
                .curl(
                        where,
                        List.of(
                                "-sSk",
                                "-o",
                                "/dev/null",
                                "-m",
                                "2",
                                "--resolve",
                                "www.example.com:" + port + ":" + host.address(),
                                url))
                .result()
                .status();
    }
}
