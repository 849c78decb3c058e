package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a release says of an application that does not do, and of an image that is not on every host, by the functions that say it. */
@Needs("jq")
class WhyNoAnswerTest {
    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createMachine() {
        shell = Machine.host(new Shell(root));
        engine = new EngineStandIn(shell).swarm("active", "cluster-a").answer("GET", "/nodes", ReleaseTest.NODES);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "failed | task: non-zero exit (1) | {} | task: non-zero exit (1)",
                "complete | | {} | it ended by itself, with status 0",
                "failed | task: non-zero exit (137) | {~OOMKilled~:true} | it was ended because the memory of the machine ran out;"
                        + " appReplicas or another instanceType may help",
                "failed | task: non-zero exit (137): dockerexec: unhealthy container"
                        + " | {~Health~:{~Log~:[{~Output~:~first~},{~Output~:~curl: (7) Failed to connect\\n~}]}}"
                        + " | it was too slow, or is broken: not healthy within 60 s (appStartSeconds) and three checks;"
                        + " its check said last: curl: (7) Failed to connect",
                // who has ended is unhealthy to Docker, whatever its checks have said
                "failed | task: non-zero exit (1) | {~Health~:{~Status~:~unhealthy~,~FailingStreak~:2,~Log~:[{~Output~:~refused~}]}}"
                        + " | task: non-zero exit (1)",
                "complete | | {~Health~:{~Status~:~unhealthy~,~FailingStreak~:3,~Log~:[{~Output~:~curl: (22) 500~}]}}"
                        + " | it was too slow, or is broken: not healthy within 60 s (appStartSeconds) and three checks;"
                        + " its check said last: curl: (22) 500",
                "rejected | No such image: example/shop:1 | {} | No such image: example/shop:1",
                "starting | | {~Health~:{~Log~:[{~Output~:~still migrating~}]}}"
                        + " | it was too slow: not healthy within 60 s (appStartSeconds); its check said last: still migrating",
                "pending | no suitable node | {} | no suitable node",
                "preparing | | {} | Swarm did not bring it further than preparing",
            })
    void shouldSayWhatBecameOfAContainer(String state, String error, String container, String reason) {
        engine.answer("GET", "/containers/c0ffee/json", "{\"State\":" + container.replace('~', '"') + "}");
        shell.write("task", Tasks.task(state, error == null ? "" : error));

        assertThat(application("why_no_answer \"$(cat task)\"").output()).isEqualTo(reason + "\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1:3000 127.0.0.11:40001 | as it listens on 127.0.0.1:3000 only: let it listen on 0.0.0.0",
                "[::1]:3000 | as it listens on [::1]:3000 only: let it listen on 0.0.0.0",
                "[::]:3000 | as it listens on [::]:3000 over IPv6 only: let it listen on 0.0.0.0",
                "127.0.0.11:40001 *:8080 | as it listens on 8080, and appPort is 3000",
                "0.0.0.0:8080 [::]:9090 127.0.0.1:9229 | as it listens on 8080, 9090, 9229, and appPort is 3000",
                "127.0.0.11:40001 | as it listens on no port",
                "0.0.0.0:3000 | though it listens on port 3000",
                "127.0.0.1:3000 10.0.1.7:3000 | though it listens on port 3000",
            })
    void shouldSayWhatListens(String sockets, String words) {
        engine.inNetwork(
                "ss",
                "for socket in "
                        + sockets.replace("[", "'[").replace("]:", "]:'").replace("*", "\\*")
                        + "; do echo \"LISTEN 0 511 $socket 0.0.0.0:*\"; done\n");
        shell.write("task", Tasks.task("running", ""));

        assertThat(application("listens \"$(cat task)\"").output()).isEqualTo(words + "\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "[{", "{}", "\"failed\"", "[{\"NodeID\":\"node-1\"}]"})
    void shouldNotTakeABrokenAnswerForAnImageThatIsThere(String tasks) {
        engine.answer("GET", "/tasks", tasks);

        assertThat(application("pulled_everywhere || exit $?").status()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"failed, 0", "running, 0", "complete, 0", "preparing, 1", "new, 1", "rejected, 2"})
    void shouldTakeWhatHasStartedForPulled(String state, int status) {
        engine.answer("GET", "/tasks", "[" + Tasks.pull("node-1", state, "") + "]");

        Shell.Result result = application("pulled_everywhere || exit $?");

        assertThat(result.status()).as(result.output()).isEqualTo(status);
    }

    /** Lines that call functions of {@code application.sh}. */
    private Shell.Result application(String script) {
        return shell.with("TWINHOST_APP_PORT", "3000")
                .with("TWINHOST_APP_START_SECONDS", "60")
                .with("TWINHOST_APP_IMAGE", "example/shop:1")
                .lib("STACK=twinhost send_login=()\n. " + Shell.CHECKOUT + "/docker/host/application.sh\n" + script);
    }
}
