package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.settings.ReleaseTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What can be said of the workflows by reading them. What their scripts do is in {@link PipelineTest}. */
class WorkflowsTest {
    private static final Path FOLDER = Shell.CHECKOUT.resolve(".github/workflows");
    private static final Path LINTERS = Shell.CHECKOUT.resolve("src/test/node/lint-workflows.mjs");
    private static final Pattern PINNED = Pattern.compile("[\\w.-]+/[\\w.-]+@[0-9a-f]{40} # v\\d+\\.\\d+\\.\\d+");
    private static final Pattern SCRIPT =
            Pattern.compile("(?:sudo --preserve-env=CI )?(bin/[a-z]+)( --all| \"\\$[A-Z_]+\"| [A-Z_]+)*");

    @TempDir
    Path root;

    @ParameterizedTest
    @MethodSource("workflows")
    @Needs(Needs.TEST_MODULES)
    void shouldPassTheLinters(Path workflow) {
        assertThat(lint(workflow)).isEqualTo(new Shell.Result(0, ""));
    }

    @Test
    @Needs(Needs.TEST_MODULES)
    void shouldHaveLintersThatFindWhatIsWrong() throws IOException {
        Path workflow = root.resolve("wrong.yml");
        Files.writeString(
                workflow,
                read(FOLDER.resolve("diff.yml"))
                        .replace("  pull_request:\n", "  pul_request:\n")
                        .replace("run: bin/comment", "run: echo ${{ github.event.pull_request.title }}")
                        .replace("steps.ready.outputs.ready == 'yes' }}", "steps.redy.outputs.ready == 'yes' }}"));

        assertThat(lint(workflow).output())
                .contains("Unexpected value 'pul_request'")
                .contains("\"github.event.pull_request.title\" is potentially untrusted")
                .contains("property \"redy\" is not defined");
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void shouldPinEveryActionByCommitWithItsVersionBesideIt(Path workflow) {
        List<String> uses = Pattern.compile("(?m)^ +(?:- )?uses: (.*)$")
                .matcher(read(workflow))
                .results()
                .map(match -> match.group(1))
                .toList();

        assertThat(uses).isNotEmpty().allMatch(action -> PINNED.matcher(action).matches());
        assertThat(steps(workflow).stream().filter(step -> step.containsKey("uses")))
                .as("none is written in another way")
                .hasSameSizeAs(uses);
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void shouldGiveEachJobItsOwnRightsAndItsOwnLimit(Path workflow) {
        Map<?, ?> read = parse(workflow);
        // A job without rights of its own has those of the workflow, and that without any has those of the repository's
        // settings.
        assertThat(read.get("permissions")).isIn(Map.of(), Map.of("contents", "read"));
        assertThat(jobs(workflow)).isNotEmpty().allSatisfy(job -> {
            assertThat(job.get("timeout-minutes")).isInstanceOf(Integer.class);
            if (Map.of().equals(read.get("permissions"))) {
                assertThat(job.containsKey("permissions")).isTrue();
            }
        });
        assertThat(read(workflow)).doesNotContain("write-all", "read-all");
    }

    @Test
    void shouldLetNoJobWriteButWhereItMust() {
        assertThat(written("build")).isEmpty();
        assertThat(written("weekly")).isEmpty();
        assertThat(written("diff")).containsExactlyInAnyOrder("id-token", "pull-requests");
        assertThat(written("deploy")).containsExactly("id-token");
        assertThat(written("drift")).containsExactly("id-token");
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void shouldKnowNoSecretAndLeaveNoneBehind(Path workflow) {
        assertThat(read(workflow)).doesNotContain("secrets.", "secrets[", "pull_request_target", "workflow_run");
        assertThat(steps(workflow).stream()
                        .filter(step -> String.valueOf(step.get("uses")).startsWith("actions/checkout@")))
                .hasSize(1)
                .allSatisfy(step -> assertThat(step.get("with"))
                        .asInstanceOf(InstanceOfAssertFactories.MAP)
                        .containsEntry("persist-credentials", false));
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void shouldRunScriptsAlone(Path workflow) {
        List<String> runs = steps(workflow).stream()
                .filter(step -> step.containsKey("run"))
                .map(step -> step.get("run").toString())
                .toList();

        assertThat(runs).isNotEmpty().allSatisfy(run -> {
            List<MatchResult> script = SCRIPT.matcher(run).results().toList();
            assertThat(script).as(run).hasSize(1);
            assertThat(script.get(0).group()).isEqualTo(run);
            assertThat(Shell.CHECKOUT.resolve(script.get(0).group(1))).isExecutable();
        });
    }

    @Test
    void shouldDeployTheMainBranchAloneOneAtATimeAndToItsEnd() {
        Map<?, ?> deploy = parse(FOLDER.resolve("deploy.yml"));

        assertThat(on(deploy)).isEqualTo(Map.of("push", Map.of("branches", List.of("main"))));
        assertThat(deploy.get("concurrency")).isEqualTo(Map.of("group", "deploy", "cancel-in-progress", false));
        assertThat(read(FOLDER.resolve("deploy.yml"))).contains("ref: refs/heads/main\n");
        assertThat(workflows().filter(workflow -> read(workflow).contains("TWINHOST_DEPLOY_ROLE")))
                .extracting(workflow -> workflow.getFileName().toString())
                .containsExactlyInAnyOrder("deploy.yml", "drift.yml");
    }

    /** A quarter of an hour is for what comes before the wait, and after it. */
    @Test
    void shouldNotEndADeployThatMayStillGetItsAnswer() {
        Duration answer = Duration.ofSeconds(new ReleaseTime(2, 60).answerSeconds());

        assertThat(jobs(FOLDER.resolve("deploy.yml")))
                .hasSize(1)
                .allSatisfy(job -> assertThat(Duration.ofMinutes((Integer) job.get("timeout-minutes")))
                        .isGreaterThanOrEqualTo(answer.plusMinutes(15)));
    }

    /** Of those that wait in one group GitHub keeps the last: another workflow in it could take a deploy's place. */
    @Test
    void shouldGiveEachWorkflowAGroupOfItsOwn() {
        assertThat(workflows().map(workflow -> ((Map<?, ?>) parse(workflow).get("concurrency")).get("group")))
                .doesNotHaveDuplicates();
    }

    /** The gate runs the core of the scenarios, so this is where the others can fail. */
    @Test
    void shouldRunEveryTestEveryWeek() {
        Map<?, ?> weekly = parse(FOLDER.resolve("weekly.yml"));

        assertThat(((Map<?, ?>) on(weekly)).keySet()).isEqualTo(Set.of("schedule", "workflow_dispatch"));
        assertThat(steps(FOLDER.resolve("weekly.yml")))
                .anyMatch(step -> "sudo --preserve-env=CI bin/test --all".equals(step.get("run")));
    }

    @Test
    void shouldCompareOnPullRequestsAlone() {
        Map<?, ?> diff = parse(FOLDER.resolve("diff.yml"));

        assertThat(((Map<?, ?>) on(diff)).keySet()).isEqualTo(Set.of("pull_request"));
        assertThat(read(FOLDER.resolve("diff.yml"))).doesNotContain("TWINHOST_DEPLOY_ROLE");
    }

    @Test
    void shouldAskForNewerVersionsOfAllThatIsPinned() {
        List<?> updates =
                (List<?>) parse(FOLDER.resolveSibling("dependabot.yml")).get("updates");

        assertThat(updates)
                .extracting(update -> ((Map<?, ?>) update).get("package-ecosystem"))
                .isEqualTo(List.of("maven", "npm", "github-actions", "docker"));
        assertThat(((Map<?, ?>) updates.get(1)).get("directories")).isEqualTo(List.of("/", "/src/test/node"));
    }

    private Shell.Result lint(Path workflow) {
        assertThat(LINTERS.resolveSibling("node_modules"))
                .as("npm ci --prefix src/test/node installs the linters")
                .exists();
        return new Shell(root)
                .with("PATH", Shell.CHECKOUT.resolve("node_modules/.bin") + ":/usr/bin:/bin")
                .run("node", LINTERS.toString(), workflow.toString());
    }

    private static List<String> written(String workflow) {
        List<String> written = new ArrayList<>();
        for (Map<?, ?> job : jobs(FOLDER.resolve(workflow + ".yml"))) {
            if (job.get("permissions") instanceof Map<?, ?> permissions) {
                permissions.forEach((scope, right) -> {
                    if (!"read".equals(right)) {
                        written.add(scope.toString());
                    }
                });
            }
        }
        return written;
    }

    static Stream<Path> workflows() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** YAML 1.1, which the parser knows, takes {@code on} for {@code true}. */
    private static Object on(Map<?, ?> workflow) {
        return workflow.get(true);
    }

    private static List<Map<?, ?>> jobs(Path workflow) {
        List<Map<?, ?>> jobs = new ArrayList<>();
        ((Map<?, ?>) parse(workflow).get("jobs")).values().forEach(job -> jobs.add((Map<?, ?>) job));
        return jobs;
    }

    private static List<Map<?, ?>> steps(Path workflow) {
        List<Map<?, ?>> steps = new ArrayList<>();
        jobs(workflow).forEach(job -> ((List<?>) job.get("steps")).forEach(step -> steps.add((Map<?, ?>) step)));
        return steps;
    }

    private static Map<?, ?> parse(Path workflow) {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(read(workflow));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
