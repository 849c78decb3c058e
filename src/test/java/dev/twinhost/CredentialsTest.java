package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The hourly fresh password for the registry of the application. */
@Needs({"jq", "python3"})
class CredentialsTest {
    static final String PASSWORD = "eyJwYXlsb2FkIjoi";
    private static final String ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/registry-AbCdEf";
    private static final String LOGIN = "{\"username\":\"deploy\",\"password\":\"" + PASSWORD + "\"}";
    private static final String OTHER = "registry.example.org:5000";
    private static final String UPDATE =
            "docker service update --quiet --detach --no-resolve-image --with-registry-auth twinhost_app";
    private static final String REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    static final String IMAGE = REGISTRY + "/shop/front:v1";

    @TempDir
    Path root;

    private final Map<String, String> settings = Release.settings();
    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createLeader() {
        shell = Machine.host(new Shell(root));
        shell.pace(30);
        engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{\"Leader\":true}}")
                .answer("GET", "/services/twinhost_app", service(IMAGE + "@sha256:0", "null"))
                .answer("GET", "/tasks", task("running"))
                .command(
                        "login",
                        "cat >\"$TWINHOST_ROOT/password\"\necho \"$DOCKER_CONFIG\" >\"$TWINHOST_ROOT/config\"");
        shell.standIn("aws", "printf 'aws %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"\necho " + PASSWORD);
    }

    @Test
    void shouldGiveTheApplicationAFreshPasswordThatNobodySees() {
        Shell.Result result = credentials();

        assertThat(result).isEqualTo(new Shell.Result(0, ""));
        assertThat(engine.commands().stream().filter(command -> !command.startsWith("engine ")))
                .containsExactlyInAnyOrder(
                        "aws ecr get-login-password --region eu-west-1",
                        "docker login --username AWS --password-stdin " + REGISTRY,
                        UPDATE);
        assertThat(shell.read("password")).isEqualTo(PASSWORD + "\n");
        assertThat(shell.read("config")).as("a folder in memory").isEqualTo(root + "/run/twinhost/docker\n");
        assertThat(engine.commands()).noneMatch(command -> command.contains(PASSWORD));
    }

    @Test
    void shouldLeaveItToTheLeader() {
        engine.answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{\"Reachability\":\"reachable\"}}");
        assertThat(changes()).isFalse();

        shell.bash("rm engine/GET_nodes_node-1");
        assertThat(changes()).isFalse();
    }

    @Test
    void shouldLeaveOtherRegistriesAlone() {
        for (String image : List.of(
                "example/shop:1",
                "public.ecr.aws/docker/library/nginx:1",
                "123456789012.dkr.ecr.x.amazonaws.com.evil.org/a")) {
            engine.answer("GET", "/services/twinhost_app", service(image, "null"));
            assertThat(changes()).as(image).isFalse();
        }
    }

    @Test
    void shouldNotDisturbAnUpdateThatSwarmMayHaveToRollBack() {
        for (String state : List.of("updating", "rollback_started")) {
            engine.answer("GET", "/services/twinhost_app", service(IMAGE, "{\"State\":\"" + state + "\"}"));
            assertThat(changes()).as(state).isFalse();
        }
        engine.answer("GET", "/services/twinhost_app", service(IMAGE, "{\"State\":\"completed\"}"));
        assertThat(changes()).isTrue();
    }

    @Test
    void shouldLeaveAServiceAloneOfWhichATaskWaitsForAHost() {
        engine.answer("GET", "/tasks", task("pending"));
        assertThat(changes()).isFalse();

        engine.answer("GET", "/tasks", "[" + task("running") + "]");
        assertThat(changes()).as("no tasks, but lists of them").isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tasks | null",
                "tasks | {}",
                "tasks | ''",
                "tasks | '[{'",
                "services_twinhost_app | null",
                "services_twinhost_app | '{\"Spec\":'",
                "services_twinhost_app | '[]'",
                "services_twinhost_app | ''"
            })
    void shouldLeaveAServiceAloneOfWhichItKnowsNothing(String what, String answer) {
        shell.write("engine/GET_" + what, answer);

        assertThat(changes()).isFalse();
    }

