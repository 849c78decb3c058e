package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first and every further boot of a machine, with stand-ins for Docker, AWS, systemd and the metadata service. */
@Needs({"envsubst", "jq", "openssl", "python3"})
class BootstrapTest {
    private static final String CONVERGED = "c".repeat(64);
    private static final String HOST =
            "{\"ID\":\"node-1\",\"Status\":{\"State\":\"%s\"},\"Spec\":{\"Availability\":\"active\"},"
                    + "\"Description\":{\"Hostname\":\"ip-10-0-0-11\",\"Engine\":{\"Labels\":{\"twinhost.role\":\"host\"}}}}";
    private static final String NODES = "[" + HOST.formatted("ready") + "," + HOST + "]";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createMachineBeforeItsFirstBoot() {
        shell = Machine.host(new Shell(root));
        shell.pace(60);
        shell.bash("rm var/lib/twinhost/instance.env");
        Release.of(shell);
        engine = new EngineStandIn(shell)
                .answer("GET", "/swarm", "{\"JoinTokens\":{\"Manager\":\"token\"}}")
                .answer("POST", "/swarm/init", "\"node-1\"")
                .then(
                        "POST",
                        "/swarm/init",
                        "echo '" + EngineStandIn.info("active", "cluster-a") + "' >\"$TWINHOST_ROOT/engine/GET_info\"")
                .answer("GET", "/nodes", NODES.formatted("ready"))
                .answer("GET", "/services", "[]")
                .answer("GET", "/tasks", EngineStandIn.TASKS)
                .answer("GET", "/configs", "[]")
                .command(
                        "stack_deploy",
                        "echo '" + EngineStandIn.SERVICES + "'" + " >\"$TWINHOST_ROOT/engine/GET_services\"");
        shell.write("metadata/instance-id", Machine.INSTANCE);
        shell.write("metadata/local-ipv4", Machine.ADDRESS);
        shell.standIn("systemctl", "printf 'systemctl %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"");
        shell.standIn("aws", "cat \"$TWINHOST_ROOT/health\"");
        health("healthy");
    }

    @Test
    void shouldMakeTheFirstMachineACompleteCluster() {
        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .contains("serves a placeholder", "founds generation 1", "release " + Release.SHA + " has converged");
        assertThat(result.lastLine()).endsWith("this machine is complete");
    }

    @Test
    void shouldLabelTheEngineAndBoundItsLogsBeforeItStarts() {
        bootstrap(Release.SHA);

        assertThat(shell.read("etc/docker/daemon.json"))
                .containsIgnoringWhitespaces("\"labels\":[\"twinhost.role=host\",\"twinhost.instance=i-0a\"]")
                .containsIgnoringWhitespaces("\"log-opts\":{\"max-size\":\"10m\",\"max-file\":\"3\"}")
                .containsIgnoringWhitespaces("\"bip\":\"172.17.0.1/16\"")
                .containsIgnoringWhitespaces("\"base\":\"172.18.0.0/16\"");
        assertThat(engine.commands()).contains("systemctl -q enable --now docker");
    }

    @Test
    void shouldHaveTheKeysOfSessionTicketsBeforeItsEdgeStarts() {
        shell.standIn(
                "systemctl", "[[ $* != '-q enable --now docker' ]] || ls dev/shm/twinhost/current/ >>keys\nexit 0");
        bootstrap(Release.SHA);
        assertThat(shell.read("keys")).isEqualTo("next\nnow\nprevious\n");
        shell.write("var/lib/docker/swarm/docker-state.json", "{}");
        shell.bash("rm -r keys dev/shm/twinhost");

        bootstrap(Release.SHA);

        assertThat(shell.read("keys")).isEqualTo("next\nnow\nprevious\n");
    }

    @Test
    void shouldServeWithoutTheKeysOfSessionTickets() {
        shell.bash("rm -r dev/shm && echo >dev/shm");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("dev/shm/twinhost");
        assertThat(result.lastLine()).endsWith("this machine is complete");
    }

    @Test
    void shouldRunASecondTimeWithoutChangingAnything() {
        bootstrap(Release.SHA);
        shell.write("var/lib/docker/swarm/docker-state.json", "{}");
        shell.write("commands", "");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.lastLine()).endsWith("this machine is back");
        assertThat(engine.commands())
                .noneMatch(command ->
                        command.contains("POST") || command.contains("stack deploy") || command.contains("restart"));
        assertThat(shell.exists("srv/twinhost/swarm/generations/2")).isFalse();
    }

    @Test
    void shouldServeAndSayWhyItIsNotWholeWhenNoLeaderIsSeenAfterAReboot() {
        bootstrap(Release.SHA);
        shell.write("var/lib/docker/swarm/docker-state.json", "{}");
        engine.swarm("active", "");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("no leader of the Swarm is seen: what runs goes on running");
        assertThat(engine.commands()).noneMatch(command -> command.contains("/swarm/leave"));
    }

