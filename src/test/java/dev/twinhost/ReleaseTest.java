package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A release on a host, with a Docker that answers what the test says. */
@Needs({"envsubst", "jq", "openssl", "python3"})
class ReleaseTest {
    private static final String NEWER = "b".repeat(64);
    private static final String DEPLOYED =
            "echo \"$TWINHOST_EDGE_IMAGE $TWINHOST_CERTBOT_IMAGE\" >\"$TWINHOST_ROOT/deployed\"\n";
    private static final String INSPECT = """
            if [[ $3 == --format ]]; then
              name=${5%%:*}
              echo "${name#docker.io/library/}@sha256:%s"
            else
              grep -qxF "$3" "$TWINHOST_ROOT/pulled"
            fi
            """;
    private static final String DIGEST = "@sha256:" + "d".repeat(64);
    static final String NODES =
            "[{\"ID\":\"node-1\",\"Status\":{\"State\":\"ready\"},\"Spec\":{\"Availability\":\"active\"},"
                    + "\"Description\":{\"Engine\":{\"Labels\":{\"twinhost.role\":\"host\",\"twinhost.instance\":\"i-0b\"}}}}]";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;
    private Answers answers;

    @BeforeEach
    void createHostInACluster() {
        shell = Machine.inACluster(new Shell(root));
        Release.of(shell);
        engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer("GET", "/nodes", NODES)
                .answer("GET", "/services", service("null"))
                .answer("GET", "/tasks", task("running", ""))
                .answer("GET", "/configs", "[{\"ID\":\"used\"},{\"ID\":\"rollback\"},{\"ID\":\"old\"}]")
                .answer("GET", "/secrets", "[]");
        answers = new Answers(shell).awaitedFor(Release.SHA, "deploy");
    }

