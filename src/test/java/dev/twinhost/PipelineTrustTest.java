package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Who gets in: the trust policies of both roles, asked about one token after the other. What stands in a token is in
 * https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims.
 */
class PipelineTrustTest {
    private static final String DIFF = "DiffRole22A114D0";
    private static final String DEPLOY = "DeployRoleFF7E9D15";

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "the main branch | repo:octo-org@123456/site@456789:ref:refs/heads/main | refs/heads/main | deploy",
                "a pull request | repo:octo-org@123456/site@456789:pull_request | refs/pull/7/merge | diff",
                "another branch | repo:octo-org@123456/site@456789:ref:refs/heads/feature | refs/heads/feature | -",
                "a branch that begins so | repo:octo-org@123456/site@456789:ref:refs/heads/main2 | refs/heads/main2 | -",
                "a branch below it | repo:octo-org@123456/site@456789:ref:refs/heads/main/x | refs/heads/main/x | -",
                "a branch that ends so | repo:octo-org@123456/site@456789:ref:refs/heads/x/main | refs/heads/x/main | -",
                "a branch in capitals | repo:octo-org@123456/site@456789:ref:refs/heads/Main | refs/heads/Main | -",
                "a merge queue | repo:octo-org@123456/site@456789:ref:refs/heads/gh-readonly-queue/main/pr-7"
                        + " | refs/heads/gh-readonly-queue/main/pr-7 | -",
                "a tag | repo:octo-org@123456/site@456789:ref:refs/tags/v1 | refs/tags/v1 | -",
                "a tag called main | repo:octo-org@123456/site@456789:ref:refs/tags/main | refs/tags/main | -",
                "an environment | repo:octo-org@123456/site@456789:environment:production | refs/heads/main | -",
                "a fork's main branch | repo:stranger@9/site@456790:ref:refs/heads/main | refs/heads/main | -",
                "a pull request in a fork | repo:stranger@9/site@456790:pull_request | refs/pull/1/merge | -",
                "a longer name | repo:octo-org@123456/site2@456790:ref:refs/heads/main | refs/heads/main | -",
                "a shorter name | repo:octo-org@123456/sit@456790:ref:refs/heads/main | refs/heads/main | -",
                "a name before it | repo:octo-org@123456/my-site@456790:ref:refs/heads/main | refs/heads/main | -",
                "a longer owner | repo:octo-org2@123457/site@456790:ref:refs/heads/main | refs/heads/main | -",
                "an owner before it | repo:my-octo-org@123457/site@456790:pull_request | refs/pull/1/merge | -",
                "another repository's pull request | repo:octo-org@123456/x@1:pull_request | refs/pull/1/merge | -",
                "the name in new hands | repo:octo-org@777/site@888:ref:refs/heads/main | refs/heads/main | -",
                "a pull request there | repo:octo-org@777/site@888:pull_request | refs/pull/1/merge | -",
                "the repository made anew | repo:octo-org@123456/site@999:ref:refs/heads/main | refs/heads/main | -",
                "the repository renamed | repo:octo-org@123456/shop@456789:ref:refs/heads/main | refs/heads/main | -",
                "a subject without ids | repo:octo-org/site:ref:refs/heads/main | refs/heads/main | -",
                "a subject in capitals | repo:Octo-Org@123456/Site@456789:ref:refs/heads/main | refs/heads/main | -",
                "an event in capitals | repo:octo-org@123456/site@456789:Pull_Request | refs/pull/7/merge | -",
                "another form of subject | repo:octo-org@123456/site@456789:ref:refs/heads/main:job_workflow_ref:x"
                        + " | refs/heads/main | -",
                "no subject | - | refs/heads/main | -",
            })
    void shouldLetInTheMainBranchAndPullRequestsOfOneRepositoryAndNobodyElse(
            String who, String subject, String ref, String role) {
        assertLetIn(Pipelines.ofMain(), token("sts.amazonaws.com", subject, ref), role);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "the environment, from the main branch | environment:production | refs/heads/main | deploy",
                "the environment, from another branch | environment:production | refs/heads/feature | -",
                "the environment, from a tag called main | environment:production | refs/tags/main | -",
                "the environment, from a pull request | environment:production | refs/pull/7/merge | -",
                "the environment, from nowhere | environment:production | - | -",
                "the main branch without it | ref:refs/heads/main | refs/heads/main | -",
                "another environment | environment:staging | refs/heads/main | -",
                "an environment that begins so | environment:production2 | refs/heads/main | -",
                "the environment in capitals | environment:Production | refs/heads/main | -",
                "a pull request | pull_request | refs/pull/7/merge | diff",
                "a pull request with the ref of main | pull_request | refs/heads/main | diff",
            })
    void shouldLetInTheMainBranchThroughTheEnvironmentAloneWhereThereIsOne(
            String who, String context, String ref, String role) {
        String subject = "repo:octo-org@123456/site@456789:" + context;

        assertLetIn(Pipelines.ofEnvironment(), token("sts.amazonaws.com", subject, ref), role);
    }

    /** A name alone is as good as GitHub keeps it: the second line is what ids are for. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "the main branch | repo:octo-org/site:ref:refs/heads/main | 456789 | deploy",
                "the main branch of who has the name next | repo:octo-org/site:ref:refs/heads/main | 888 | deploy",
                "a pull request | repo:octo-org/site:pull_request | 456789 | diff",
                "the main branch of a newer repository | repo:octo-org@1/site@2:ref:refs/heads/main | 456789 | -",
                "a longer name | repo:octo-org/site2:ref:refs/heads/main | 456790 | -",
                "an owner before it | repo:my-octo-org/site:ref:refs/heads/main | 456790 | -",
            })
    void shouldLetInWhoeverHasTheNameWhereThereAreNoIds(String who, String subject, String id, String role) {
        Map<String, String> token = token("sts.amazonaws.com", subject, "refs/heads/main");
        token.put("repository_id", id);

        assertLetIn(Pipelines.ofName(), token, role);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            nullValues = "-",
            value = {
                "https://github.com/octo-org",
                "sts.amazonaws.com.cn",
                "STS.amazonaws.com",
                "sts.amazonaws.com2",
                "-"
            })
    void shouldLetInNobodyWhoseTokenIsForSomebodyElse(String audience) {
        String repository = "repo:octo-org@123456/site@456789:";

        assertLetIn(Pipelines.ofMain(), token(audience, repository + "ref:refs/heads/main", "refs/heads/main"), null);
        assertLetIn(Pipelines.ofMain(), token(audience, repository + "pull_request", "refs/pull/7/merge"), null);
        assertLetIn(
                Pipelines.ofEnvironment(),
                token(audience, repository + "environment:production", "refs/heads/main"),
                null);
    }

    private static void assertLetIn(SynthesisedTemplate app, Map<String, String> token, String role) {
        assertThat(new TrustPolicy(app.pipeline(), DIFF).letsIn(token))
                .as("may compare")
                .isEqualTo("diff".equals(role));
        assertThat(new TrustPolicy(app.pipeline(), DEPLOY).letsIn(token))
                .as("may deploy")
                .isEqualTo("deploy".equals(role));
    }

    private static Map<String, String> token(String audience, String subject, String ref) {
        Map<String, String> token = new TreeMap<>();
        putUnlessNull(token, "aud", audience);
        putUnlessNull(token, "sub", subject);
        putUnlessNull(token, "ref", ref);
        return token;
    }

    private static void putUnlessNull(Map<String, String> token, String claim, String value) {
        if (value != null) {
            token.put(claim, value);
        }
    }
}
