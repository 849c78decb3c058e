package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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
    private static final Path UNITS = Shell.CHECKOUT.resolve("docker/host/units");
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
    void shouldGiveEachEntryPointTheVariablesThatItReads() {
        assertThat(environment("edge")).isEqualTo(readBy("docker/edge/entrypoint.sh"));
        assertThat(environment("certbot")).isEqualTo(readBy("docker/certbot/entrypoint.sh"));
        assertThat(read(APPLICATION)).doesNotContain("environment:");
        assertThat(environment("challenge")).isEmpty();
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
    void shouldGiveNoSettingToWhatSwarmTakesForATemplateButToAnEnvironment() {
        // which is a hash
        assertThat(compose().replace("${TWINHOST_APP_SUM}", ""))
                .doesNotContainPattern("(hostname|source|target|template_driver|labels):? .*\\$\\{")
                .doesNotContain("{{");
    }

    /** A command that ignores TERM, or that hands it on, is ended all the same. */
    @Test
    void shouldEndEveryCallThatLeavesTheLauncher() {
        Pattern call = Pattern.compile(
                "(?<![\\w./:'-])(?:(?:systemctl start|dnf|apt-get)(?= [a-z-])|aws (?=[a-z0-9]+ [a-z]+-)|[/a-z-]+-agent-ctl )");
        Pattern limit = Pattern.compile("timeout -k \\d+ \\d+ $");
        int calls = 0;
        for (String line : read(LAUNCHER).replace("\\\n", " ").lines().toList()) {
            if (line.matches("\\s*(#|for name in ).*") || line.contains("systemctl start --no-block")) {
                continue;
            }
            for (MatchResult found : call.matcher(line).results().toList()) {
                assertThat(line.substring(0, found.start())).as(line).containsPattern(limit);
                calls++;
            }
            if (line.contains("curl ")) {
                assertThat(line).containsPattern("curl -[a-zA-Z]+ --max-time ");
                calls++;
            }
        }
        assertThat(calls).isGreaterThan(10);
    }

    /** With `pipefail`, a reader that leaves early gives its writer a SIGPIPE now and then, and the pipeline the status 141. */
    @Test
    void shouldReadEveryPipeToItsEnd() {
        List<String> lines = Stream.concat(
                        Stream.of(LAUNCHER, Shell.CHECKOUT.resolve("docker/host/twinhost")),
                        files(Shell.CHECKOUT.resolve("bin")))
                .flatMap(file -> read(file)
                        .replace("\\\n", " ")
                        .replaceAll("\\|\n\\s*", "| ")
                        .lines())
                .filter(line -> line.contains(" | "))
                .toList();

        assertThat(lines).hasSizeGreaterThan(30);
        assertThat(lines)
                .noneMatch(
                        line -> line.matches(
                                ".*(?<!\\|)\\| (timeout (-k \\d+ )?\\d+ )?(head\\b|grep (-[a-zA-Z]+ )*-[a-zA-Z]*[qm]|sed [^|]*[0-9;]q\\b|awk [^|]*\\bexit\\b).*"));
    }

    @Test
    void shouldLimitTheTimeOfEveryUnitAndWakeEveryTimerToTheSecond() {
        List<Path> units = files(UNITS).toList();

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
