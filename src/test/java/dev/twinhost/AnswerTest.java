package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a machine tells the deploy that waits for it how a release ended. */
@Needs("jq")
class AnswerTest {
    @TempDir
    Path root;

    private Shell shell;
    private Answers answers;

    @BeforeEach
    void createHost() {
        shell = Machine.host(new Shell(root));
        new EngineStandIn(shell);
        answers = new Answers(shell).awaitedFor(Release.SHA, "first");
    }

    @Test
    void shouldAnswerWithTheReasonInOneLine() {
        Shell.Result result = answer("FAILURE", " 'a' \"b\"\n\tc\\d  e ");

        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.lastLine()).endsWith("answer: told the deploy: FAILURE");
        assertThat(answers.given())
                .containsExactly(
                        "PUT " + Answers.url("first"),
                        "{\"Status\":\"FAILURE\",\"Reason\":\" 'a' \\\"b\\\" c\\\\d e\",\"UniqueId\":\"i-0a\",\"Data\":\"\"}");
    }

    @Test
    void shouldShortenAReasonThatIsNoLineAnyMore() {
        answer("FAILURE", "x".repeat(501));
        answers.awaitedFor(Release.SHA, "second");
        answer("FAILURE", "y".repeat(500));

        assertThat(answers.given().get(1)).contains("\"" + "x".repeat(497) + "...\"");
        assertThat(answers.given().get(3)).contains("\"" + "y".repeat(500) + "\"");
    }

    @Test
    void shouldAnswerEachDeployOnce() {
        answer("SUCCESS", "it serves");
        assertThat(answer("FAILURE", "another machine")).isEqualTo(new Shell.Result(0, ""));
        assertThat(answers.given()).hasSize(2);

        answers.awaitedFor(Release.SHA, "second");
        answer("SUCCESS", "it serves again");
        assertThat(answers.given()).hasSize(4).contains("PUT " + Answers.url("second"));
    }

    @Test
    void shouldLeaveTheDeployOfAnotherReleaseAlone() {
        answers.awaitedFor("b".repeat(64), "newer");

        assertThat(answer("SUCCESS", "it serves")).isEqualTo(new Shell.Result(0, ""));
        assertThat(answers.given()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "{}",
                "{\"sha256\":",
                "\"text\"",
                "{\"sha256\":1,\"url\":\"https://x\"}",
                "{\"sha256\":\"x\"}"
            })
    void shouldNotTakeAParameterThatItCannotReadForTheOneOfAnotherDeploy(String value) {
        shell.write(Answers.PARAMETER, value);

        Shell.Result result = answer("SUCCESS", "it serves");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("the deploy cannot be told: the parameter /site/answer does not hold a release and a URL");
    }

    @Test
    void shouldLetALaterOneAnswerWhereTheFirstDidNotGetThrough() {
        shell.write("unreachable", "curl: (22) The requested URL returned error: 403\n");
        Shell.Result result = answer("SUCCESS", "it serves");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("answer: the deploy could not be told: curl: (22) The requested URL returned error: 403");

        shell.bash("rm unreachable");
        assertThat(answer("SUCCESS", "it serves").status()).isZero();
        assertThat(answers.given()).hasSize(2);
    }

    @Test
    void shouldAnswerWhereTheRecordCannotBeRead() {
        shell.write("srv", "");

        assertThat(answer("FAILURE", "changes nothing").status()).isZero();
        assertThat(answers.given()).hasSize(2);
    }

    @Test
    void shouldSayThatItDoesNotKnowWhomToTell() {
        shell.bash("rm " + Answers.PARAMETER);

        Shell.Result result = answer("SUCCESS", "it serves");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.lastLine())
                .endsWith("answer: the deploy cannot be told: the parameter /site/answer could not be read");
    }

    @Test
    void shouldKeepTheUrlToItself() {
        Shell.Result result = answer("FAILURE", "it does not serve");

        assertThat(result.output()).doesNotContain(Answers.url("first"), "https:");
        assertThat(shell.bash("grep -rlF '" + Answers.url("first") + "' .")
                        .output()
                        .lines())
                .as("files, of which one holds every command line")
                .containsExactlyInAnyOrder("./" + Answers.PARAMETER, "./" + Answers.GIVEN);
        assertThat(shell.read("commands")).contains("curl -sS -f");
    }

    @Test
    void shouldNotNoteAnswersForEver() {
        for (int deploy = 0; deploy < 23; deploy++) {
            answers.awaitedFor(Release.SHA, "deploy-" + deploy);
            answer("SUCCESS", "it serves");
        }

        assertThat(shell.bash("ls srv/twinhost/swarm/answers").output().lines()).hasSize(20);
        assertThat(answer("SUCCESS", "it serves")).isEqualTo(new Shell.Result(0, ""));
    }

    private Shell.Result answer(String status, String reason) {
        return shell.verb("answer", "/site/answer", Release.SHA, status, reason);
    }
}
