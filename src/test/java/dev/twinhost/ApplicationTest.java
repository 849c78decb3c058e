package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a release gives to the application: its environment, its secrets, and the check of its health. */
@Needs({"envsubst", "jq", "python3"})
class ApplicationTest {
    private static final String ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf";
    private static final String VALUE = "hunter2 'with' \"quotes\" $HOME";
    private static final String ENCODED = Base64.getEncoder().encodeToString(VALUE.getBytes(StandardCharsets.UTF_8));
    private static final String DIGEST = "sha256:" + "d".repeat(64);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path root;

    private final Map<String, String> settings = Release.settings();
    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createHostInACluster() {
        shell = Machine.inACluster(new Shell(root));
        engine = new EngineStandIn(shell)
                .swarm("active", "cluster-a")
                .answer("GET", "/nodes", ReleaseTest.NODES)
                .answer("GET", "/services", services("[]"))
                .answer("GET", "/tasks", EngineStandIn.TASKS)
                .answer("GET", "/containers/c0ffee/json", "{\"State\":{}}")
                .answer("GET", "/containers/c0ffee/top", "{}")
                .answer("GET", "/configs", "[]")
                .answer("GET", "/secrets", "[]")
                .answer("POST", "/secrets/create", "{\"ID\":\"made\"}");
        for (String image :
                List.of("example/shop:1", "example/made:cc", "registry.example.org/shop:1", CredentialsTest.IMAGE)) {
            engine.answer(
                    "GET", "/distribution/" + image + "/json", "{\"Descriptor\":{\"digest\":\"" + DIGEST + "\"}}");
        }
        shell.standIn("aws", """
                printf 'aws %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
                case "$1 $2" in
                  "ssm get-parameter") cat "$TWINHOST_ROOT/parameter" ;;
                  *) . "$TWINHOST_ROOT/$2" ;;
                esac""");
        version("v1");
        shell.write("get-secret-value", "cat \"$TWINHOST_ROOT/secret.json\"\n");
        value("SecretString", VALUE);
    }

    @Test
    void shouldGiveTheApplicationItsEnvironmentAsItIsWritten() throws IOException {
        String odd = "it's ${TWINHOST_EMAIL} $$ \"quoted\"\n\\ second line, {{name}} {{{ }}";
        settings.put("TWINHOST_APP_ENVIRONMENT", JSON.writeValueAsString(Map.of("ODD", odd)));

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        // Docker reads a dollar that is written twice as one, and Swarm a template
        assertThat(application().at("/services/app/environment/ODD").asText())
                .isEqualTo(odd.replace("$", "$$").replace("{{", "{{\"{{\"}}"));
        assertThat(deployed()).contains("/app.json ");
    }

    @Test
    void shouldHandOnNamesWithDotsAndDashes() throws IOException {
        Map<String, String> variables = Map.of("discovery.type", "single-node", "spring.datasource-url", "jdbc:x");
        settings.put("TWINHOST_APP_ENVIRONMENT", JSON.writeValueAsString(variables));

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(JSON.convertValue(application().at("/services/app/environment"), Map.class))
                .isEqualTo(variables);
    }