    @Test
    void shouldSayWhyThereIsNone() {
        String refusal =
                "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: no";
        shell.standIn("aws", "printf '\\n" + refusal + "\\n' >&2\nexit 254");
        engine.command("login", "cat >/dev/null");

        Shell.Result result = credentials();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("waited 60 s for the registry " + REGISTRY + ", last: " + refusal);
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker service"));
    }

    @Test
    void shouldLogInWithASecretThatNobodySees() throws IOException {
        secret(OTHER + "/shop:1", LOGIN);

        Shell.Result result = credentials();

        assertThat(result).isEqualTo(new Shell.Result(0, ""));
        assertThat(engine.commands().stream().filter(command -> !command.startsWith("engine ")))
                .containsExactly(
                        "aws secretsmanager get-secret-value --region eu-west-1 --secret-id " + ARN + " --output json",
                        "docker login --username deploy --password-stdin " + OTHER,
                        UPDATE);
        assertThat(shell.read("password")).isEqualTo(PASSWORD + "\n");
        assertThat(shell.read("config")).as("a folder in memory").isEqualTo(root + "/run/twinhost/docker\n");
        try (Stream<Path> files = Files.walk(root)) {
            assertThat(files.filter(Files::isRegularFile)
                            .filter(file ->
                                    shell.read(root.relativize(file).toString()).contains(PASSWORD))
                            .map(file -> root.relativize(file).toString()))
                    .as("those of the stand-ins")
                    .containsExactlyInAnyOrder("secret.json", "password");
        }
    }

