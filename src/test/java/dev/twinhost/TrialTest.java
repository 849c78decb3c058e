package dev.twinhost;

import static dev.twinhost.Tasks.pull;
import static dev.twinhost.Tasks.task;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which image a release runs, and what the application has to show before the release is called converged. */
@Needs({"envsubst", "jq", "python3"})
class TrialTest {
    private static final String BEFORE = "b".repeat(64);
    private static final String IMAGE = "example/shop:1";
    private static final String DIGEST = "@sha256:" + "d".repeat(64);
    private static final String MOVED = "@sha256:" + "e".repeat(64);
    private static final String REGISTRY = "/distribution/" + IMAGE + "/json";
    private static final String PULL = "twinhost-pull-SUM";
    private static final String NO_ANSWER = "within 60 s (appStartSeconds) there was no answer: ";

    @TempDir
    Path root;

    private final Map<String, String> settings = Release.settings();
    private Shell shell;
    private EngineStandIn engine;
    private Answers answers;

    @BeforeEach
    void createHostThatServesAnotherRelease() {
        shell = Machine.inACluster(new Shell(root));
        shell.pace(10);
        shell.standIn("uname", "echo x86_64");
        shell.standIn("systemctl", "[[ $* != *is-active* ]]");
        shell.standIn("systemd-run", """
                printf 'systemd-run %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
                while [[ $1 == -* ]]; do shift; done
                "$@\"""");
        settings.put("TWINHOST_APP_IMAGE", IMAGE);
        settings.put("TWINHOST_APP_PORT", "3000");
        engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer("GET", "/nodes", ReleaseTest.NODES)
                .answer("GET", "/configs", "[]")
                .answer("GET", "/secrets", "[]")
                .answer("GET", "/services", service("completed"))
                .answer("GET", "/containers/c0ffee/top", "{\"Processes\":[[\"4711\"],[\"4712\"]]}")
                .command("image_inspect", "[[ $3 != " + IMAGE + "* ]] || grep -qxF \"$3\" \"$TWINHOST_ROOT/pulled\"")
                .command("pull", "echo \"$3\" >>\"$TWINHOST_ROOT/pulled\"")
                .command(
                        "stack_deploy",
                        "echo \"$TWINHOST_APP_IMAGE $TWINHOST_APP_DELAY $TWINHOST_APP_SUM\" >>\"$TWINHOST_ROOT/deployed-${!#}\"\n")
                .then("GET", "/tasks", """
                        case $target in
                          *trial*) cp "$TWINHOST_ROOT/trial-tasks" "$name" ;;
                          *pull*) cp "$TWINHOST_ROOT/pull-tasks" "$name" ;;
                          *) cp "$TWINHOST_ROOT/tasks" "$name" ;;
                        esac
                        """);
        shell.write("pulled", "");
        shell.write("tasks", "[" + task("running", "") + "]");
        shell.write("pull-tasks", "[" + pull("node-1", "failed", "") + "]");
        trial("running", "", "{\"State\":{}}");
        registryHas(DIGEST);
        for (String process : List.of("4711", "4712")) {
            shell.write("proc/" + process + "/oom_score_adj", "0\n");
        }
        answers = new Answers(shell).awaitedFor(Release.SHA, "deploy");
        Release.of(shell, BEFORE, settings);
        converged(BEFORE, "");
    }

    @Test
    void shouldTryTheApplicationBeforeSwarmHearsOfTheRelease() {
        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(commands().stream()
                        .filter(command -> command.matches("docker (stack deploy|service rm).*"))
                        .map(command -> command.replaceAll("-c \\S+/", "")))
                .containsExactly(
                        "docker service rm " + PULL,
                        "docker service rm twinhost-trial_trial",
                        "docker stack deploy trial-service.yml trial-trial.yml trial.json --prune --with-registry-auth"
                                + " --resolve-image never twinhost-trial",
                        "docker service rm twinhost-trial_trial",
                        "docker stack deploy stack.yml service.yml configs.json app.json --prune --with-registry-auth"
                                + " --resolve-image never twinhost",
                        "docker service rm twinhost-trial_trial");
        assertThat(shell.read("var/lib/twinhost/stack/trial-service.yml"))
                .contains("\n  trial:\n")
                .doesNotContain("\n  app:\n");
        assertThat(answers.reasons()).containsExactly("SUCCESS release " + Release.SHA + " has converged");
    }