    @Test
    void shouldHandOverToTheReleaseThatConvergedLast() {
        Release.of(shell, CONVERGED, Release.settings());
        recordConverged(Release.json(CONVERGED));

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .contains("hands over to the release that converged last, " + CONVERGED, "applies release " + CONVERGED)
                .doesNotContain("applies release " + Release.SHA);
        assertThat(shell.run("readlink", "opt/twinhost/current").output()).contains(CONVERGED);
    }

    @Test
    void shouldTakeOverTheStorageOfAnotherStackWithoutItsRelease() {
        Release.of(shell, CONVERGED, Release.settings());
        recordConverged(Release.json(CONVERGED).replace("balancer.example.net", "another.example.net"));

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("founds generation 2", "release " + Release.SHA + " has converged");
    }

    @Test
    void shouldSayWhichManagerKeepsItFromBeingComplete() {
        engine.answer("GET", "/nodes", NODES.formatted("down"));
        engine.command(
                "stack_deploy", "echo '" + EngineStandIn.SERVICES + "'" + " >\"$TWINHOST_ROOT/engine/GET_services\"");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("waited 900 s for this machine to be complete, last: these managers are down: ip-10-0-0-11");
    }

    @Test
    void shouldSayWhatTheTargetGroupsSayWhileTheyDoNotCallItHealthy() {
        health("unhealthy");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith(
                        "waited 900 s for this machine to be complete, last: http says unhealthy, https says unhealthy, "
                                + "0 of 2 target groups call it healthy");
    }

    @Test
    void shouldSayWhatKeepsItsEdgeFromRunningBeforeItAsksTheBalancer() {
        // after the release, which cleans up at its end
        engine.then(
                "GET",
                "/configs",
                "echo '[{\"NodeID\":\"node-1\",\"Status\":{\"State\":\"rejected\",\"Err\":\"No such image: nginx\"}}]'"
                        + " >\"$TWINHOST_ROOT/engine/GET_tasks\"");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith(
                        "waited 900 s for this machine to be complete, last: the edge on this machine: No such image: nginx");
    }

    @Test
    void shouldEndWithTheReasonOfTheStepThatFailed() {
        engine.command("run", "echo 'nginx: [emerg] unknown directive \"x\" in /etc/nginx/nginx.conf:1'\nexit 1\n");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).contains("Nginx refuses the files of this release: unknown directive");
    }

    @Test
    void shouldNotAskForTargetsOnAWitness() {
        Machine.witness(shell);
        shell.bash("rm var/lib/twinhost/instance.env");
        health("unhealthy");

        Shell.Result result = bootstrap(Release.SHA);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(engine.body("POST", "/swarm/init")).containsIgnoringWhitespaces("\"Availability\":\"drain\"");
    }

    @Test
    void shouldDropWhatOnlyTheReleaseBeforeHad() {
        shell.write("etc/systemd/system/twinhost-old.timer", "[Timer]\n");
        shell.write("etc/systemd/system/twinhost-old.service", "[Service]\n");
        shell.write("etc/systemd/system/twinhost-launcher.service", "[Service]\n");

        bootstrap(Release.SHA);

        assertThat(engine.commands())
                .contains(
                        "systemctl -q disable twinhost-old.timer",
                        "systemctl -q stop twinhost-old.timer",
                        "systemctl -q disable twinhost-old.service")
                .doesNotContain("systemctl -q stop twinhost-old.service");
        assertThat(shell.exists("etc/systemd/system/twinhost-old.timer")).isFalse();
        assertThat(shell.exists("etc/systemd/system/twinhost-old.service")).isFalse();
        assertThat(shell.exists("etc/systemd/system/twinhost-launcher.service")).isTrue();
        assertThat(shell.exists("etc/systemd/system/twinhost-heal.timer")).isTrue();
    }

    @Test
    void shouldBeFoundWhereSudoLooks() {
        bootstrap(Release.SHA);

        assertThat(shell.run("readlink", "-f", "usr/bin/twinhost").output()).endsWith("/docker/host/twinhost\n");
    }

    /** The record has a release that converged, in the first generation. */
    private void recordConverged(String json) {
        shell.record("claim", "1", "i-old", "10.0.0.99");
        shell.record("converged", "1", CONVERGED, json);
    }

    private Shell.Result bootstrap(String release) {
        return shell.run("bash", root + "/opt/twinhost/releases/" + release + "/docker/host/twinhost", "bootstrap");
    }

    private void health(String state) {
        shell.write(
                "health",
                "{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"i-0a\"},\"TargetHealth\":{\"State\":\"" + state
                        + "\"}}]}");
    }
}