    @Test
    void shouldDeployWaitAndNoteWhatConverged() {
        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.lastLine()).endsWith("release " + Release.SHA + " has converged");
        assertThat(engine.commands())
                .anyMatch(command -> command.startsWith("docker stack deploy")
                        && command.endsWith("--prune --with-registry-auth --resolve-image never twinhost"));
        assertThat(shell.read("srv/twinhost/swarm/generations/1/release")).isEqualTo(Release.SHA + "\n");
        assertThat(shell.read("srv/twinhost/swarm/generations/1/releases/" + Release.SHA + ".json"))
                .isEqualTo(Release.JSON);
        assertThat(shell.path("opt/twinhost/current")).isSymbolicLink();
    }

    @Test
    void shouldBringTheVerbsAndUnitsOfTheReleaseUpToDate() {
        release();

        assertThat(shell.path("usr/local/bin/twinhost")).isExecutable();
        assertThat(shell.read("etc/systemd/system/twinhost-heal.timer"))
                .contains("OnUnitInactiveSec=30s", "AccuracySec=1s");
        assertThat(engine.commands())
                .contains("systemctl daemon-reload", "systemctl -q enable --now twinhost-agent.path");
    }

    @Test
    void shouldRemoveConfigsThatNeitherAServiceNorItsWayBackNeeds() {
        release();

        assertThat(deleted()).containsExactly("/configs/old");
    }

    @Test
    void shouldNoteWhatConvergedBeforeItCleansUp() {
        engine.then("GET", "/configs", "cp -r \"$TWINHOST_ROOT/srv\" \"$TWINHOST_ROOT/srv-at-the-clean-up\"\n")
                .refuse("DELETE", "/configs/old", "rpc error: code = Unknown");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("srv-at-the-clean-up/twinhost/swarm/generations/1/release"))
                .isEqualTo(Release.SHA + "\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "", "[{\"Spec\":", "{}"})
    void shouldRemoveNothingWhereSwarmDoesNotSayWhatItNeeds(String services) {
        shell.standIn("systemctl", "printf '%s' '" + services + "' >\"$TWINHOST_ROOT/engine/GET_services\"");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("configs and secrets that nothing uses stay until the next release\n");
        assertThat(deleted()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"run/twinhost/record, {", "run/twinhost/record, ''", "release.json, {", "release.json, ''"})
    void shouldNotNoteWhatItCannotRead(String damaged, String content) {
        String file = damaged.replace("release.json", "opt/twinhost/releases/" + Release.SHA + "/release.json");
        engine.command("stack_deploy", "printf %s '" + content + "' >\"$TWINHOST_ROOT/" + file + "\"");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("waited 60 s for the shared storage to take the release down, last: what this machine has"
                        + " read of the record, or of the release, is damaged");
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/release")).isFalse();
    }

    @Test
    void shouldCheckTheFilesWithTheEdgesOwnImage() {
        release();

        assertThat(engine.commands())
                .filteredOn(command -> command.startsWith("docker run"))
                .singleElement()
                .satisfies(command -> assertThat(command)
                        .contains(
                                "--entrypoint /bin/sh",
                                "/docker/edge/check.sh:/twinhost/check.sh:ro",
                                "/docker/edge/check-headers.sh:/twinhost/check-headers.sh:ro",
                                "/nginx.conf:/etc/nginx/nginx.conf:ro",
                                "/conf.d/site.conf:/etc/nginx/conf.d/site.conf:ro",
                                "/var/lib/twinhost/tls:/etc/nginx/tls:ro")
                        .endsWith(" public.ecr.aws/docker/library/" + edgeImage() + " /twinhost/check.sh example.com"));
    }

    @Test
    void shouldNotBlameNginxForWhatDockerRefuses() {
        engine.command("run", """
                echo 'docker: Error response from daemon: mkdir /var/lib/docker/overlay2/x: no space left on device'
                echo "Run 'docker run --help' for more information"
                exit 125
                """);

        assertThat(release().lastLine())
                .endsWith(
                        "Nginx could not be asked about the files of this release: docker: Error response from daemon:"
                                + " mkdir /var/lib/docker/overlay2/x: no space left on device");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "2026/11/27 17:07:09 [emerg] 1#1: unknown directive \"bogus\" in /etc/nginx/conf.d/site.conf:9"
                        + " | nginx: configuration file /etc/nginx/nginx.conf test failed"
                        + " | Nginx refuses the files of this release: unknown directive \"bogus\" in /etc/nginx/conf.d/site.conf:9",
                "[warn] 1#1: conflicting server name"
                        + " | /healthz is answered with 301 instead of 200, because of nginx/conf.d/mine.conf"
                        + " | the files of this release are refused: /healthz is answered with 301 instead of 200, because of nginx/conf.d/mine.conf"
            })
    void shouldEndWithTheWordsOfTheCheckAndDeployNothing(String first, String second, String reason) {
        engine.command("run", "echo '" + first + "'\necho '" + second + "'\nexit 1\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith(": " + reason);
        assertThat(engine.commands()).noneMatch(command -> command.contains("stack deploy"));
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/release")).isFalse();
    }

    @Test
    void shouldSayWhyAnImageCannotBePulled() {
        engine.command("image", "exit 1").command("pull", "echo 'Error: manifest unknown'\nexit 1\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("the image " + edgeImage() + " could not be pulled:"
                        + " public.ecr.aws: Error: manifest unknown; docker.io: Error: manifest unknown");
    }

    @Test
    void shouldSayThatAPullHasNoEnd() {
        engine.command("image", "exit 1").command("pull", "exit 124\n");

        assertThat(release().lastLine())
                .endsWith("could not be pulled: public.ecr.aws: no end within 450 s; docker.io: no end within 450 s");
    }

    @Test
    void shouldTakeTheImageFromTheSecondRegistryWhereTheFirstDoesNotHaveIt() {
        pulls("docker.io/library/");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("deployed")).startsWith("docker.io/library/" + edgeImage() + DIGEST + " ");
        assertThat(engine.commands())
                .anyMatch(command -> command.endsWith(
                        " docker.io/library/" + edgeImage() + DIGEST + " /twinhost/check.sh example.com"));
    }

    @Test
    void shouldTryAgainAtBootToPullTheImage() {
        pulls("docker.io/library/");
        engine.answer("GET", "/services", "[]")
                .command(
                        "pull",
                        "echo x >>\"$TWINHOST_ROOT/tries\"\n[[ $(wc -l <\"$TWINHOST_ROOT/tries\") -gt 5 ]] || exit 1\necho \"$3\" >>\"$TWINHOST_ROOT/pulled\"")
                .command("stack_deploy", "echo '" + service("null") + "' >\"$TWINHOST_ROOT/engine/GET_services\"");

        Shell.Result result = release("--boot");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("tries").lines()).hasSize(6);
    }

    @Test
    void shouldGiveEveryMachineTheImageThatATagStoodForWhenItConverged() {
        pulls("public.ecr.aws/");
        String noted = "public.ecr.aws/docker/library/" + edgeImage() + DIGEST;
        release();
        assertThat(shell.read("srv/twinhost/swarm/generations/1/releases/" + Release.SHA + ".json"))
                .contains("\"images\":{\"" + edgeImage() + "\":\"" + noted + "\"}");

        // another machine, later: the tag stands for something else, and the first registry is away
        shell.bash("rm pulled deployed");
        pulls("docker.io/library/");
        engine.command("image_inspect", INSPECT.formatted("e".repeat(64)));
        release();

        assertThat(shell.read("deployed")).startsWith("docker.io/library/" + edgeImage() + DIGEST + " ");
    }

    @Test
    void shouldTakeTheImagesThatTheSettingsName() {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_EDGE_IMAGE", "nginx:9.9.9@sha256:" + "1".repeat(64));
        settings.put("TWINHOST_CERTBOT_IMAGE", "certbot/certbot:v9");
        Release.of(shell, Release.SHA, settings);
        engine.command("stack_deploy", DEPLOYED);

        release();

        assertThat(shell.read("deployed"))
                .isEqualTo(
                        "public.ecr.aws/docker/library/nginx:9.9.9@sha256:" + "1".repeat(64) + " certbot/certbot:v9\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "FROM\n", "# nothing\n", "FROM a:1\nFROM b:1\n", "FROM $IMAGE\n", "FROM a:1 AS b\n"})
    void shouldRefuseADockerfileThatNamesNoImage(String file) {
        shell.write("opt/twinhost/releases/" + Release.SHA + "/docker/edge/Dockerfile", file);

        release();

        assertThat(answers.reasons())
                .singleElement()
                .asString()
                .startsWith("FAILURE docker/edge/Dockerfile does not hold one line \\\"FROM image\\\", got ");
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker"));
    }

    @Test
    void shouldNotWaitForACheckThatHasNoEnd() {
        engine.command("run", "echo 'the last word'\nexit 137\n");

        assertThat(release().lastLine()).endsWith("the files of this release are refused: no answer within 60 s");
        assertThat(engine.commands()).anyMatch(command -> command.matches("docker rm --force twinhost-release-\\d+"));
    }

    @Test
    void shouldNotLetAContainersWordsPassForItsOwn() {
        engine.answer(
                        "GET",
                        "/services",
                        service(
                                "{\"State\":\"rollback_completed\",\"StartedAt\":\"t\",\"Message\":\"failure of task t9\"}"))
                .then("GET", "/tasks", "")
                .command("service_logs", "printf '2026-01-01T00:00:00Z release: it has converged\\033[2K\\rx\\n'")
                .command("stack_deploy", "sed -i 's/\"t\"/\"t2\"/' \"$TWINHOST_ROOT/engine/GET_services\"");

        assertThat(release().output())
                .contains("\n  task t9: 2026-01-01T00:00:00Z release: it has converged[2Kx\n")
                .doesNotContain("\r", "\033");
    }

    @Test
    void shouldHandWhatLooksLikeATemplateToSwarmAsItIs() {
        Map<String, String> settings = Release.settings();
        settings.put("TWINHOST_EMAIL", "a{{b}}{{{@example.com");
        Release.of(shell, Release.SHA, settings);
        engine.command("stack_deploy", "echo \"$TWINHOST_EMAIL\" >\"$TWINHOST_ROOT/deployed\"");

        release();

        assertThat(shell.read("deployed")).isEqualTo("a{{\"{{\"}}b}}{{\"{{\"}}{@example.com\n");
    }

    @Test
    void shouldGoBackWhereSwarmRefusesTheStackHalfWay() {
        Release.of(shell, NEWER, Release.settings());
        shell.write("parameter", Release.json(NEWER));
        answers.awaitedFor(NEWER, "newer");
        shell.record("converged", "1", Release.SHA, Release.JSON);
        engine.command("stack_deploy", "[[ $* != *" + NEWER + "* ]] || { echo 'expanding env failed' && exit 1; }\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output()).contains("release " + Release.SHA + " serves again");
        assertThat(result.lastLine()).endsWith("release: expanding env failed");
        assertThat(answers.reasons()).containsExactly("FAILURE expanding env failed");
    }

    @Test
    void shouldUseTheImagesThatTheMachineSubstitutes() {
        shell.write("etc/twinhost/images.env", "export TWINHOST_EDGE_IMAGE='local/nginx:1'\n");

        release();

        assertThat(engine.commands())
                .anyMatch(command -> command.endsWith("local/nginx:1 /twinhost/check.sh example.com"));
    }

    @Test
    void shouldHandEachFileToSwarmUnderTheNameOfItsContent() throws IOException {
        release();

        JsonNode configs = new ObjectMapper().readTree(shell.read("var/lib/twinhost/stack/configs.json"));
        List<String> targets = StreamSupport.stream(
                        configs.at("/services/edge/configs").spliterator(), false)
                .map(config -> config.get("target").asText())
                .toList();
        assertThat(targets)
                .contains(
                        "/etc/nginx/nginx.conf",
                        "/etc/nginx/conf.d/default.conf",
                        "/etc/nginx/snippets/tls.conf",
                        "/twinhost/entrypoint.sh");
        assertThat(configs.at("/services/certbot/configs").findValuesAsText("target"))
                .containsExactlyInAnyOrder("/twinhost/entrypoint.sh", "/twinhost/check.py");
        for (JsonNode config : configs.get("configs")) {
            String sum = shell.bash("sha256sum " + config.get("file").asText())
                    .output()
                    .substring(0, 16);
            assertThat(config.get("name").asText())
                    .endsWith("_" + sum)
                    .matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9]");
        }
    }

    @Test
    void shouldRefuseAFileThatAsksForASettingThatDoesNotExist() {
        shell.write("opt/twinhost/releases/" + Release.SHA + "/nginx/conf.d/extra.conf", "# ${TWINHOST_DOMIAN}\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("nginx/conf.d/extra.conf asks for settings that do not exist: ${TWINHOST_DOMIAN}");
    }

    @Test
    void shouldDoNothingWhileBootstrapRuns() {
        Process bootstrap = shell.start("flock", "run/twinhost/bootstrap.lock", "tail", "-f", "/dev/null");
        try {
            Shell.Result held;
            do {
                held = shell.run("flock", "-n", "run/twinhost/bootstrap.lock", "true");
            } while (held.status() == 0);

            Shell.Result result = release();

            assertThat(result.status()).isZero();
            assertThat(result.lastLine()).contains("does nothing: bootstrap runs");
            assertThat(answers.reasons()).isEmpty();
            assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker"));
        } finally {
            bootstrap.descendants().forEach(ProcessHandle::destroy);
            bootstrap.destroy();
        }
    }

    @Test
    void shouldChangeNothingOnAMachineWhoseClusterIsNotTheRecords() {
        shell.write("var/lib/twinhost/cluster-id", "cluster-b\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("changes nothing: the cluster record names another cluster than the one of this machine");
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker"));
    }

    @Test
    void shouldChangeNothingWhereTheRecordCannotBeRead() {
        shell.bash("rm -r srv && touch srv");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("changes nothing: the cluster record was not read since this machine started");
    }

    @Test
    void shouldRunTheCodeOfTheReleaseThatIsApplied() {
        Release.of(shell, NEWER, Release.settings());
        shell.write("opt/twinhost/releases/" + NEWER + "/docker/host/release.sh", "echo \"the newer code ran: $0\"\n");
        shell.write("parameter", Release.json(NEWER));

        assertThat(release().output()).contains("the newer code ran: ").contains(NEWER);
    }

    @Test
    void shouldGoBackAsAWholeWhenSwarmRollsOneServiceBack() {
        Release.of(shell, NEWER, Release.settings());
        shell.write("parameter", Release.json(NEWER));
        answers.awaitedFor(NEWER, "newer");
        shell.write("opt/twinhost/releases/" + NEWER + "/docker/edge/Dockerfile", "FROM newer/nginx:9\n");
        assertThat(shell.record("converged", "1", Release.SHA, Release.JSON).status())
                .isZero();
        engine.command("stack_deploy", """
                case "$*" in
                  *%s*) state=rollback_completed ;;
                  *) state=completed ;;
                esac
                printf '[{"ID":"s","Spec":{"Name":"twinhost_app","Mode":{"Replicated":{"Replicas":1}},"TaskTemplate":{"ContainerSpec":{"Image":"a","Configs":[{"ConfigID":"used"}]}}},' >"$TWINHOST_ROOT/engine/GET_services"
                printf '"UpdateStatus":{"State":"%%s","StartedAt":"now","Message":"it did not last"}},%s]' "$state" >>"$TWINHOST_ROOT/engine/GET_services"
                """.formatted(
                        NEWER,
                        EngineStandIn.idle("edge") + "," + EngineStandIn.idle("challenge") + ","
                                + EngineStandIn.idle("certbot")));

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output()).contains("release " + Release.SHA + " serves again");
        assertThat(result.lastLine()).endsWith("release: twinhost_app: it did not last");
        assertThat(answers.reasons()).containsExactly("FAILURE twinhost_app: it did not last");
        assertThat(engine.commands().stream().filter(command -> command.startsWith("docker run")))
                .satisfiesExactly(
                        newer -> assertThat(newer).contains(" newer/nginx:9 "),
                        before -> assertThat(before).contains(" public.ecr.aws/docker/library/" + edgeImage() + " "));
        assertThat(shell.read("srv/twinhost/swarm/generations/1/release")).isEqualTo(Release.SHA + "\n");
    }

    @Test
    void shouldTryAgainWhenAnotherMachineDeploysAtTheSameTime() {
        engine.command("stack_deploy", """
                if [[ ! -e $TWINHOST_ROOT/tried ]]; then
                  touch "$TWINHOST_ROOT/tried"
                  echo 'failed to update service twinhost_edge: Error response from daemon: rpc error: code = Unknown desc = update out of sequence'
                  exit 1
                fi
                """);

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
    }

    @Test
    void shouldEndAtOnceWithTheReasonWhenSwarmRefusesTheStack() {
        engine.command("stack_deploy", "echo 'services.edge.ports.0 must be unique'\nexit 1\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("services.edge.ports.0 must be unique");
        assertThat(shell.read("proc/uptime")).startsWith("1000.");
    }

    @Test
    void shouldSayThatTheDeployHasNoEnd() {
        engine.command("stack_deploy", "echo 'Updating service twinhost_app (id: x)'\nexit 124\n");

        assertThat(release().lastLine())
                .endsWith("docker stack deploy had no end within 120 s, last: Updating service twinhost_app (id: x)");
    }

    @Test
    void shouldSayWhatDidNotConvergeInTime() {
        engine.answer("GET", "/tasks", task("pending", "no suitable node"));

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith(
                        "waited 540 s for every service to converge, last: twinhost_app 0 of 1; last error: no suitable node");
    }

    @Test
    void shouldGiveTheWitnessTheVerbsAlone() {
        Machine.witness(shell);

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.path("opt/twinhost/current")).isSymbolicLink();
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker"));
    }

    @Test
    void shouldDeployOnBootOnlyWhereTheClusterHasNoReleaseYet() {
        engine.answer("GET", "/services", "[]")
                .command("stack_deploy", "echo '" + service("null") + "' >\"$TWINHOST_ROOT/engine/GET_services\"");
        assertThat(release("--boot").lastLine()).endsWith("release " + Release.SHA + " has converged");

        assertThat(release("--boot").output()).doesNotContain("applies release");
    }

    @Test
    void shouldNotTakeAFirstReleaseThatHasFailedForDeployed() {
        engine.answer("GET", "/tasks", task("pending", "no suitable node"));

        Shell.Result result = release("--boot");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).contains("twinhost_app 0 of 1; last error: no suitable node");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "{\"message\":\"no leader\"}", "[{\"Spec\":", ""})
    void shouldDeployNothingAtBootWhereSwarmDoesNotSayWhatItRuns(String services) {
        engine.answer("GET", "/services", services);

        Shell.Result result = release("--boot");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).contains("waited 60 s for Swarm to say what it runs");
        assertThat(engine.commands()).noneMatch(command -> command.contains("stack deploy"));
    }

    private List<String> deleted() {
        return engine.commands().stream()
                .filter(command -> command.startsWith("engine DELETE ") && !command.endsWith("/configs/turn"))
                .map(command -> command.substring("engine DELETE ".length()))
                .toList();
    }

    @Test
    void shouldTellTheDeployThatTheReleaseServes() {
        release();

        assertThat(answers.reasons()).containsExactly("SUCCESS release " + Release.SHA + " has converged");
    }

    @Test
    void shouldTellTheDeployTheReasonOfARefusal() {
        engine.command("run", "echo 'nginx: [emerg] no \"events\" section in configuration'\nexit 1\n");

        assertThat(release().lastLine()).contains("Nginx refuses the files");
        assertThat(answers.reasons())
                .containsExactly("FAILURE Nginx refuses the files of this release:"
                        + " no \\\"events\\\" section in configuration");
    }

    @Test
    void shouldTellTheDeployAtBootWhereThisHostHasFoundedTheSite() {
        engine.answer("GET", "/services", "[]")
                .command("stack_deploy", "echo '" + service("null") + "' >\"$TWINHOST_ROOT/engine/GET_services\"");

        release("--boot");

        assertThat(answers.reasons()).containsExactly("SUCCESS release " + Release.SHA + " has converged");
    }

    @Test
    void shouldTellNothingOnAWitnessButWhyItFails() {
        Machine.witness(shell);
        release();
        assertThat(answers.reasons()).isEmpty();

        Release.of(shell, NEWER, Release.settings());
        shell.write("parameter", Release.json(NEWER));
        shell.bash("rm -r opt/twinhost/releases/" + NEWER);
        answers.awaitedFor(NEWER, "newer");
        release();

        assertThat(answers.reasons())
                .singleElement()
                .asString()
                .startsWith("FAILURE the release could not be fetched: ");
    }

    @Test
    void shouldTellTheDeployWhatEndedItUnexpectedly() {
        shell.bash("rm engine/GET_services");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(answers.reasons()).singleElement().asString().isEqualTo("FAILURE nothing is known of GET /services");
    }

    @Test
    void shouldTellTheDeployWhereItIsEndedFromOutside() {
        engine.answer("GET", "/tasks", task("pending", "no suitable node"));
        shell.pace(0);
        Process release = shell.start("bash", Release.FOLDER_OF_VERBS.formatted(root) + "/release.sh");
        while (engine.commands().stream().noneMatch(command -> command.contains("stack deploy"))) {
            Thread.onSpinWait();
        }
        release.destroy();

        assertThat(shell.await(release).status()).isEqualTo(1);
        assertThat(answers.reasons()).containsExactly("FAILURE was ended before it had an end of its own");
        assertThat(engine.commands()).contains("engine DELETE /configs/turn");
    }

    @Test
    void shouldWaitForItsTurnWhileAnotherMachineAppliesARelease() {
        takenBy("i-0b");
        engine.then("GET", "/configs", """
                [[ $(grep -c configs/create "$TWINHOST_ROOT/commands") -lt 3 ]] || {
                  echo '{"ID":"turn"}' >"$TWINHOST_ROOT/engine/POST_configs_create"
                  echo '[]' >"$TWINHOST_ROOT/engine/GET_configs"
                }
                """);

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("release: waits for another release to end: i-0b applies one\n");
        assertThat(engine.commands()).noneMatch(command -> command.endsWith("/configs/taken"));
    }

    @Test
    void shouldApplyWhatIsNamedWhenItsTurnHasCome() {
        takenBy("i-0b");
        Release.of(shell, NEWER, Release.settings());
        shell.write("opt/twinhost/releases/" + NEWER + "/docker/host/release.sh", "echo \"the newer code ran: $0\"\n");
        engine.then("GET", "/configs", """
                echo '{"ID":"turn"}' >"$TWINHOST_ROOT/engine/POST_configs_create"
                sed 's/%s/%s/g' -i "$TWINHOST_ROOT/parameter"
                """.formatted(Release.SHA, NEWER));

        Shell.Result result = release();

        assertThat(result.output()).contains("the newer code ran: ").contains(NEWER);
        assertThat(engine.commands()).noneMatch(command -> command.contains("stack deploy"));
        assertThat(engine.commands()).anyMatch(command -> command.endsWith("/configs/turn"));
    }

    @Test
    void shouldNotWaitForATurnThatAMachineHasLeftBehind() {
        for (String instance : new String[] {Machine.INSTANCE, "i-0gone"}) {
            takenBy(instance);

            Shell.Result result = release();

            assertThat(result.status()).as(result.output()).isZero();
            assertThat(result.output()).doesNotContain("applies one");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null", "{}", "[{\"ID\":", ""})
    void shouldNotTakeATurnFromAMachineOfWhichSwarmSaysNothing(String nodes) {
        takenBy("i-0gone");
        engine.answer("GET", "/nodes", nodes);
        shell.pace(600);

        Shell.Result result = release();

        assertThat(result.output()).contains("i-0gone applies one\n");
    }

    /** The seconds are those that the release of the other machine may take; one of before says none. */
    @ParameterizedTest
    @CsvSource({"'', 2680", "soon, 2680", "600, 1960", "3000, 0"})
    void shouldNotWaitLongerForATurnThanThatReleaseCanTake(String limit, String end) {
        shell.pace(120);
        takenBy("i-0b\",\"twinhost.limit\":\"" + limit);

        Shell.Result result = release();

        if (limit.equals("3000")) {
            int turn = Integer.parseInt(Release.settings().get("TWINHOST_TURN_SECONDS"));
            assertThat(result.lastLine()).contains("waited " + (turn + 120) + " s for another release to end");
        } else {
            assertThat(result.status()).as(result.output()).isZero();
            assertThat(shell.read("proc/uptime")).startsWith(end + ".");
        }
    }

    @Test
    void shouldEndAtOnceWhereNobodyLeadsTheSwarm() {
        shell.bash("rm engine/POST_configs_create");
        engine.refuse("POST", "/configs/create", "rpc error: code = Unknown desc = The swarm does not have a leader.");

        release();

        assertThat(answers.reasons())
                .containsExactly("FAILURE rpc error: code = Unknown desc = The swarm does not have a leader.");
    }

    private static String edgeImage() {
        try {
            return Files.readString(Shell.CHECKOUT.resolve("docker/edge/Dockerfile"))
                    .replace("FROM ", "")
                    .strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Only this registry has images; Docker knows those that it has pulled, and that their digest is {@link #DIGEST}. */
    private void pulls(String registry) {
        engine.command("image_inspect", INSPECT.formatted("d".repeat(64)))
                .command(
                        "pull",
                        "[[ $3 == " + registry + "* ]] || { echo 'Error: manifest unknown' && exit 1; }\n"
                                + "echo \"$3\" >>\"$TWINHOST_ROOT/pulled\"")
                .command("stack_deploy", DEPLOYED);
    }

    /** Another release has the turn, until its config is removed. */
    private void takenBy(String instance) {
        shell.bash("rm -f engine/POST_configs_create");
        engine.answer("DELETE", "/configs/taken", "")
                .then(
                        "DELETE",
                        "/configs/taken",
                        "echo '{\"ID\":\"turn\"}' >\"$TWINHOST_ROOT/engine/POST_configs_create\"");
        engine.refuse(
                        "POST",
                        "/configs/create",
                        "rpc error: code = AlreadyExists desc = config twinhost_release already exists")
                .answer(
                        "GET",
                        "/configs",
                        "[{\"ID\":\"taken\",\"Spec\":{\"Name\":\"twinhost_release\",\"Labels\":{\"twinhost.instance\":\""
                                + instance + "\"}}}]");
    }

    private Shell.Result release(String... arguments) {
        return Release.apply(shell, arguments);
    }

    private static String service(String update) {
        return "[{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\",\"Mode\":{\"Replicated\":{\"Replicas\":1}},\"TaskTemplate\":"
                + "{\"ContainerSpec\":{\"Image\":\"a\",\"Configs\":[{\"ConfigID\":\"used\"}]}}},\"PreviousSpec\":{\"TaskTemplate\":"
                + "{\"ContainerSpec\":{\"Configs\":[{\"ConfigID\":\"rollback\"}]}}},\"UpdateStatus\":" + update + "},"
                + EngineStandIn.idle("edge") + "," + EngineStandIn.idle("challenge") + ","
                + EngineStandIn.idle("certbot") + "]";
    }

    private static String task(String state, String error) {
        return "[{\"ID\":\"t\",\"ServiceID\":\"s\",\"NodeID\":\"node-1\",\"DesiredState\":\"running\","
                + "\"NetworksAttachments\":[{\"Network\":{\"Spec\":{\"Name\":\"twinhost_web\"}},\"Addresses\":[\"10.0.1.7/24\"]}],"
                + "\"Status\":{\"State\":\"" + state + "\",\"ContainerStatus\":{\"PID\":4711},\"Err\":"
                + (error.isEmpty() ? "null" : "\"" + error + "\"")
                + "},\"Spec\":{\"ContainerSpec\":{\"Image\":\"a\",\"Configs\":[{\"ConfigID\":\"used\"}]}}}]";
    }
}
