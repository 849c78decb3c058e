package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The hourly fresh password for Amazon ECR. */
@Needs("jq")
class CredentialsTest {
    static final String PASSWORD = "eyJwYXlsb2FkIjoi";
    private static final String REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    static final String IMAGE = REGISTRY + "/shop/front:v1";

    @TempDir
    Path root;

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
        Shell.Result result = shell.verb("credentials");

        assertThat(result).isEqualTo(new Shell.Result(0, ""));
        assertThat(engine.commands().stream().filter(command -> !command.startsWith("curl ")))
                .containsExactlyInAnyOrder(
                        "aws ecr get-login-password --region eu-west-1",
                        "docker login --username AWS --password-stdin " + REGISTRY,
                        "docker service update --quiet --detach --no-resolve-image --with-registry-auth twinhost_app");
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

        Shell.Result result = shell.verb("credentials");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine()).endsWith("waited 60 s for the registry " + REGISTRY + ", last: " + refusal);
        assertThat(engine.commands()).noneMatch(command -> command.startsWith("docker service"));
    }

    private boolean changes() {
        Shell.Result result = shell.verb("credentials");
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