    @Test
    void shouldAskTheContainerItselfAndThenEveryEdge() {
        settings.put("TWINHOST_APP_HEALTH_PATH", "/up");

        assertThat(release().status()).isZero();

        List<String> asked = engine.commands().stream()
                .filter(command -> command.startsWith("nsenter"))
                .toList();
        assertThat(asked)
                .allMatch(command -> command.startsWith("nsenter -t 4711 -n curl ")
                        && command.contains("-H Host: www.example.com -H X-Forwarded-Proto: https"));
        assertThat(asked.get(0)).endsWith(" http://10.0.1.7:3000/up");
        assertThat(asked.get(asked.size() - 1)).endsWith(" http://10.0.1.7:8081/up");
    }

    @Test
    void shouldLetTheTrialEndFirstWhereMemoryRunsOut() {
        release();

        assertThat(shell.read("proc/4711/oom_score_adj")).isEqualTo("1000\n");
        assertThat(shell.read("proc/4712/oom_score_adj")).isEqualTo("1000\n");
    }

    @Test
    void shouldRunEverywhereAndNoteTheDigestThatTheTagMeansNow() {
        release();

        assertThat(shell.read("deployed-twinhost")).startsWith(IMAGE + DIGEST + " ");
        assertThat(shell.read("pulled")).isEqualTo(IMAGE + DIGEST + "\n");
        assertThat(noted().at("/images/" + IMAGE.replace("/", "~1")).asText()).isEqualTo(IMAGE + DIGEST);
    }

    @Test
    void shouldLetTheNextContainerWaitForAsLongAsTheTrialTookWhereNothingChecksItsHealth() {
        engine.inNetwork(
                "curl",
                "echo x >>\"$TWINHOST_ROOT/asked\"\n[[ $(wc -l <\"$TWINHOST_ROOT/asked\") -gt 4 ]] || { echo 'curl: (7) refused' && exit 7; }\nprintf '200 0.003'");

        assertThat(release().status()).isZero();

        int delay = Integer.parseInt(shell.read("deployed-twinhost").split("[ \n]")[1]);
        assertThat(delay).isBetween(42, 52);
        assertThat(noted().at("/appDelay").asInt()).isEqualTo(delay);
    }

    @Test
    void shouldNotLetItWaitWhereACheckSaysThatItListens() {
        trial("running", "", "{\"State\":{\"Health\":{\"Status\":\"healthy\",\"Log\":[]}}}");

        release();

        assertThat(shell.read("deployed-twinhost")).contains(" 2 ");
    }

    @Test
    void shouldSayWhyTheTrialFailed() {
        trial("failed", "task: non-zero exit (1)", "{\"State\":{}}");
        engine.command("logs", "printf 'listening soon\\033[2K\\n'\n");

        assertRefused("the application was tried and is not released: task: non-zero exit (1)");
        assertThat(shell.bash("cat output-*").output()).contains("\n  application: listening soon[2K\n");
    }

    @Test
    void shouldSayWhatListensInstead() {
        engine.inNetwork(
                        "curl", "echo 'curl: (7) Failed to connect to 10.0.1.7 port 3000' >&2\nprintf '000 '\nexit 7\n")
                .inNetwork("ss", "echo 'LISTEN 0 511 127.0.0.1:3000 0.0.0.0:*'\n");

        assertRefused("the application was tried and is not released: " + NO_ANSWER
                + "Failed to connect to 10.0.1.7 port 3000, as it listens on 127.0.0.1:3000 only: let it listen on"
                + " 0.0.0.0");
    }