    /** The kernel takes no variable of 128 KiB, and each beginning of a template becomes four times as long. */
    @Test
    void shouldHandOnAsManyVariablesAsTheSettingsTake() throws IOException {
        String most = "{{".repeat(16_379) + "xxxxxx";
        settings.put("TWINHOST_APP_ENVIRONMENT", JSON.writeValueAsString(Map.of("A", most)));
        engine.command("stack_deploy", "printf %s \"$TWINHOST_APP_ENVIRONMENT\" | wc -c >\"$TWINHOST_ROOT/bytes\"");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("bytes").strip()).isEqualTo("131046");
    }

    @Test
    void shouldBringASecretToTheApplicationWithoutLeavingATrace() throws IOException {
        settings.put("TWINHOST_APP_SECRETS", "{\"db_password\":\"" + ARN + "\"}");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        JsonNode made = JSON.readTree(engine.body("POST", "/secrets/create"));
        assertThat(made.path("Data").asText()).isEqualTo(ENCODED);
        assertThat(made.path("Labels").toString()).isEqualTo("{\"com.docker.stack.namespace\":\"twinhost\"}");
        String name = made.path("Name").asText();
        assertThat(name).matches("app_db_password_[0-9a-f]{16}");
        assertThat(application().path("secrets").toString())
                .isEqualTo("{\"db_password\":{\"external\":true,\"name\":\"" + name + "\"}}");
        assertThat(application().at("/services/app/secrets").toString())
                .isEqualTo("[{\"source\":\"db_password\",\"target\":\"db_password\",\"mode\":292}]");
        assertThat(calls("get-secret-value"))
                .containsExactly("aws secretsmanager get-secret-value --region eu-west-1 --secret-id " + ARN
                        + " --version-id v1 --output json");
        assertThat(result.output()).doesNotContain("hunter2", ENCODED);
        try (Stream<Path> files = Files.walk(root)) {
            assertThat(files.filter(Files::isRegularFile)
                            .filter(file -> holdsTheValue(file))
                            .map(file -> root.relativize(file).toString()))
                    .as("only what stands for Secrets Manager and for Swarm")
                    .containsExactlyInAnyOrder("secret.json", "engine/POST_secrets_create.body");
        }
    }

    @Test
    void shouldTakeABinarySecretAsItIs() throws IOException {
        settings.put("TWINHOST_APP_SECRETS", "{\"key\":\"" + ARN + "\"}");
        value("SecretBinary", "AAECAw==");

        release();

        assertThat(JSON.readTree(engine.body("POST", "/secrets/create"))
                        .path("Data")
                        .asText())
                .isEqualTo("AAECAw==");
    }

    @Test
    void shouldFetchAValueOnlyWhereItIsNewToTheSwarm() throws IOException {
        settings.put("TWINHOST_APP_SECRETS", "{\"db\":\"" + ARN + "\"}");
        release();
        String first = secret();
        engine.answer("GET", "/secrets", "[{\"ID\":\"first\",\"Spec\":{\"Name\":\"" + first + "\"}}]");

        release();
        assertThat(secret()).isEqualTo(first);
        assertThat(calls("get-secret-value")).hasSize(1);

        version("v2");
        release();
        assertThat(secret()).isNotEqualTo(first);
        assertThat(calls("get-secret-value")).hasSize(2);
    }

    @Test
    void shouldTakeASecretThatAnotherMachineMakesAtTheSameTime() throws IOException {
        settings.put("TWINHOST_APP_SECRETS", "{\"db\":\"" + ARN + "\"}");
        release();
        String name = secret();
        shell.bash("rm engine/POST_secrets_create");
        engine.refuse("POST", "/secrets/create", "rpc error: code = AlreadyExists")
                .then(
                        "POST",
                        "/secrets/create",
                        "echo '[{\"ID\":\"x\",\"Spec\":{\"Name\":\"" + name
                                + "\"}}]' >\"$TWINHOST_ROOT/engine/GET_secrets\"");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
    }

    @Test
    void shouldSayWhyASecretCannotBeReadAndDeployNothing() {
        settings.put("TWINHOST_APP_SECRETS", "{\"db\":\"" + ARN + "\"}");
        String refusal = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: no";
        shell.write("get-secret-value", "printf '\\n" + refusal + "\\n' >&2\nexit 254\n");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("waited 60 s for the secret db, last: " + refusal);
        assertThat(engine.commands()).noneMatch(command -> command.contains("stack deploy"));
    }

    @Test
    void shouldGoBackToTheSecretsThatTheApplicationHad() throws IOException {
        settings.put("TWINHOST_APP_SECRETS", "{\"db\":\"" + ARN + "\"}");
        engine.answer(
                "GET",
                "/services",
                services("[{\"File\":{\"Name\":\"db\"},\"SecretID\":\"s0\",\"SecretName\":\"app_db_before\"}]"));
        release();
        assertThat(secret()).isNotEqualTo("app_db_before");

        Shell.Result result = release("--back");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(secret()).isEqualTo("app_db_before");
        assertThat(calls("describe-secret")).hasSize(1);
    }

    @Test
    void shouldRemoveSecretsThatNeitherTheApplicationNorItsWayBackNeeds() {
        engine.answer("GET", "/services", services("[{\"File\":{\"Name\":\"db\"},\"SecretID\":\"used\"}]"))
                .answer("GET", "/secrets", "[{\"ID\":\"used\"},{\"ID\":\"rollback\"},{\"ID\":\"old\"}]");

        release();

        assertThat(engine.commands().stream().filter(command -> command.startsWith("engine DELETE /secrets/")))
                .containsExactly("engine DELETE /secrets/old");
    }

    @Test
    void shouldAskTheDefaultPageForItsHealth() {
        release();

        assertThat(deployed()).contains("/docker/app/stack.yml ", "/docker/app/health.yml ");
    }

    @Test
    void shouldLeaveTheImagesOwnHealthCheckAloneWhereNoPathIsSet() {
        settings.put("TWINHOST_APP_IMAGE", "example/shop:1");

        release();

        assertThat(deployed())
                .contains("/docker/app/service.yml ")
                .doesNotContain("health.yml", "/docker/app/stack.yml");
        assertThat(engine.commands()).noneMatch(command -> command.contains("--entrypoint sh"));
    }

    @Test
    void shouldRefuseAnImageThatNobodyCanAskForItsHealth() {
        settings.put("TWINHOST_APP_IMAGE", "example/shop:1");
        settings.put("TWINHOST_APP_HEALTH_PATH", "/healthz");
        engine.command(
                "run",
                "[[ \"$*\" != *'--entrypoint sh example/shop:1@" + DIGEST
                        + " -c command -v curl || command -v wget'* ]] || exit 127");

        Shell.Result result = release();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith(
                        "the image example/shop:1 has no shell with curl or wget, which ask for appHealthPath: put one of"
                                + " them into it, or leave appHealthPath away and give the image a HEALTHCHECK of its own");
        assertThat(engine.commands()).noneMatch(command -> command.contains("stack deploy"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--boot", "--back"})
    void shouldServeTheRestAtBootAndOnTheWayBackWhileTheRegistryIsAway(String mode) {
        settings.put("TWINHOST_APP_IMAGE", "example/shop:1");
        settings.put("TWINHOST_APP_HEALTH_PATH", "/healthz");
        engine.answer("GET", "/services", "[]")
                .command("stack_deploy", "echo '" + services("[]") + "' >\"$TWINHOST_ROOT/engine/GET_services\"")
                .command("image", "[[ $3 != example/shop:1 ]] || exit 1")
                .command("pull", "exit 1")
                .command("run", "[[ \"$*\" != *example/shop:1* ]] || exit 125");

        Shell.Result result = release(mode);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(deployed()).contains("/docker/app/health.yml ");
    }

    @Test
    void shouldAskForTheHealthAsTheEdgeDoesForAVisitor() {
        shell.standIn("curl", "printf '%s\\n' \"$@\"\nexit 22");
        String sh = shell.bash("command -v sh").output().strip();
        String name = shell.bash("cat /etc/hostname").output().strip();
        String[] command = {"env", "PATH=" + root.resolve("stand-ins"), sh, "-c", healthCheck()};

        Shell.Result curl = shell.run(command);
        assertThat(curl.status()).isEqualTo(22);
        assertThat(curl.output().lines())
                .contains(
                        "-fsS",
                        "Host: www.example.com",
                        "X-Forwarded-Proto: https",
                        "http://" + name + ":8080/healthz?a=b");

        shell.bash("mv stand-ins/curl stand-ins/wget");
        Shell.Result wget = shell.run(command);
        assertThat(wget.status()).isEqualTo(22);
        assertThat(wget.output().lines())
                .contains(
                        "-q",
                        "Host: www.example.com",
                        "X-Forwarded-Proto: https",
                        "http://" + name + ":8080/healthz?a=b");
    }

    /** The command of health.yml as Docker fills it in: one line, folded. */
    private String healthCheck() {
        String file = shell.read(Shell.CHECKOUT + "/docker/app/health.yml");
        int begin = file.indexOf(">-\n") + 3;
        return file.substring(begin, file.indexOf("      interval:"))
                .strip()
                .replaceAll("\\n +", " ")
                .replace("$$", "$")
                .replace("${TWINHOST_DOMAIN}", "example.com")
                .replace("${TWINHOST_APP_PORT}", "8080")
                .replace("${TWINHOST_APP_HEALTH_PATH}", "/healthz?a=b");
    }

    @Test
    void shouldTakeTheImageOfAFolderFromTheReleaseParameter() {
        settings.put("TWINHOST_APP_IMAGE", "asset:" + "c".repeat(64));
        engine.command("stack_deploy", "echo \"$TWINHOST_APP_IMAGE\" >\"$TWINHOST_ROOT/deployed\"");
        assertThat(release().lastLine()).endsWith("the release parameter does not say where the image of appImage is");

        Release.of(shell, Release.SHA, settings);
        shell.write("parameter", Release.JSON.replaceFirst("\\{", "{\"appImage\":\"example/made:cc\","));
        Shell.Result result = Release.apply(shell);

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(shell.read("deployed")).isEqualTo("example/made:cc@" + DIGEST + "\n");
    }

    @Test
    void shouldLogInToAmazonsRegistryBeforeItDeploys() {
        settings.put("TWINHOST_APP_IMAGE", CredentialsTest.IMAGE);
        shell.write("get-login-password", "echo " + CredentialsTest.PASSWORD + "\n");
        engine.command("login", "cat >\"$TWINHOST_ROOT/password\"\necho 'Login Succeeded'")
                .command("stack_deploy", "echo \"$DOCKER_CONFIG\" >\"$TWINHOST_ROOT/deployed\"");

        Shell.Result result = release();

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).doesNotContain(CredentialsTest.PASSWORD);
        assertThat(shell.read("password")).isEqualTo(CredentialsTest.PASSWORD + "\n");
        assertThat(shell.read("deployed")).isEqualTo(root + "/run/twinhost/docker\n");
    }

    @Test
    void shouldLeaveAnotherRegistryToWhoeverHasLoggedInThere() {
        settings.put("TWINHOST_APP_IMAGE", "registry.example.org/shop:1");
        engine.command("stack_deploy", "echo \"${DOCKER_CONFIG:-as it was}\" >\"$TWINHOST_ROOT/deployed\"");

        release();

        assertThat(shell.read("deployed")).isEqualTo("as it was\n");
    }

    private Shell.Result release(String... arguments) {
        Release.of(shell, Release.SHA, settings);
        return Release.apply(shell, arguments);
    }

    private void version(String current) {
        shell.write(
                "describe-secret",
                "echo '{\"VersionIdsToStages\":{\"v0\":[\"AWSPREVIOUS\"],\"" + current
                        + "\":[\"AWSCURRENT\",\"AWSPENDING\"]}}'\n");
    }

    private void value(String key, String value) {
        shell.write(
                "secret.json",
                JSON.createObjectNode().put("ARN", ARN).put(key, value).toString());
    }

    private List<String> calls(String action) {
        return engine.commands().stream()
                .filter(command -> command.startsWith("aws secretsmanager " + action))
                .toList();
    }

    private String deployed() {
        return engine.commands().stream()
                .filter(command -> command.startsWith("docker stack deploy"))
                .reduce("", (before, last) -> last);
    }

    private JsonNode application() throws IOException {
        return JSON.readTree(shell.read("var/lib/twinhost/stack/app.json"));
    }

    private String secret() throws IOException {
        return application().path("secrets").path("db").path("name").asText();
    }

    private static boolean holdsTheValue(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1);
            return text.contains("hunter2") || text.contains(ENCODED);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String services(String secrets) {
        return "[{\"ID\":\"s\",\"Spec\":{\"Name\":\"twinhost_app\",\"Mode\":{\"Replicated\":{\"Replicas\":0}},\"TaskTemplate\":"
                + "{\"ContainerSpec\":{\"Image\":\"a\",\"Secrets\":" + secrets
                + "}}},\"PreviousSpec\":{\"TaskTemplate\":"
                + "{\"ContainerSpec\":{\"Secrets\":[{\"SecretID\":\"rollback\"}]}}},\"UpdateStatus\":null},"
                + EngineStandIn.idle("edge") + "," + EngineStandIn.idle("challenge") + ","
                + EngineStandIn.idle("certbot") + "]";
    }
}