    @Test
    void shouldHandOverAPasswordAsItIs() {
        String odd = "it's $HOME \\ \"quoted\" \\u00fc \u00fc";
        secret(
                "example/shop:1",
                new ObjectMapper().createObjectNode().put("username", "a b").put("password", odd) + "");

        assertThat(changes()).isTrue();
        assertThat(shell.read("password")).isEqualTo(odd + "\n");
        assertThat(engine.commands())
                .as("the server of Docker Hub")
                .contains("docker login --username a b --password-stdin https://index.docker.io/v1/");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eyJwYXlsb2FkIjoi                                    | holds no JSON object",
                "'{\"username\":\"deploy\",\"password\":\"eyJwYXlsb2FkIjoi'  | holds no JSON object",
                "'[\"deploy\",\"eyJwYXlsb2FkIjoi\"]'                   | holds no JSON object",
                "null                                                | holds no JSON object",
                "''                                                  | holds no JSON object",
                "{}                                                  | holds no username and no password",
                "'{\"password\":\"eyJwYXlsb2FkIjoi\"}'               | holds no username",
                "'{\"username\":\"deploy\",\"password\":7}'            | holds no password",
                "'{\"username\":\"\",\"password\":\"eyJwYXlsb2FkIjoi\"}' | holds no username",
                "'{\"username\":\"a:b\",\"password\":\"eyJwYXlsb2FkIjoi\"}' | has a colon or a control character in its username",
                "'{\"username\":\"a\\nb\",\"password\":\"eyJwYXlsb2FkIjoi\"}' | has a colon or a control character in its username"
            })
    void shouldSayWhatASecretLacksWithoutShowingIt(String value, String reason) {
        secret(OTHER + "/shop:1", value);

        Shell.Result result = credentials();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output())
                .endsWith(": the secret " + ARN + ", which has to hold {\"username\": \"…\", \"password\": \"…\"}, "
                        + reason + "\n")
                .hasLineCount(1)
                .doesNotContain(PASSWORD);
        assertThat(engine.commands()).noneMatch(command -> command.matches("docker (login|service) .*"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "{}", "{\"SecretString\":7}", "{\"SecretBinary\":\"eyJwYXlsb2FkIjoi\"}", "[{"})
    void shouldTakeNoBrokenAnswerForALogin(String answer) {
        secret(OTHER + "/shop:1", LOGIN);
        shell.write("secret.json", answer);

        Shell.Result result = credentials();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).matches(".*, (holds no JSON object|could not be read)");
        assertThat(result.output()).doesNotContain(PASSWORD);
        assertThat(engine.commands()).noneMatch(command -> command.matches("docker (login|service) .*"));
    }

    @Test
    void shouldAskARegistryOnceThatRefusesThePassword() {
        secret(OTHER + "/shop:1", LOGIN);
        String refusal =
                "Error response from daemon: Get \"https://" + OTHER + "/v2/\": unauthorized: incorrect password";
        engine.command("login", "cat >/dev/null\necho 'WARNING! unencrypted' >&2\necho '" + refusal + "' >&2\nexit 1");

        Shell.Result result = credentials();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.output())
                .endsWith(": the registry " + OTHER + " refuses the login of the secret " + ARN + ": " + refusal + '\n')
                .hasLineCount(1);
        assertThat(engine.commands())
                .filteredOn(command -> command.startsWith("docker login"))
                .hasSize(1);
        assertThat(engine.commands()).doesNotContain(UPDATE);
    }

    @Test
    void shouldAskARegistryAgainThatDoesNotAnswer() {
        secret(OTHER + "/shop:1", LOGIN);
        engine.command(
                "login",
                "cat >/dev/null\necho 'Error response from daemon: Get \"https://x/v2/\": EOF' >&2\n"
                        + "[[ $(grep -c '^docker login' \"$TWINHOST_ROOT/commands\") == 2 ]] || exit 1");

        Shell.Result result = credentials();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output())
                .endsWith("waits for the registry " + OTHER
                        + ": Error response from daemon: Get \"https://x/v2/\": EOF\n");
        assertThat(engine.commands()).contains(UPDATE);
    }

    @Test
    void shouldSayWhySecretsManagerDoesNotGiveTheLogin() {
        secret(OTHER + "/shop:1", LOGIN);
        String refusal = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: no";
        shell.standIn("aws", "echo " + PASSWORD + "\nprintf '\\n" + refusal + "\\n' >&2\nexit 254");

        Shell.Result result = credentials();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("waited 60 s for the registry " + OTHER + ", last: " + refusal);
        assertThat(result.output()).doesNotContain(PASSWORD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "public.ecr.aws/docker/library/nginx:1",
                "nginx:1",
                "registry.example.org/shop:1",
                "registry.example.org:5000.evil.net/shop:1",
                "docker.io/registry.example.org/shop:1"
            })
    void shouldTellThePasswordToNoRegistryButTheApplications(String image) {
        secret(OTHER + "/shop:1", LOGIN);
        engine.answer("GET", "/services/twinhost_app", service(image, "null"));

        assertThat(changes()).isFalse();
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("aws "));
    }

    @Test
    void shouldTellThePasswordToNobodyWhereThereIsNoApplication() {
        secret("", LOGIN);
        engine.answer("GET", "/services/twinhost_app", service("nginx:1", "null"));

        assertThat(changes()).isFalse();
    }

    @Test
    void shouldLogInToAmazonsRegistryAsItsMachineWhateverTheSecret() {
        secret(IMAGE, LOGIN);
        shell.standIn("aws", "printf 'aws %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"\necho " + PASSWORD);

        assertThat(changes()).isTrue();
        assertThat(engine.commands()).contains("docker login --username AWS --password-stdin " + REGISTRY);
    }

    /** The application comes from a registry of its own, and Secrets Manager holds this. */
    private void secret(String image, String value) {
        settings.put("TWINHOST_APP_IMAGE", image);
        settings.put("TWINHOST_APP_REGISTRY_SECRET", ARN);
        engine.answer("GET", "/services/twinhost_app", service(image + "@sha256:0", "null"));
        shell.write(
                "secret.json",
                new ObjectMapper().createObjectNode().put("ARN", ARN).put("SecretString", value) + "");
        shell.standIn("aws", """
                printf 'aws %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
                cat "$TWINHOST_ROOT/secret.json\"""");
    }

    private Shell.Result credentials() {
        Release.of(shell, Release.SHA, settings);
        return Release.verb(shell, "credentials");
    }

    private boolean changes() {
        Shell.Result result = credentials();
        assertThat(result).isEqualTo(new Shell.Result(0, ""));
        return engine.commands().stream().anyMatch(command -> command.matches("docker (login|service) .*"));
    }

    private static String task(String state) {
        return "[{\"DesiredState\":\"running\",\"Status\":{\"State\":\"" + state + "\"}},"
                + "{\"DesiredState\":\"shutdown\",\"Status\":{\"State\":\"failed\"}}]";
    }

    private static String service(String image, String update) {
        return "{\"Spec\":{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"" + image + "\"}}},\"UpdateStatus\":"
                + update + "}";
    }
}
