package dev.twinhost;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be said of the scripts by reading them. */
class ScriptsTest {
    private static final Path LAUNCHER = Shell.CHECKOUT.resolve("src/main/resources/dev/twinhost/user-data.sh");
    private static final Path VERBS = Shell.CHECKOUT.resolve("docker/host");
    private static final Path STACK = Shell.CHECKOUT.resolve("docker/stack.yml");
    private static final Path DEFAULT_PAGE = Shell.CHECKOUT.resolve("docker/app/stack.yml");
    private static final Path APPLICATION = Shell.CHECKOUT.resolve("docker/app/service.yml");
    private static final List<Path> COMPOSE = List.of(
            STACK,
            APPLICATION,
            DEFAULT_PAGE,
            Shell.CHECKOUT.resolve("docker/app/health.yml"),
            Shell.CHECKOUT.resolve("docker/app/trial.yml"));
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{?((?:AWS|TWINHOST)_[A-Z0-9_]+)");

    /** Where the tests put a machine's root; empty on a machine. */
    private static final String SEAM = "TWINHOST_ROOT";

    /** What `release` works out by itself, and what a machine may substitute. */
    private static final Set<String> OF_RELEASE = Set.of(
            "TWINHOST_EDGE_IMAGE",
            "TWINHOST_CERTBOT_IMAGE",
            "TWINHOST_EDGE_GRACE",
            "TWINHOST_EDGE_FIRST",
            "TWINHOST_EDGE_LAST",
            "TWINHOST_EDGE_PATIENCE",
            "TWINHOST_APP_UPDATE_ORDER",
            "TWINHOST_APP_DELAY",
            "TWINHOST_APP_SUM",
            "TWINHOST_NODE");

    /** What the metadata service says, noted by `bootstrap`. */
    private static final Set<String> LIMITS =
            Set.of("TWINHOST_LIMIT_DOWN", "TWINHOST_LIMIT_MISSING", "TWINHOST_LIMIT_LEADERLESS");

    private static final Set<String> OF_THE_INSTANCE = Set.of("TWINHOST_INSTANCE", "TWINHOST_ADDRESS");

    /**
     * What the scripts call of Docker's command line, all of it in the reference of Docker 25.0, which Amazon Linux packages:
     * https://github.com/docker/cli/tree/v25.0.0/docs/reference/commandline
     */
    private static final Map<String, Set<String>> DOCKER_25 = Map.ofEntries(
            entry("image inspect", Set.of("--format")),
            entry("image rm", Set.of("--force")),
            entry("pull", Set.of("-q")),
            entry("run", Set.of("--rm", "--name", "--network")),
            entry("rm", Set.of("--force")),
            entry("ps", Set.of("-q", "-f", "--format")),
            entry("stop", Set.of("-t")),
            entry("stack deploy", Set.of("--prune", "--with-registry-auth", "--resolve-image")),
            entry("service logs", Set.of("--raw", "--tail")),
            entry(
                    "service create",
                    Set.of(
                            "--quiet",
                            "--detach",
                            "--name",
                            "--label",
                            "--mode",
                            "--constraint",
                            "--restart-condition",
                            "--no-healthcheck",
                            "--no-resolve-image",
                            "--with-registry-auth",
                            "--entrypoint")),
            entry("service rm", Set.of()),
            entry("logs", Set.of("--tail")),
            entry(
                    "service update",
                    Set.of(
                            "--quiet",
                            "--detach",
                            "--no-resolve-image",
                            "--with-registry-auth",
                            "--label-add",
                            "--label-rm",
                            "--force",
                            "--replicas")),
            entry("node update", Set.of("--availability")),
            entry("login", Set.of("--username", "--password-stdin")),
            entry("node demote", Set.of()),
            entry("node rm", Set.of("--force")));

    /**
     * Keys that `docker stack deploy` of Docker 25.0 takes and heeds; it warns of others (`tmpfs`, `restart`) or ignores them:
     * https://github.com/docker/cli/blob/v25.0.0/cli/compose/schema/data/config_schema_v3.9.json
     * https://github.com/docker/cli/blob/v25.0.0/cli/compose/types/types.go
     */
    private static final Set<String> COMPOSE_OF_DOCKER_25 = Set.of(
            "version",
            "services",
            "networks",
            "configs",
            "driver",
            "name",
            "file",
            "image",
            "entrypoint",
            "environment",
            "stop_signal",
            "stop_grace_period",
            "ports",
            "target",
            "published",
            "protocol",
            "mode",
            "volumes",
            "type",
            "source",
            "read_only",
            "healthcheck",
            "test",
            "interval",
            "timeout",
            "retries",
            "start_period",
            "labels",
            "external",
            "deploy",
            "replicas",
            "endpoint_mode",
            "placement",
            "constraints",
            "preferences",
            "spread",
            "restart_policy",
            "condition",
            "delay",
            "update_config",
            "rollback_config",
            "parallelism",
            "order",
            "monitor",
            "failure_action");

    @TempDir
    Path root;

    @Needs("shellcheck")
    @Test
    void shouldPassShellcheck() {
        List<String> scripts = Stream.of("docker", "src", "bin", ".ci")
                .flatMap(folder -> files(Shell.CHECKOUT.resolve(folder)))
                .filter(file -> !file.equals(LAUNCHER) && !file.toString().contains("/node_modules/"))
                .filter(file -> read(file)
                                .matches(
                                        "(?s)#!(/usr)?/bin/(env )?(ba)?sh\\n.*|# shellcheck .*|.*\\n# shellcheck shell=.*")
                        && !file.toString().endsWith(".java"))
                .map(Path::toString)
                .toList();
        assertThat(scripts).hasSizeGreaterThan(10);

        Shell shell = new Shell(root);
        assertThat(shell.run(Stream.concat(Stream.of("shellcheck", "-x", "-P", "SCRIPTDIR"), scripts.stream())
                        .toArray(String[]::new)))
                .isEqualTo(new Shell.Result(0, ""));
        assertThat(shell.run("shellcheck", "-s", "bash", LAUNCHER.toString())).isEqualTo(new Shell.Result(0, ""));
    }

    @Test
    void shouldReadInTheLauncherWhatTheAppExportsToItAndNothingElse() {
        Set<Set<String>> headers = SynthesisedTemplate.site().resources("AWS::EC2::LaunchTemplate").values().stream()
                .map(template -> matches(Pattern.compile("export ((?:AWS|TWINHOST)_[A-Z0-9_]+)="), template.toString()))
                .collect(Collectors.toSet());
        assertThat(headers).as("the same variables for hosts and witness").hasSize(1);
        Set<String> exported = headers.iterator().next();

        assertThat(matches(VARIABLE, read(LAUNCHER))).isEqualTo(exported);
        assertThat(matches(Pattern.compile("\\$\\{([A-Z0-9_]+):\\?}"), read(LAUNCHER)))
                .isEqualTo(exported);
        Matcher list = Pattern.compile("for name in (AWS_REGION [A-Z_ ]+); do").matcher(read(LAUNCHER));
        assertThat(list.find()).isTrue();
        assertThat(Set.of(list.group(1).split(" "))).isEqualTo(exported);
    }

    @Test
    void shouldFitWithItsHeaderIntoUserData() throws IOException {
        assertThat(Files.size(LAUNCHER)).isLessThan(16 * 1024 - 1024);
    }

    @Test
    void shouldReadOnAHostWhatAReleaseExportsAndNothingElse() throws IOException {
        Set<String> exported = exportedSettings();
        exported.removeAll(OF_RELEASE);
        exported.remove("TWINHOST_DEPLOY_SECONDS"); // makes another limit another release, and is read by nobody
        Set<String> read = new TreeSet<>();
        Stream.of(
                        files(VERBS),
                        files(Shell.CHECKOUT.resolve("nginx")),
                        Stream.of(STACK, DEFAULT_PAGE),
                        files(Shell.CHECKOUT.resolve("docker/app")))
                .flatMap(files -> files)
                .forEach(file -> read.addAll(matches(VARIABLE, read(file))));

        read.removeAll(OF_RELEASE);
        read.removeAll(OF_THE_INSTANCE);
        read.removeAll(LIMITS);
        read.removeAll(Set.of(SEAM, "TWINHOST_ROLE", "TWINHOST_RELEASE_PARAMETER", "TWINHOST_STACK"));
        assertThat(read).isEqualTo(exported);
    }

    @Test
    void shouldNameInTheStackOnlyWhatReleaseExports() throws IOException {
        Set<String> known = new TreeSet<>(exportedSettings());
        known.addAll(OF_RELEASE);

        assertThat(known).containsAll(matches(VARIABLE, compose()));
        assertThat(matches(
                        Pattern.compile("export ([A-Z0-9_]+)(?:=|$)", Pattern.MULTILINE),
                        read(VERBS.resolve("release.sh")) + read(VERBS.resolve("application.sh"))))
                .containsAll(OF_RELEASE);
    }

    @Test
    void shouldGiveEachEntryPointTheVariablesThatItReads() {
        assertThat(environment("edge")).isEqualTo(readBy("docker/edge/entrypoint.sh"));
        assertThat(environment("certbot")).isEqualTo(readBy("docker/certbot/entrypoint.sh"));
        assertThat(read(APPLICATION)).doesNotContain("environment:");
        assertThat(environment("challenge")).isEmpty();
    }

    @Test
    void shouldCallNothingThatIsNewerThanDocker25() {
        String scripts = files(VERBS)
                .map(ScriptsTest::read)
                .collect(Collectors.joining("\n"))
                .replace("\\\n", " ");

        Set<String> called = new TreeSet<>();
        for (MatchResult call : Pattern.compile(
                        "(?m)(?:^|[(|;{] *|timeout (?:-k \\d+ )?(?:\\d+|\"\\$limit\"|\\$\\(\\([^)]*\\)\\)) |xargs -r )\\s*docker ([a-z]+(?: [a-z]+)?)([^|;&>\\n]*)")
                .matcher(scripts)
                .results()
                .toList()) {
            String command = DOCKER_25.containsKey(call.group(1))
                    ? call.group(1)
                    : call.group(1).split(" ")[0];
            called.add(command);
            assertThat(DOCKER_25).as(call.group()).containsKey(command);
            assertThat(DOCKER_25.get(command))
                    .as(call.group())
                    .containsAll(matches(
                            Pattern.compile("(?:^| )(--?[a-z-]+)"),
                            call.group(2).replaceAll(" -c '.*", "")));
        }
        assertThat(called).isEqualTo(DOCKER_25.keySet());
        assertThat(matches(Pattern.compile("http://docker/(v[0-9.]+)"), scripts))
                .containsExactly("v1.44");
    }

    @Test
    void shouldUseOnlyKeysThatAStackOfDocker25Takes() {
        for (Path file : COMPOSE) {
            String text = read(file)
                    .replaceAll("(?m)^\\s*#.*$", "")
                    .replaceAll("\"[^\"]*\"", "")
                    .replaceAll("'[^'\n]*'", "");
            Set<String> keys = matches(Pattern.compile("(?m)(?:^\\s*(?:- )?|[{,] *)([a-z_]+):(?: |$)"), text);

            keys.removeAll(Set.of("edge", "app", "trial", "challenge", "certbot", "web"));
            assertThat(COMPOSE_OF_DOCKER_25).containsAll(keys);
        }
    }

    @Test
    void shouldReserveAndLimitNoProcessor() {
        assertThat(compose()).doesNotContain("cpus", "resources:");
    }

    @Test
    void shouldKeepTheSharedStorageOutOfEveryServiceButCertbotAndTheChallenge() {
        assertThat(service("edge") + read(APPLICATION)).doesNotContain("/srv/twinhost");
        assertThat(service("challenge")).contains("source: /srv/twinhost/acme, target: /srv/acme, read_only: true");
        assertThat(service("certbot")).contains("source: /srv/twinhost/letsencrypt");
    }

    /** Swarm rejects the task of a service whose bind source is missing; these are there on a machine that has just booted, or runs an older release. */
    @Test
    void shouldMountInTheEdgeOnlyWhatIsThereOnEveryMachineAndNothingToWrite() {
        assertThat(service("edge").lines().filter(line -> line.contains("type: bind")))
                .containsExactly(
                        "      - {type: bind, source: /var/lib/twinhost/tls, target: /etc/nginx/tls, read_only: true}",
                        "      - {type: bind, source: /dev/shm, target: /srv/memory, read_only: true}");
    }

    /** A ticket is accepted while its key is one of the three: for a slot at least. */
    @Test
    void shouldEndASessionBeforeTheKeyOfItsTicketIsGone() {
        assertThat(read(VERBS.resolve("tickets.sh"))).contains("SLOT=" + 12 * 3600 + " ");
        assertThat(read(Shell.CHECKOUT.resolve("nginx/snippets/tls.conf"))).contains("\nssl_session_timeout 12h;\n");
    }

    @Test
    void shouldNameEachImageInOneLineThatDependencyToolsRaise() throws IOException {
        assertThat(read(Shell.CHECKOUT.resolve("docker/edge/Dockerfile")))
                .matches("FROM nginx:1\\.\\d*[02468]\\.\\d+(@sha256:[0-9a-f]{64})?\\n");
        assertThat(read(Shell.CHECKOUT.resolve("docker/certbot/Dockerfile")))
                .matches("FROM certbot/certbot:v[0-9.]+@sha256:[0-9a-f]{64}\\n");
        assertThat(read(Shell.CHECKOUT.resolve(".github/dependabot.yml")))
                .contains("package-ecosystem: docker", "- /docker/edge\n", "- /docker/certbot\n");
    }

    @Test
    void shouldJudgeEveryServiceOfTheStack() {
        Matcher services = Pattern.compile("SERVICES=\\((.*)\\)").matcher(read(VERBS.resolve("release.sh")));
        assertThat(services.find()).isTrue();

        assertThat(services.group(1).split(" "))
                .containsExactlyInAnyOrderElementsOf(matches(
                        Pattern.compile("(?m)^  ([a-z]+):$"),
                        read(APPLICATION)
                                + read(STACK)
                                        .substring(
                                                read(STACK).indexOf("\nservices:"),
                                                read(STACK).indexOf("\nnetworks:"))));
    }

    @Test
    void shouldGiveNoSettingToWhatSwarmTakesForATemplateButToAnEnvironment() {
        // which is a hash
        assertThat(compose().replace("${TWINHOST_APP_SUM}", ""))
                .doesNotContainPattern("(hostname|source|target|template_driver|labels):? .*\\$\\{")
                .doesNotContain("{{");
    }

    @Test
    void shouldEndWhatTheReleaseCallsEvenIfItIgnoresTheLimit() {
        Stream.of("release.sh", "application.sh", "answer.sh", "credentials.sh", "record.sh")
                .flatMap(file -> read(VERBS.resolve(file)).lines())
                .filter(line -> Pattern.compile("(^|[^a-z#:_] |\\()(docker|aws|curl) [a-z-]+")
                                .matcher(line)
                                .find()
                        && !line.matches(" *#.*"))
                .filter(line -> !line.contains("command -v"))
                .forEach(line -> assertThat(line).contains("timeout -k "));
    }

    @Test
    void shouldLimitEveryCallOfAws() {
        Stream.concat(files(VERBS), Stream.of(LAUNCHER))
                .flatMap(file -> read(file).lines())
                .filter(line -> Pattern.compile(
                                "\\baws (ssm|s3api|elbv2|cloudformation|autoscaling|secretsmanager|ecr|cloudwatch) ")
                        .matcher(line)
                        .find())
                .forEach(line -> assertThat(line).contains("timeout "));
    }

    /** A command that ignores TERM, or that hands it on, is ended all the same. What `release` calls is held to this below. */
    @Test
    void shouldEndEveryCallThatLeavesTheScript() {
        Pattern call = Pattern.compile(
                "(?<![\\w./:'-])(?:(?:docker|systemctl start|dnf|apt-get|xargs)(?= [a-z-])|aws (?=[a-z0-9]+ [a-z]+-)|[/a-z-]+-agent-ctl )");
        Pattern limit = Pattern.compile("timeout -k \\d+ (?:\\d+|\"\\$2\"|\\$\\(\\([^)]*\\)\\)) (?:xargs -r )?$");
        long calls = 0;
        for (String line : Stream.concat(files(VERBS), Stream.of(LAUNCHER))
                .filter(file -> !Set.of("release.sh", "application.sh", "answer.sh", "credentials.sh", "record.sh")
                        .contains(file.getFileName().toString()))
                .filter(file -> file.toString().endsWith(".sh"))
                .flatMap(file -> read(file).replace("\\\n", " ").lines())
                .filter(line -> !line.matches("\\s*#.*") && !line.matches("\\s*for name in .*"))
                .filter(line -> !line.contains("systemctl start --no-block"))
                .toList()) {
            for (MatchResult found : call.matcher(line).results().toList()) {
                assertThat(line.substring(0, found.start())).as(line).containsPattern(limit);
                calls++;
            }
            if (line.contains("curl ")) {
                assertThat(line).containsPattern("curl -[a-zA-Z]+ --max-time ");
                calls++;
            }
        }
        assertThat(calls).isGreaterThan(25);
    }

    /** With `pipefail`, a reader that leaves early gives its writer a SIGPIPE now and then, and the pipeline the status 141. */
    @Test
    void shouldReadEveryPipeToItsEnd() {
        List<String> lines = Stream.concat(
                        Stream.concat(files(VERBS), Stream.of(LAUNCHER)), files(Shell.CHECKOUT.resolve("bin")))
                .flatMap(file -> read(file)
                        .replace("\\\n", " ")
                        .replaceAll("\\|\n\\s*", "| ")
                        .lines())
                .filter(line -> line.contains(" | "))
                .toList();

        assertThat(lines).hasSizeGreaterThan(50);
        assertThat(lines)
                .noneMatch(
                        line -> line.matches(
                                ".*(?<!\\|)\\| (timeout (-k \\d+ )?\\d+ )?(head\\b|grep (-[a-zA-Z]+ )*-[a-zA-Z]*[qm]|sed [^|]*[0-9;]q\\b|awk [^|]*\\bexit\\b).*"));
    }

    @Test
    void shouldLimitTheTimeOfEveryUnitAndWakeEveryTimerToTheSecond() {
        List<Path> units = files(VERBS.resolve("units")).toList();

        assertThat(units).hasSizeGreaterThan(4);
        for (Path unit : units) {
            if (unit.toString().endsWith(".timer")) {
                assertThat(read(unit)).contains("AccuracySec=1s");
                assertThat(unit.resolveSibling(unit.getFileName().toString().replace(".timer", ".service")))
                        .exists();
            } else if (unit.toString().endsWith(".service")) {
                assertThat(read(unit)).containsPattern("TimeoutStartSec=\\d+");
            }
        }
    }

    private static Set<String> exportedSettings() throws IOException {
        String settings = SynthesisedTemplate.site().releaseSettings();
        return matches(Pattern.compile("(?m)^export ([A-Z0-9_]+)="), settings);
    }

    private static Set<String> environment(String service) {
        Matcher block =
                Pattern.compile("(?m)^    environment:\\n((?:      .*\\n)+)").matcher(service(service));
        return block.find() ? matches(Pattern.compile("(?m)^      ([A-Z0-9_]+):"), block.group(1)) : Set.of();
    }

    private static String service(String name) {
        Matcher block =
                Pattern.compile("(?m)^  " + name + ":\\n((?:    .*\\n|\\n)+)").matcher(read(STACK));
        assertThat(block.find()).as(name).isTrue();
        return block.group(1);
    }

    private static Set<String> readBy(String script) {
        Set<String> names = matches(VARIABLE, read(Shell.CHECKOUT.resolve(script)));
        names.remove(SEAM);
        return names;
    }

    private static Set<String> matches(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return Arrays.stream(files.filter(Files::isRegularFile).toArray(Path[]::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String compose() {
        return COMPOSE.stream().map(ScriptsTest::read).collect(Collectors.joining());
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