    @Test
    void shouldRefuseWhatAnswersAndThenEnds() {
        engine.inNetwork("curl", """
                echo x >>"$TWINHOST_ROOT/asked"
                [[ $(wc -l <"$TWINHOST_ROOT/asked") -lt 3 ]] || sed -i 's/"running"/"failed"/; s/"Err":null/"Err":"task: non-zero exit (3)"/' "$TWINHOST_ROOT/trial-tasks"
                printf '200 0.003'
                """);

        assertRefused("the application was tried and is not released: task: non-zero exit (3)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"500", "404", "302", "401"})
    void shouldTakeAnAnswerOfAnyStatus(String status) {
        engine.inNetwork("curl", "printf '" + status + " 0.003'");

        assertThat(release().status()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"kill -KILL $$", "exit 0", "exit 127"})
    void shouldNotTakeAQuestionThatBreaksForAnAnswer(String broken) {
        engine.inNetwork("curl", "case ${!#} in *:8081*) " + broken + " ;; esac\nprintf '200 0.003'");

        assertThat(release().status()).isEqualTo(1);
        assertThat(answers.reasons()).singleElement().asString().startsWith("FAILURE waited ");
    }

    @Test
    void shouldGoBackWhereAnEdgeGetsNoAnswer() {
        engine.inNetwork("curl", "case ${!#} in *:8081*) printf '502 -, -' ;; *) printf '200 ' ;; esac");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output()).contains("release " + BEFORE + " serves again");
        assertThat(answers.reasons())
                .singleElement()
                .asString()
                .startsWith(
                        "FAILURE waited 20 s for every edge to pass on an answer of the application, last: the edge on"
                                + " node-1 gets no answer from the application (502): ");
    }

    @Test
    void shouldNotAskForAnApplicationInMaintenance() {
        settings.put("TWINHOST_MAINTENANCE", "true");

        assertThat(release().status()).isZero();
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("nsenter"));
    }

    @Test
    void shouldNotTryWhatRunsAlready() {
        release();
        String sum = shell.read("deployed-twinhost").split("[ \n]")[2];
        engine.answer(
                "GET", "/services/twinhost_app", "{\"Spec\":{\"Labels\":{\"twinhost.application\":\"" + sum + "\"}}}");
        shell.bash("rm deployed-twinhost-trial");

        assertThat(release().status()).isZero();
        assertThat(shell.exists("deployed-twinhost-trial")).isFalse();
    }

    @Test
    void shouldRefuseAnImageForOtherMachinesBeforeItIsPulled() {
        engine.answer(
                "GET",
                REGISTRY,
                "{\"Descriptor\":{\"digest\":\"" + DIGEST.substring(1)
                        + "\"},\"Platforms\":[{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"},"
                        + "{\"architecture\":\"unknown\",\"os\":\"unknown\"}]}");

