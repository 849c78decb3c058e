package dev.twinhost.rehearsal.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.Needs;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Needs(Needs.TEST_MODULES)
class IamTest {
    private static final AccessRequest READ =
            new AccessRequest("s3:GetObject", "arn:aws:s3:::bucket/release.zip", Map.of());
    private static final String ALL = "{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}";

    private static Iam iam;

    @BeforeAll
    static void start() {
        iam = Iam.start(Path.of("").toAbsolutePath());
    }

    @AfterAll
    static void end() {
        iam.close();
    }

    @Test
    void shouldAllowWhatAStatementAllowsAndNothingElse() {
        String statement =
                "{\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::bucket/*.zip\"}";

        assertThat(iam.judge(who(statement), READ)).isEqualTo(new Verdict(true, ""));
        assertThat(iam.judge(who(statement), new AccessRequest("s3:GetObject", "arn:aws:s3:::bucket/a.txt", Map.of())))
                .isEqualTo(Verdict.denied("because no identity-based policy allows the s3:GetObject action"));
        assertThat(iam.judge(new Identity(who(ALL).principal(), "123456789012", List.of()), READ)
                        .allowed())
                .isFalse();
        assertThat(iam.judge(who(ALL, ALL.replace("Allow", "Deny")), READ))
                .isEqualTo(Verdict.denied("with an explicit deny in an identity-based policy"));
    }

    @ParameterizedTest
    @CsvSource({
        "s3:GetObjects,       arn:aws:s3:::bucket/a,            invalid.action",
        "s4:GetObject,        arn:aws:s3:::bucket/a,            invalid.service",
        "ssm:GetParameter,    arn:aws:s3:::bucket/a,            no.resource.types",
        "ssm:GetParameter,    nonsense,                         no.resource.types",
        "ecr:GetAuthorizationToken, arn:aws:s3:::bucket/a,      must.use.wildcard",
    })
    void shouldDenyWhatTheServiceAuthorizationReferenceDoesNotHave(String action, String resource, String why) {
        Verdict verdict = iam.judge(who(ALL), new AccessRequest(action, resource, Map.of()));

        assertThat(verdict.allowed()).isFalse();
        assertThat(verdict.why()).startsWith("as it cannot be judged: ").contains(why);
    }

    @Test
    void shouldDenyAConditionKeyThatTheActionDoesNotHave() {
        assertThat(iam.judge(who(ALL), new AccessRequest("s3:GetObject", READ.resource(), Map.of("ssm:Name", "a"))))
                .isEqualTo(Verdict.denied("as it cannot be judged: IAM has no condition key ssm:Name for it"));
    }

    @Test
    void shouldDenyByAPolicyWithAnError() {
        Verdict verdict = iam.judge(who(ALL.replace("Effect", "Affect")), READ);

        assertThat(verdict.allowed()).isFalse();
        assertThat(verdict.why()).contains("policy.errors");
    }

    @Test
    void shouldTakeAStarInARequestForACharacter() {
        AccessRequest byName = new AccessRequest(
                "cloudformation:SignalResource",
                "arn:aws:cloudformation:eu-central-1:123456789012:stack/A/*",
                Map.of());
        String byId = "{\"Effect\": \"Allow\", \"Action\": \"cloudformation:SignalResource\", \"Resource\": "
                + "\"arn:aws:cloudformation:eu-central-1:123456789012:stack/A/0e1\"}";

        assertThat(iam.judge(who(byId), byName).allowed()).isFalse();
        assertThat(iam.judge(who(byId.replace("0e1", "*")), byName).allowed()).isTrue();
    }

    @Test
    void shouldAllowACallThatNamesNothingOnEverythingAlone() {
        AccessRequest metrics = new AccessRequest("cloudwatch:PutMetricData", "*", Map.of());
        String dataset = "{\"Effect\": \"Allow\", \"Action\": \"cloudwatch:PutMetricData\", \"Resource\": "
                + "\"arn:aws:cloudwatch:eu-central-1:123456789012:dataset/a\"}";

        assertThat(iam.judge(who(dataset), metrics).allowed()).isFalse();
        assertThat(iam.judge(who(ALL), metrics).allowed()).isTrue();
    }

    @Test
    void shouldDenyWhereTheEvaluatorIsSilentEndsOrAnswersNonsense() {
        assertBroken("did not answer within 1 s", "sleep", "60");
        assertBroken("has ended", "cat", "/dev/null");
        assertBroken("answered nonsense", "sh", "-c", "read -r request; echo nonsense; exec sleep 60");
        assertBroken("answered {\"allowed\":\"true\",\"why\":\"\"}", "echo", "{\"allowed\":\"true\",\"why\":\"\"}");
        assertBroken("answered {\"allowed\":true}", "echo", "{\"allowed\":true}");
    }

    /** Also where an answer comes afterwards, as it may be that to an earlier request. */
    @Test
    void shouldAskNothingMoreOnceTheEvaluatorWasSilent() throws InterruptedException {
        String late = "read -r request; sleep 2; echo '{\"allowed\":true,\"why\":\"\"}'; exec cat";
        try (Iam broken = new Iam(List.of("bash", "-c", late), Duration.ofSeconds(1))) {
            assertThat(broken.judge(who(ALL), READ).why()).contains("did not answer within 1 s");
            Thread.sleep(2000);
            assertThat(broken.judge(who(ALL), READ).allowed()).isFalse();
        }
    }

    @Test
    void shouldSayHowToInstallWhatIsMissing(@TempDir Path checkout) {
        assertThatThrownBy(() -> Iam.start(checkout))
                .isInstanceOf(Failure.class)
                .hasMessage("What judges calls as IAM does is not installed; type: npm ci --prefix src/test/node");
    }

    private static void assertBroken(String how, String... program) {
        try (Iam broken = new Iam(List.of(program), Duration.ofSeconds(1))) {
            assertThat(broken.judge(who(ALL), READ).allowed()).as(how).isFalse();
            Verdict second = broken.judge(who(ALL), READ);
            assertThat(second.allowed()).as("after: " + how).isFalse();
        }
        try (Iam broken = new Iam(List.of(program), Duration.ofSeconds(1))) {
            assertThat(broken.judge(who(ALL), READ).why())
                    .isIn("as the evaluator of IAM's policies " + how, "as the evaluator of IAM's policies has ended");
        }
    }

    private static Identity who(String... statements) {
        try {
            JsonNode policy = new ObjectMapper()
                    .readTree("{\"Version\": \"2012-10-17\", \"Statement\": [" + String.join(", ", statements) + "]}");
            return new Identity("arn:aws:sts::123456789012:assumed-role/role/i-1", "123456789012", List.of(policy));
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