        assertRefused(
                "the image " + IMAGE + " cannot be had: it is for linux/arm64, and the machines are linux/amd64: build"
                        + " it for linux/amd64, or choose an instanceType for which it is, as t4g.small");
        assertThat(shell.read("pulled")).isEmpty();
    }

    /** Docker does not ask for the platform of every kind of image. */
    @Test
    void shouldRefuseAnImageForOtherMachinesAtTheLatestWhenItIsPulled() {
        engine.answer(
                        "GET",
                        REGISTRY,
                        "{\"Descriptor\":{\"digest\":\"" + DIGEST.substring(1) + "\"},\"Platforms\":null}")
                .command(
                        "image_inspect",
                        "[[ $3 != --format ]] || echo linux/arm64\n" + "[[ $3 != " + IMAGE
                                + "* ]] || grep -qxF \"$3\" \"$TWINHOST_ROOT/pulled\"");

        assertRefused(
                "the image " + IMAGE + " cannot be had: it is for linux/arm64, and the machines are linux/amd64: build"
                        + " it for linux/amd64, or choose an instanceType for which it is, as t4g.small");
    }

    @Test
    void shouldLeaveSwarmItsLoginOnTheWayBackWhereTheRegistryIsAway() {
        settings.put(
                "TWINHOST_APP_REGISTRY_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-AbCdEf");
        Release.of(shell, Release.SHA, settings);
        converged(Release.SHA, DIGEST);
        shell.standIn("aws", "[[ $1 != secretsmanager ]] || exit 255\ncat \"$TWINHOST_ROOT/parameter\"");

        Shell.Result result = release("--back");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(engine.commands())
                .filteredOn(command -> command.startsWith("docker stack deploy"))
                .singleElement()
                .satisfies(command -> assertThat(command).doesNotContain("--with-registry-auth"));
    }

    @Test
    void shouldRefuseATagThatCannotBeResolvedThoughAnImageOfThatNameIsHere() {
        shell.write("pulled", IMAGE + "\n");
        shell.bash("rm engine/*distribution*");
        engine.refuse("GET", REGISTRY, "Get https://registry-1.docker.io/v2/: dial tcp: connection refused");

        assertRefused("the image " + IMAGE
                + " cannot be had: Get https://registry-1.docker.io/v2/: dial tcp: connection refused");
    }

    @Test
    void shouldSayWhyAnImageIsNotPulled() {
        engine.command("pull", "echo 'Error response from daemon: no space left on device'\nexit 1\n");

        assertRefused(
                "the image " + IMAGE + " could not be pulled: Error response from daemon: no space left on device");
    }

    /** The pull comes to its end between the question for the image and the question for the pull. */
    @Test
    void shouldFindAnImageThatWasPulledWhileItLooked() {
        shell.standIn("systemd-run", "touch \"$TWINHOST_ROOT/active\"");
        shell.standIn("systemctl", """
                [[ $* == *is-active* ]] || exit 0
                [[ -e $TWINHOST_ROOT/active ]] || exit 1
                docker pull -q %s
                exit 1""".formatted(IMAGE + DIGEST));

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("pulled")).isEqualTo(IMAGE + DIGEST + "\n");
    }

    @Test
    void shouldLeaveAPullThatTakesTooLongToGoOn() {
        shell.pace(60);
        shell.standIn("systemd-run", "touch \"$TWINHOST_ROOT/active\"");
        shell.standIn("systemctl", "[[ $* != *is-active* || -e $TWINHOST_ROOT/active ]]");

        assertRefused("the image " + IMAGE
                + " was not pulled within 900 s on this host; that goes on: deploy again when it has ended");
        assertThat(commands()).doesNotContain("docker service rm " + PULL);
    }

    @Test
    void shouldHaveEveryHostPullTheImageBeforeItIsTried() {
        engine.answer("GET", "/nodes", "[" + ReleaseTest.NODES.replaceAll("^.|.$", "") + "," + node("node-2") + "]")
                .then("GET", "/tasks", """
                case $target in
                  *trial*) cp "$TWINHOST_ROOT/trial-tasks" "$name" ;;
                  *pull*)
                    cp "$TWINHOST_ROOT/pull-tasks" "$name"
                    echo x >>"$TWINHOST_ROOT/asked-for-pulls"
                    [[ $(wc -l <"$TWINHOST_ROOT/asked-for-pulls") -lt 4 ]] || sed -i 's/preparing/failed/' "$TWINHOST_ROOT/pull-tasks"
                    ;;
                  *) cp "$TWINHOST_ROOT/tasks" "$name" ;;
                esac
                """);
        shell.write("pull-tasks", "[" + pull("node-1", "failed", "") + "," + pull("node-2", "preparing", "") + "]");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .contains("waits for the image " + IMAGE + " on every host: it is not yet on node-2");
        assertThat(commands())
                .contains("docker service create --quiet --detach --name " + PULL + " --label twinhost.pull=yes --mode"
                        + " global --constraint engine.labels.twinhost.role == host --restart-condition none"
                        + " --no-healthcheck --no-resolve-image --with-registry-auth --entrypoint /only-pulled "
                        + IMAGE + DIGEST);
        assertThat(result.output().indexOf("not yet on node-2"))
                .isLessThan(result.output().indexOf("tries the application"));
    }

    @Test
    void shouldSayWhichHostCannotPullTheImage() {
        engine.answer("GET", "/nodes", "[" + ReleaseTest.NODES.replaceAll("^.|.$", "") + "," + node("node-2") + "]");
        shell.write(
                "pull-tasks",
                "[" + pull("node-1", "failed", "") + "," + pull("node-2", "rejected", "No such image: " + IMAGE) + "]");

        assertRefused("the image " + IMAGE + " could not be pulled: rejected by node-2: No such image: " + IMAGE);
        assertThat(commands()).contains("docker service rm " + PULL);
    }

    @Test
    void shouldTryAPullAgainThatWasRejectedAfterAnEarlierRelease() {
        shell.write("pull-tasks", "[" + pull("node-1", "rejected", "No such image: " + IMAGE) + "]");
        engine.command(
                "service_rm", "[[ $3 != *-pull-* ]] || sed -i 's/rejected/failed/' \"$TWINHOST_ROOT/pull-tasks\"");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
    }

    @Test
    void shouldNotReleaseWhatIsNotKnownToBeOnEveryHost() {
        shell.pace(60);
        shell.write("pull-tasks", "[" + pull("node-1", "preparing", "") + "]");

        assertRefused("the image " + IMAGE
                + " was not pulled within 900 s on every host; that goes on: deploy again when it has ended");
        assertThat(commands()).doesNotContain("docker service rm " + PULL);
    }

    @Test
    void shouldHaveNobodyPullWhatTheServiceRuns() {
        engine.answer(
                "GET",
                "/services/twinhost_app",
                "{\"Spec\":{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + IMAGE + DIGEST + "\"}}}}");

        assertThat(release().status()).isZero();
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker service create"));
    }

    @Test
    void shouldEndThePullsThatAnotherReleaseHasLeft() {
        String left =
                EngineStandIn.idle("left").replace("\"Spec\":{", "\"Spec\":{\"Labels\":{\"twinhost.pull\":\"yes\"},");
        engine.answer("GET", "/services", service("completed").replaceFirst("]$", "," + left + "]"));

        release();

        assertThat(engine.commands()).contains("docker service rm left");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--boot", "--back", ""})
    void shouldTakeWhatWasNotedAndAskNoRegistryOnceTheReleaseHasConverged(String mode) {
        Release.of(shell, Release.SHA, settings);
        converged(Release.SHA, DIGEST);
        shell.bash("rm engine/*distribution*");
        if (mode.equals("--boot")) {
            engine.answer("GET", "/services", "[]")
                    .command(
                            "stack_deploy",
                            "echo \"$TWINHOST_APP_IMAGE $TWINHOST_APP_DELAY $TWINHOST_APP_SUM\" >>\"$TWINHOST_ROOT/deployed-${!#}\"\necho '"
                                    + service("completed") + "' >\"$TWINHOST_ROOT/engine/GET_services\"");
        }

        Shell.Result result = release(mode.isEmpty() ? new String[0] : new String[] {mode});

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("deployed-twinhost")).startsWith(IMAGE + DIGEST + " 2 ");
        assertThat(engine.commands()).noneMatch(command -> command.contains("/distribution/"));
    }

    @Test
    void shouldTakeWhatTheTagMeansNowWhereItIsAskedTo() {
        converged(Release.SHA, DIGEST);
        registryHas(MOVED);

        Shell.Result result = release("--resolve");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("deployed-twinhost")).startsWith(IMAGE + MOVED + " ");
        assertThat(noted().at("/images/" + IMAGE.replace("/", "~1")).asText()).isEqualTo(IMAGE + MOVED);
    }

    @Test
    void shouldGoBackToTheImageThatTheSameReleaseHad() {
        converged(Release.SHA, DIGEST);
        registryHas(MOVED);
        engine.inNetwork("curl", "case ${!#} in *:8081*) printf '502 ' ;; *) printf '200 ' ;; esac");

        Shell.Result result = release("--resolve");

        assertThat(result.status()).isEqualTo(1);
        assertThat(shell.read("deployed-twinhost").lines().map(line -> line.split(" ")[0]))
                .containsExactly(IMAGE + MOVED, IMAGE + DIGEST);
        assertThat(result.output()).contains("release " + Release.SHA + " serves again");
    }

    @Test
    void shouldNotCallConvergedWhatIsStartedAgainAndAgain() {
        engine.then("GET", "/tasks", """
                case $target in
                  *trial*) cp "$TWINHOST_ROOT/trial-tasks" "$name" ;;
                  *pull*) cp "$TWINHOST_ROOT/pull-tasks" "$name" ;;
                  *) sed "s/\\"ID\\":\\"t\\"/\\"ID\\":\\"t$(cut -d. -f1 "$TWINHOST_ROOT/proc/uptime")\\"/" "$TWINHOST_ROOT/tasks" >"$name" ;;
                esac
                """);
        shell.pace(8);

        assertThat(release().status()).isEqualTo(1);
        assertThat(answers.reasons())
                .singleElement()
                .asString()
                .startsWith(
                        "FAILURE waited 540 s for every service to converge, last: the same containers to run for 10 s");
    }

    @Test
    void shouldFailTheFirstReleaseOfAnApplicationThatEndsAgainAndAgain() {
        shell.bash("rm -r srv/twinhost/swarm/generations/1/release*");
        engine.answer("GET", "/services", service(null));
        shell.write(
                "tasks",
                Stream.of("t1", "t2", "t3")
                        .map(id -> task("failed", "task: non-zero exit (1)").replace("\"t\"", "\"" + id + "\""))
                        .collect(Collectors.joining(",", "[", "]")));

        assertThat(release().status()).isEqualTo(1);
        assertThat(answers.reasons())
                .containsExactly(
                        "FAILURE twinhost_app: 3 containers have ended one after the other: task: non-zero exit (1)");
        assertThat(shell.exists("srv/twinhost/swarm/generations/1/release")).isFalse();
    }

    @Test
    void shouldRemoveTheTrialWhereTheReleaseIsEndedFromOutside() {
        trial("preparing", "", "{}");
        shell.pace(0);
        Release.of(shell, Release.SHA, settings);
        Process release = shell.start("bash", Release.FOLDER_OF_VERBS.formatted(root) + "/release.sh");
        while (!shell.exists("deployed-twinhost-trial")) {
            Thread.onSpinWait();
        }
        release.destroy();

        assertThat(shell.await(release).status()).isEqualTo(1);
        assertThat(engine.commands().stream().filter(command -> command.startsWith("docker service rm twinhost-trial")))
                .hasSize(2);
    }

    /** What a script called, without the sums in names. */
    private List<String> commands() {
        return engine.commands().stream()
                .map(command -> command.replaceAll("pull-[0-9a-f]{16}", "pull-SUM"))
                .toList();
    }

    private void assertRefused(String reason) {
        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isEqualTo(1);
        assertThat(answers.reasons()).containsExactly("FAILURE " + reason.replace("\"", "\\\""));
        assertThat(shell.exists("deployed-twinhost")).isFalse();
        assertThat(shell.read("srv/twinhost/swarm/generations/1/release")).isEqualTo(BEFORE + "\n");
    }

    private Shell.Result release(String... arguments) {
        Release.of(shell, Release.SHA, settings);
        return Release.apply(shell, arguments);
    }

    /** That release is the last one that converged, with the application's image by this digest. */
    private void converged(String sha, String digest) {
        String images = digest.isEmpty() ? "" : "{\"images\":{\"" + IMAGE + "\":\"" + IMAGE + digest + "\"},";
        String json = Release.json(sha).replaceFirst("\\{", images.isEmpty() ? "{" : images);
        assertThat(shell.record("converged", "1", sha, json).status()).isZero();
    }

    private JsonNode noted() {
        try {
            return new ObjectMapper()
                    .readTree(shell.read("srv/twinhost/swarm/generations/1/releases/" + Release.SHA + ".json"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void registryHas(String digest) {
        engine.answer(
                "GET",
                REGISTRY,
                "{\"Descriptor\":{\"digest\":\"" + digest.substring(1)
                        + "\"},\"Platforms\":[{\"architecture\":\"amd64\",\"os\":\"linux\"}]}");
    }

    private void trial(String state, String error, String container) {
        shell.write("trial-tasks", "[" + task(state, error) + "]");
        engine.answer("GET", "/containers/c0ffee/json", container);
    }

    private static String node(String name) {
        return ReleaseTest.NODES
                .replaceAll("^.|.$", "")
                .replace("node-1", name)
                .replace("\"Description\":{", "\"Description\":{\"Hostname\":\"" + name + "\",");
    }

    private static String service(String state) {
        return "[{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\",\"Mode\":{\"Replicated\":{\"Replicas\":1}},\"TaskTemplate\":"
                + "{\"ContainerSpec\":{\"Image\":\"a\"}}},\"UpdateStatus\":"
                + (state == null ? "null" : "{\"State\":\"" + state + "\",\"StartedAt\":\"t\"}") + "},"
                + EngineStandIn.idle("edge") + "," + EngineStandIn.idle("challenge") + ","
                + EngineStandIn.idle("certbot") + "]";
    }
}
