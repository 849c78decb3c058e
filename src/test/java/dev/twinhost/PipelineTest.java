package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The scripts of the workflows, in a clone of main of their own, with the tools of a {@link Laptop} and stand-ins for the CDK
 * command line, AWS's and GitHub's.
 * The words of the first are those of aws-cdk 2.1148.1, the diffs real ones.
 */
@Needs({"git", "jq"})
class PipelineTest {
    private static final Path RECORDS = Shell.CHECKOUT.resolve("src/test/resources/dev/twinhost/diff");
    private static final String ROLE = "arn:aws:iam::123456789012:role/Diff";
    private static final String DELETE_IT =
            "delete it (aws route53 list-resource-record-sets --hosted-zone-id ID shows it whole,"
                    + " as aws route53 change-resource-record-sets wants it)";
    private static final String HAND_OVER =
            "deploy with \"dns\": \"none\" in cdk.json, look with bin/verify --connect-to, then " + DELETE_IT
                    + " and deploy with \"dns\": \"all\"";
    private static final String SYNTHESIS = "npx cdk synth -q --ci --no-color";
    private static final String NOT_BOOTSTRAPPED = "SSM parameter /cdk-bootstrap/hnb659fds/version not found in"
            + " aws://123456789012/eu-central-1. Has the environment been bootstrapped? Please run 'cdk bootstrap' (see"
            + " https://docs.aws.amazon.com/cdk/latest/guide/bootstrapping.html)";

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void cloneMain() throws IOException {
        shell = new Shell(root)
                .with("AWS_REGION", "eu-central-1")
                .with("PATH", root.resolve("stand-ins") + ":" + Laptop.path());
        for (String script : List.of("common.sh", "pipeline.sh", "ready", "diff", "comment", "deploy", "drift")) {
            Path copy = shell.write("tree/bin/" + script, Files.readString(Shell.CHECKOUT.resolve("bin/" + script)));
            assertThat(copy.toFile().setExecutable(true)).isTrue();
        }
        shell.write("tree/.gitignore", "/target/\n/node_modules/\n/cdk.out/\n");
        shell.write("tree/node_modules/.package-lock.json", "{}");
        verification("echo all is well");
        git("init -q -b main");
        git("add -A");
        git("commit -q -m 'Write the site'");
        git("update-ref refs/remotes/origin/main HEAD");

        template("example.com.");
        shell.write("assembly/manifest.json", """
                {"artifacts": {"Twinhost": {"properties": {"lookupRole":
                  {"arn": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/lookup-${AWS::AccountId}-${AWS::Region}"}}}}}""");
        shell.standIn("node", "echo v22.0.0");
        shell.standIn("npx", """
                echo "npx $*" >>"$TWINHOST_ROOT/calls"
                echo "with ${AWS_ACCESS_KEY_ID:-none}" >>"$TWINHOST_ROOT/keys"
                [[ $2 != synth ]] || cp -R "$TWINHOST_ROOT/assembly/." cdk.out
                cat "$TWINHOST_ROOT/said/$2" 2>/dev/null
                while [[ $# -gt 1 ]]; do
                  [[ $1 != --outputs-file ]] || echo '{"Twinhost": {"SiteUrl": "https://www.example.com/", "BalancerName": "balancer.example"}}' >"$2"
                  shift
                done
                [[ ! -e $TWINHOST_ROOT/said/status ]] || exit "$(<"$TWINHOST_ROOT/said/status")\"""");
        Files.createDirectories(shell.path("tree/cdk.out"));
        // -cp, the tree's classes, and the rest
        shell.standIn(
                "java",
                "exec " + System.getProperty("java.home") + "/bin/java -Xshare:auto -cp "
                        + Shell.CHECKOUT.resolve("target/classes") + " \"${@:3}\"");
        aws("echo example.com.");
        comments("[]");
    }

    @Test
    void shouldCompareAndWriteTheComment() {
        said("diff", "storage-replaced");

        Shell.Result diff = run("diff");

        assertThat(diff.status()).as(diff.output()).isZero();
        assertThat(calls())
                .containsExactly(
                        SYNTHESIS,
                        "npx cdk diff Twinhost --app " + tree("cdk.out")
                                + " --method=template --fail-on=destructive --ci --no-color");
        assertThat(comment())
                .startsWith("### What a merge changes in Twinhost\n\n> [!CAUTION]")
                .doesNotContain("cdk.context.json");
        assertThat(diff.output()).contains("[~] AWS::EFS::FileSystem").endsWith("The comment is in target/diff.md\n");
    }

    @Test
    void shouldCompareTheStackOfAnEnvironment() {
        said("diff", "nothing");
        shell.write("assembly/Twinhost-staging.template.json", "{\"Resources\": {}}");

        assertThat(run("diff", "staging").status()).isZero();
        assertThat(calls()).first().isEqualTo("npx cdk synth -q --ci --no-color -c environment=staging");
        assertThat(calls()).last().asString().startsWith("npx cdk diff Twinhost-staging ");
    }

    @Test
    void shouldSayThatALookUpIsNotCommitted() {
        said("diff", "nothing");
        shell.write("tree/cdk.context.json", "{}");

        assertThat(run("diff").status()).isZero();
        assertThat(comment()).contains("\ncdk.context.json lacks what was looked up just now");
    }

    @ParameterizedTest
    @MethodSource("faults")
    void shouldSayWhatToTypeNext(String words, String sentence) {
        shell.write("said/diff", words + "\n");
        shell.write("said/status", "1");
        shell.write("said/synth", words + "\n");

        assertRefused(run("diff"), "bin/diff: " + sentence);
        assertThat(comment())
                .startsWith(
                        "### No diff of Twinhost\n\nIt could not be made, so nothing is known of what a merge would do: ")
                .endsWith(sentence + "\n");
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                arguments(
                        "Unable to resolve AWS account to use. It must be either configured when you define your CDK Stack, or"
                                + " through the environment",
                        "there are no credentials, or they have lapsed; type: aws configure (or: aws sso login), or in a workflow look"
                                + " at its step configure-aws-credentials"),
                arguments(
                        "Need to perform AWS calls for account 123456789012, but the current credentials are for 210987654321",
                        "the credentials are those of another account (perform AWS calls for account 123456789012, but the current"
                                + " credentials are for 210987654321); type: export AWS_PROFILE=NAME of the right one"),
                arguments(
                        NOT_BOOTSTRAPPED,
                        "account and region were never bootstrapped, or too long ago; type: npx cdk bootstrap"
                                + " aws://123456789012/eu-central-1"),
                arguments(
                        "This CDK deployment requires bootstrap stack version '6', found '5' in aws://123456789012/eu-central-1."
                                + " Please run 'cdk bootstrap'.",
                        "account and region were never bootstrapped, or too long ago; type: npx cdk bootstrap"
                                + " aws://123456789012/eu-central-1"),
                arguments(
                        "No bucket named 'cdk-hnb659fds-assets-123456789012-eu-central-1'. Is account 123456789012 bootstrapped?",
                        "the account was never bootstrapped for files and images; type: npx cdk bootstrap"
                                + " aws://123456789012/eu-central-1"),
                arguments(
                        "Twinhost: fail: Bucket named 'cdk-hnb659fds-assets-123456789012-eu-central-1' exists, but we dont have access to it.",
                        "the role of the bootstrap that publishes files cannot be taken: the account was never bootstrapped, or the"
                                + " credentials lack sts:AssumeRole for it; type: npx cdk bootstrap aws://123456789012/eu-central-1"),
                arguments(
                        "Could not assume role in target account using current credentials User: arn:aws:sts::123456789012:assumed-role/"
                                + "Diff/GitHubActions is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:"
                                + "role/cdk-hnb659fds-deploy-role-123456789012-eu-central-1 . Please make sure that this role exists in the"
                                + " account. If it doesn't exist, (re)-bootstrap the environment with the right '--trust', using the latest"
                                + " version of the CDK CLI.",
                        "the role cdk-hnb659fds-deploy-role-123456789012-eu-central-1 cannot be taken: the account was never bootstrapped,"
                                + " or the credentials lack sts:AssumeRole for it; type: npx cdk bootstrap aws://123456789012/eu-central-1"),
                arguments(
                        "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/Diff/GitHubActions is not authorized to perform:"
                                + " cloudformation:GetTemplate on resource: arn:aws:cloudformation:eu-central-1:123456789012:stack/Twinhost/*"
                                + " because no identity-based policy allows the cloudformation:GetTemplate action",
                        "a right is missing (User: arn:aws:sts::123456789012:assumed-role/Diff/GitHubActions is not authorized to perform:"
                                + " cloudformation:GetTemplate on resource: arn:aws:cloudformation:eu-central-1:123456789012:stack/Twinhost/*);"
                                + " add it to that role: those of the pipeline are in DiffRole.java and DeployRole.java of"
                                + " src/main/java/dev/twinhost; then type: npx cdk deploy Pipeline/Access"),
                arguments(
                        "email: is not an e-mail address, got \"x\", want one address, such as ops@example.org\n"
                                + "zones: is out of range, got 9, want 3, or 2 with a weaker promise\n"
                                + "bin/app: Subprocess exited with error 2",
                        "the settings are refused: email: is not an e-mail address, got \"x\", want one address, such as"
                                + " ops@example.org | zones: is out of range, got 9, want 3, or 2 with a weaker promise; type the right"
                                + " values into cdk.json"),
                arguments(
                        "bin/app: needs java, which is not installed; install a JDK\nbin/app: Subprocess exited with error 2",
                        "needs java, which is not installed; install a JDK"),
                arguments(
                        "docker/host/join.sh: has the line ends of Windows, got CR LF, want LF alone; commit what is yours\n"
                                + "bin/app: Subprocess exited with error 2",
                        "docker/host/join.sh: has the line ends of Windows, got CR LF, want LF alone; commit what is yours"),
                arguments(
                        "There are expired AWS credentials in your environment. The CDK app will synth without current account"
                                + " information.",
                        "there are no credentials, or they have lapsed; type: aws configure (or: aws sso login), or in a workflow look"
                                + " at its step configure-aws-credentials"),
                // The words of Route 53 for records that are there already.
                // https://github.com/alphagov/govuk-infrastructure/pull/140
                arguments(
                        "[Tried to create resource record set [name='example.com.', type='A', set identifier='twinhost'] but it"
                                + " already exists]",
                        "a record with the same set identifier is there, of an earlier stack perhaps, and CloudFormation takes over"
                                + " none (Tried to create resource record set [name='example.com.', type='A', set"
                                + " identifier='twinhost'] but it already exists); " + DELETE_IT
                                + " and type the same again: bin/diff"),
                // https://github.com/kubernetes-sigs/external-dns/issues/4345
                arguments(
                        "[RRSet with DNS name example.com., type A, SetIdentifier twinhost cannot be created as a non-weighted set"
                                + " exists with the same name and type.]",
                        "a record without a weight is there (RRSet with DNS name example.com., type A, SetIdentifier twinhost cannot"
                                + " be created as a non-weighted set exists with the same name and type); to have both side by"
                                + " side, " + DELETE_IT
                                + " and create it again with a weight and a set identifier of its own,"
                                + " both in one change; to try the site before that: \"dns\": \"none\" in cdk.json"),
                // https://github.com/aws/aws-sdk-go-v2/issues/518
                arguments(
                        "[RRSet with DNS name www.example.com.  and type CNAME, SetIdentifier twinhost cannot be created as weighted"
                                + " sets must contain the same TTL.]",
                        "a weighted record of another TTL is there (RRSet with DNS name www.example.com.  and type CNAME,"
                                + " SetIdentifier twinhost cannot be created as weighted sets must contain the same TTL); give it"
                                + " the TTL that the record has in cdk.out/Twinhost.template.json, and type the same again:"
                                + " bin/diff"),
                // https://github.com/aws/aws-sdk-java/issues/1996
                arguments(
                        "[RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts with other records with"
                                + " the same DNS name in zone example.com.]",
                        "a CNAME suffers no other record of its name, and there is one (RRSet of type CNAME with DNS name"
                                + " www.example.com. is not permitted as it conflicts with other records with the same DNS name in"
                                + " zone example.com); " + HAND_OVER),
                // https://github.com/RJPearson94/terraform-aws-open-next/issues/24
                arguments(
                        "[RRSet of type A with DNS name shop.example.com. is not permitted because a conflicting RRSet of type  CNAME"
                                + " with the same DNS name already exists in zone example.com.]",
                        "a CNAME is there, which suffers no other record of its name (RRSet of type A with DNS name"
                                + " shop.example.com. is not permitted because a conflicting RRSet of type  CNAME with the same DNS"
                                + " name already exists in zone example.com); " + HAND_OVER),
                // The words of Route 53, as in https://github.com/aws/copilot-cli/issues/5493
                arguments(
                        "Received response status [FAILED]: [RRSet with DNS name example.com. is not permitted in zone other.org.]",
                        "hostedZoneId: is the zone of another domain (RRSet with DNS name example.com. is not permitted in zone"
                                + " other.org); type: aws route53 list-hosted-zones, and write the id of the domain's zone into cdk.json"));
    }

    @Test
    void shouldFailWhereItDoesNotKnowTheReason() {
        shell.write("said/diff", "Something that nobody has seen yet\n");

        Shell.Result diff = run("diff");

        assertThat(diff.output())
                .contains("Something that nobody has seen yet\n")
                .endsWith("bin/diff: failed, for the reason above; type the same here to see it again: bin/diff\n");
        assertThat(diff.status()).isEqualTo(1);
        assertThat(comment()).startsWith("### No diff of Twinhost");
    }

    @Test
    void shouldRefuseToGuessTheRegion() {
        shell.with("AWS_REGION", "");
        aws("exit 1");

        assertRefused(
                run("diff"),
                "bin/diff: no region is set for AWS's command line (the setting region only refuses another one); type: export AWS_REGION=eu-central-1 (the one of the site),"
                        + " or for the workflows: gh variable set AWS_REGION");
        assertThat(calls()).isEmpty();
    }

    @Test
    void shouldRefuseAZoneThatDoesNotOwnTheDomain() {
        aws("echo other.org.");

        assertRefused(
                run("deploy"),
                "bin/deploy: hostedZoneId: is the zone of other.org, which does not own example.com, got"
                        + " Z0EXAMPLE; type: aws route53 list-hosted-zones-by-name --dns-name example.com, and write the id of its zone into"
                        + " cdk.json");
        assertThat(calls()).containsExactly(SYNTHESIS);
    }

    @Test
    void shouldRefuseAZoneThatMerelyEndsLikeTheDomain() {
        aws("echo ample.com.");

        assertThat(run("diff").status()).isEqualTo(2);
    }

    @Test
    void shouldRefuseAZoneThatIsNotThere() {
        aws("echo 'An error occurred (NoSuchHostedZone) when calling the GetHostedZone operation' >&2; exit 254");

        assertRefused(
                run("diff"),
                "bin/diff: hostedZoneId: is no zone of this account, got Z0EXAMPLE; type: aws route53"
                        + " list-hosted-zones, and write the id of the domain's zone into cdk.json");
    }

    @Test
    void shouldAskForTheZoneAsTheRoleForLookingUpWhereItMayNotAskItself() {
        aws("""
                case $2 in
                  get-hosted-zone)
                    [[ ${AWS_ACCESS_KEY_ID:-} == LOOKUP ]] && { echo other.org.; exit; }
                    echo 'An error occurred (AccessDenied) when calling the GetHostedZone operation' >&2
                    exit 254 ;;
                  get-caller-identity) echo '{"Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/Deploy/x"}' ;;
                  assume-role) echo '{"AccessKeyId": "LOOKUP", "SecretAccessKey": "HIDDEN", "SessionToken": "HIDDEN"}' ;;
                esac""");

        Shell.Result deploy = run("deploy");

        assertThat(deploy.lastLine())
                .startsWith("bin/deploy: hostedZoneId: is the zone of other.org, which does not own example.com");
        assertThat(deploy.output()).doesNotContain("HIDDEN");
    }

    @Test
    void shouldGoOnWhereTheZoneMayNotBeAsked() {
        said("diff", "nothing");
        aws("echo 'An error occurred (AccessDenied) when calling the GetHostedZone operation' >&2; exit 254");

        Shell.Result diff = run("diff");

        assertThat(diff.status()).isZero();
        assertThat(diff.output())
                .contains("the hosted zone Z0EXAMPLE was not checked: An error occurred (AccessDenied)");
    }

    @Test
    void shouldPutANewCommentUnderThePullRequest() {
        shell.write("tree/target/diff.md", "### Nothing\n");

        Shell.Result commented = commented();

        assertThat(commented.output()).isEqualTo("A new comment says it\n");
        assertThat(calls())
                .last()
                .asString()
                .startsWith("gh api --method POST repos/owner/site/issues/7/comments --field body=@");
        assertThat(shell.read("body")).isEqualTo("<!-- twinhost: cdk diff -->\n### Nothing\n");
    }

    @Test
    void shouldPutTheCommentInThePlaceOfItsOwn() {
        shell.write("tree/target/diff.md", "### Nothing\n");
        comments("""
                [{"id": 1, "user": {"login": "somebody"}, "body": "<!-- twinhost: cdk diff -->"},
                 {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "Something else <!-- twinhost: cdk diff -->"}]
                [{"id": 3, "user": {"login": "github-actions[bot]"}, "body": "<!-- twinhost: cdk diff -->\\n### Old"}]""");

        assertThat(commented().output()).isEqualTo("Comment 3 says it now\n");
        assertThat(calls())
                .last()
                .asString()
                .startsWith("gh api --method PATCH repos/owner/site/issues/comments/3 --field body=@");
    }

    @Test
    void shouldPutAnotherCommentForAnotherSite() {
        shell.write("tree/target/diff.md", "### Nothing\n");
        shell.with("TWINHOST_SITE", "staging");
        comments("""
                [{"id": 3, "user": {"login": "github-actions[bot]"}, "body": "<!-- twinhost: cdk diff -->\\n### Old"}]""");

        assertThat(commented().output()).isEqualTo("A new comment says it\n");
        assertThat(shell.read("body")).startsWith("<!-- twinhost: cdk diff of staging -->\n");
    }

    @Test
    void shouldSayUnderThePullRequestThatNoDiffWasMade() {
        shell.with("GITHUB_RUN_ID", "99").with("GITHUB_SHA", "0123abc");

        assertThat(commented().status()).isZero();
        assertThat(shell.read("body")).isEqualTo("""
                        <!-- twinhost: cdk diff -->
                        No diff was made of the newest state of this pull request; the log of the run says why.

                        <sub>0123abc, [run](https://github.com/owner/site/actions/runs/99)</sub>
                        """);
    }

    @Test
    void shouldSayWhichRightTheCommentNeeds() {
        shell.standIn("gh", "echo 'gh: Resource not accessible by integration (HTTP 403)' >&2; exit 1");

        assertRefused(
                commented(),
                "bin/comment: GitHub refuses the comment; the workflow's job needs: permissions: pull-requests: write");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            delimiter = '|',
            value = {
                "TWINHOST_DIFF_ROLE= | Left out: the repository variable TWINHOST_DIFF_ROLE is not set, so AWS is not asked.",
                "HEAD_REPOSITORY=stranger/site | Left out: this pull request comes from a fork (stranger/site), and GitHub gives",
                "GITHUB_ACTOR=dependabot[bot];TWINHOST_DIFF_ROLE= | Left out: GitHub gives a run that Dependabot has started no"
            })
    void shouldSayWhyItIsLeftOutAndBeGreen(String variables, String reason) {
        for (String variable : variables.split(";")) {
            shell.with(variable.replaceAll("=.*", ""), variable.replaceAll(".*=", ""));
        }

        Shell.Result ready = ready(variables);

        assertThat(ready.status()).isZero();
        assertThat(ready.output()).startsWith(reason);
        assertThat(shell.read("output")).isEqualTo("ready=no\n");
        assertThat(shell.read("page")).startsWith(reason);
    }

    @Test
    void shouldSayThatItIsReady() {
        assertThat(ready("")).isEqualTo(new Shell.Result(0, "Ready: TWINHOST_DIFF_ROLE in eu-central-1\n"));
        assertThat(shell.read("output")).isEqualTo("ready=yes\n");
    }

    @Test
    void shouldRefuseVariablesThatAreWrong() {
        shell.with("AWS_REGION", "");
        assertThat(ready("").lastLine())
                .isEqualTo(
                        "bin/ready: AWS_REGION: is no region, got \"\"; type: gh variable set AWS_REGION --body eu-central-1, or the"
                                + " region of the site");
        shell.with("TWINHOST_DIFF_ROLE", "Diff");
        assertThat(ready("TWINHOST_DIFF_ROLE"))
                .isEqualTo(new Shell.Result(
                        2,
                        "bin/ready: TWINHOST_DIFF_ROLE: is no ARN of a role, got \"Diff\"; type: gh variable set TWINHOST_DIFF_ROLE --body"
                                + " ARN, with the output of the stack Pipeline/Access\n"));
    }

    @Test
    void shouldDeployAndLookAtTheSite() {
        Shell.Result deploy = run("deploy");

        assertThat(deploy.status()).as(deploy.output()).isZero();
        assertThat(calls())
                .containsExactly(
                        SYNTHESIS,
                        "npx cdk deploy Twinhost --app " + tree("cdk.out")
                                + " --require-approval never --progress events --outputs-file "
                                + tree("target/outputs.json") + " --ci --no-color",
                        "verify example.com");
        assertThat(deploy.output()).endsWith(" and all is well\n").doesNotContain("To go back");
    }

    @Test
    void shouldLookByTheBalancersNameWhereTheStackMakesNoRecords() {
        shell.write("assembly/Twinhost.template.json", "{\"Resources\": {}}");

        assertThat(run("deploy").status()).isZero();
        assertThat(calls()).last().isEqualTo("verify example.com --connect-to balancer.example");
    }

    @Test
    void shouldLookAgainUntilTheCertificateIsThere() throws IOException {
        verification("[[ $(grep -c verify \"$TWINHOST_ROOT/calls\") -gt 2 ]]");
        commit();

        assertThat(run("deploy").status()).isZero();
        assertThat(calls()).filteredOn(call -> call.startsWith("verify")).hasSize(3);
    }

    @Test
    void shouldSayHowToGoBackWhereTheSiteIsNotWell() throws IOException {
        verification("echo 'BROKEN  HSTS  none'; exit 1");
        String head = commit();

        Shell.Result deploy = run("deploy");

        assertThat(deploy.status()).isEqualTo(1);
        assertThat(deploy.output())
                .contains("BROKEN  HSTS  none\n")
                .contains("    git revert --no-edit " + head + "\n")
                .contains("Kept whatever happens: the file system")
                .endsWith(
                        "bin/deploy: deployed, but the site is not well after 15 looks; type: bin/verify example.com\n");
    }

    @Test
    void shouldSayHowToGoBackWhereTheDeployFails() {
        git("commit -q --allow-empty -m 'Change something'");
        git("checkout -q -b side HEAD~1");
        git("commit -q --allow-empty -m 'Change something else'");
        git("checkout -q main");
        git("merge -q --no-ff -m 'Merge side' side");
        git("update-ref refs/remotes/origin/main HEAD");
        shell.standIn("npx", """
                [[ $2 != synth ]] || { cp -R "$TWINHOST_ROOT/assembly/." cdk.out; exit; }
                echo 'The stack named Twinhost failed to deploy: UPDATE_ROLLBACK_COMPLETE'
                exit 1""");

        Shell.Result deploy = run("deploy");

        assertThat(deploy.status()).isEqualTo(1);
        assertThat(deploy.output())
                .contains("The stack named Twinhost failed to deploy")
                .containsPattern("    git revert --no-edit -m 1 [0-9a-f]{40}\n")
                .contains("CloudFormation puts the stack back by itself")
                .endsWith("bin/deploy: failed, for the reason above; type the same here to see it again: bin/deploy\n");
    }

    @Test
    void shouldSayNothingOfGoingBackBeforeCloudFormationHasBegun() {
        shell.standIn("npx", """
                [[ $2 != synth ]] || { cp -R "$TWINHOST_ROOT/assembly/." cdk.out; exit; }
                echo 'ExpiredToken: The security token included in the request is expired'
                exit 1""");

        Shell.Result deploy = run("deploy");

        assertThat(deploy.lastLine()).startsWith("bin/deploy: there are no credentials, or they have lapsed; type: ");
        assertThat(deploy.output()).doesNotContain("To go back");
        assertThat(deploy.status()).isEqualTo(2);
    }

    @Test
    void shouldSayThatCloudFormationGoesOnWhereTheCredentialsLapse() {
        shell.standIn("npx", """
                [[ $2 != synth ]] || { cp -R "$TWINHOST_ROOT/assembly/." cdk.out; exit; }
                echo 'Twinhost | 3/60 | 10:00:00 AM | UPDATE_IN_PROGRESS | AWS::AutoScaling::AutoScalingGroup | Hosts'
                echo 'ExpiredToken: The security token included in the request is expired'
                exit 1""");

        assertThat(run("deploy").lastLine())
                .isEqualTo(
                        "bin/deploy: the credentials lapsed while CloudFormation was at work, and it goes on; type: aws cloudformation"
                                + " wait stack-update-complete --stack-name Twinhost, and then: bin/verify DOMAIN");
    }

    @Test
    void shouldNotDeployWhatIsNotCommitted() {
        shell.write("tree/nginx/site.d/new.conf", "");

        assertRefused(
                run("deploy"),
                "bin/deploy: the working copy is not what is committed (?? nginx/), and would be deployed as"
                        + " it is; type: git stash --include-untracked, or commit it and have it merged");
        assertThat(calls()).isEmpty();
    }

    /** A stash would have the image looked up anew, and perhaps every machine replaced. */
    @Test
    void shouldAdviseToCommitWhatWasLookedUp() {
        shell.write("tree/cdk.context.json", "{}");
        String sentence = "bin/deploy: cdk.context.json holds what was looked up and is not committed; type: git add"
                + " cdk.context.json && git commit -m 'Keep what was looked up', and have it merged";
        assertRefused(run("deploy"), sentence);

        git("add -A");
        git("commit -q -m 'Keep what was looked up'");
        shell.write("tree/cdk.context.json", "{\"more\": true}");
        assertRefused(run("deploy"), sentence);
        assertThat(calls()).isEmpty();
    }

    @Test
    void shouldNotDeployACommitThatIsNotTheNewestOfMain() {
        git("commit -q --allow-empty -m 'Try something'");

        Shell.Result deploy = run("deploy");

        assertThat(deploy.output())
                .matches(
                        "bin/deploy: the commit here \\([0-9a-f]{9}\\) is not the newest of main \\([0-9a-f]{9}\\); type: git fetch"
                                + " origin main && git switch --detach origin/main\n");
        assertThat(deploy.status()).isEqualTo(2);
    }

    @Test
    void shouldNotDeployAShallowCloneOfAnotherBranch() {
        git("update-ref -d refs/remotes/origin/main");

        assertRefused(
                run("deploy"),
                "bin/deploy: the clone does not hold main, as a shallow clone of another branch does not;"
                        + " type: git fetch --depth 1 origin main:refs/remotes/origin/main && git switch --detach origin/main");
    }

    /** As the workflow has it; nothing that is deployed comes from the history. */
    @Test
    void shouldDeployAShallowCloneOfMain() {
        git("commit -q --allow-empty -m 'Go on'");
        assertThat(shell.bash(
                                "mv tree origin && git clone -q --depth 1 file://$PWD/origin tree && cp -R origin/node_modules"
                                        + " tree/ && mkdir tree/cdk.out && git -C tree rev-parse --is-shallow-repository")
                        .output())
                .isEqualTo("true\n");

        assertThat(run("deploy").status()).isZero();
    }

    @Test
    void shouldSayThatNothingHasDrifted() {
        lookupRole();
        shell.write(
                "said/drift",
                "Stack Twinhost\nNo drift detected\n\n✨  Number of resources with drift: 0 (7 unchecked)\n");

        Shell.Result drift = run("drift");

        assertThat(drift.status()).as(drift.output()).isZero();
        assertThat(drift.lastLine()).isEqualTo("Nothing has drifted");
        assertThat(calls()).last().isEqualTo("npx cdk drift Twinhost --app " + tree("cdk.out") + " --ci --no-color");
        assertThat(shell.read("keys")).as("the lookup role's").isEqualTo("with none\nwith LOOKUP\n");
        assertThat(shell.read("asked"))
                .contains("--role-arn arn:aws-us-gov:iam::123456789012:role/lookup-123456789012-eu-central-1 ");
        assertThat(drift.output()).doesNotContain("HIDDEN");
    }

    @Test
    void shouldFailWhereSomethingHasDriftedAndSayWhatToDo() {
        lookupRole();
        shell.write(
                "said/drift",
                "Modified Resources\n[~] AWS::EC2::SecurityGroup Network/Groups/Hosts A\n\n"
                        + "✨  Number of resources with drift: 2\n");
        shell.with("GITHUB_STEP_SUMMARY", shell.path("page").toString());

        Shell.Result drift = run("drift");

        assertThat(drift.status()).isEqualTo(1);
        assertThat(drift.lastLine())
                .isEqualTo(
                        "bin/drift: 2 resources are not what was deployed; write what should stay into the code and merge it, and take"
                                + " back the rest by hand, or all of it with: npx cdk deploy Twinhost --revert-drift");
        assertThat(shell.read("page")).contains("[~] AWS::EC2::SecurityGroup Network/Groups/Hosts A\n");
    }

    @Test
    void shouldLookForDriftWithItsOwnCredentialsWhereItMayNotTakeTheRole() {
        aws("""
                case $2 in
                  get-caller-identity) echo '{"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/somebody"}' ;;
                  *) echo 'An error occurred (AccessDenied) when calling the AssumeRole operation' >&2; exit 254 ;;
                esac""");
        shell.write("said/drift", "✨  Number of resources with drift: 0\n");

        Shell.Result drift = run("drift");

        assertThat(drift.status()).isZero();
        assertThat(drift.output())
                .contains("goes on with the credentials that it has: An error occurred (AccessDenied)");
    }

    @Test
    void shouldInstallTheCommandLine() throws IOException {
        said("diff", "nothing");
        Files.delete(shell.path("tree/node_modules/.package-lock.json"));
        shell.standIn("npm", "echo \"npm $*\" >>\"$TWINHOST_ROOT/calls\"");

        assertThat(run("diff").status()).isZero();
        assertThat(calls())
                .first()
                .isEqualTo("npm ci --prefix " + shell.path("tree")
                        + " --loglevel=error --no-fund --no-audit --fetch-retries=2"
                        + " --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000");
    }

    @Test
    void shouldShowTheReasonOfNpm() throws IOException {
        Files.delete(shell.path("tree/node_modules/.package-lock.json"));
        shell.standIn("npm", "echo 'npm error code EAI_AGAIN' >&2; exit 1");

        Shell.Result diff = run("diff");

        assertThat(diff.output())
                .endsWith(
                        "npm error code EAI_AGAIN\nbin/diff: npm ci failed, for the reason above; see to that and try again\n");
        assertThat(diff.status()).isEqualTo(1);
        assertThat(comment()).endsWith(": npm ci failed, for the reason above; see to that and try again\n");
    }

    @Test
    void shouldRefuseANodeThatTheCommandLineNoLongerSupports() {
        shell.standIn("node", "echo v20.20.2");

        assertRefused(
                run("diff"),
                "bin/diff: needs Node 22 or later, got 20.20.2; install Node 22 or later, which brings it: https://nodejs.org");
        assertThat(calls()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "diff, aws",
        "diff, jq",
        "diff, java",
        "deploy, openssl",
        "deploy, git",
        "drift, npx",
        "comment, gh",
        "comment, jq"
    })
    void shouldNameATool(String script, String tool) throws IOException {
        Files.deleteIfExists(shell.path("stand-ins/" + tool));
        shell.with("PATH", root.resolve("stand-ins") + ":" + Laptop.without(tool));

        assertThat(run(script).lastLine())
                .startsWith("bin/" + script + ": needs " + tool + ", which is not installed; install ");
        assertThat(run(script).status()).isEqualTo(2);
        assertThat(calls()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"MINGW64_NT-10.0-22631", "MSYS_NT-10.0-22631", "CYGWIN_NT-10.0"})
    void shouldAnswerWindowsWithLinux(String system) {
        shell.standIn("uname", "echo " + system);

        assertRefused(
                run("diff"),
                "bin/diff: runs on Linux and macOS, got " + system
                        + "; on Windows type: wsl --install, and clone the repository inside WSL");
    }

    /** Bash 3.2 ends with status 0 where a variable is unbound. */
    @Test
    void shouldNeverEndWellWithoutAComment() {
        shell.standIn("npx", "kill $PPID; sleep 1");

        assertThat(run("diff").status()).isNotZero();
        assertThat(comment()).startsWith("### No diff of Twinhost");
    }

    @ParameterizedTest
    @CsvSource({"diff", "deploy", "drift"})
    void shouldRefuseAnotherArgument(String script) {
        assertRefused(
                run(script, "--all"),
                "bin/" + script + ": takes one environment of cdk.json at most, got \"--all\"; type: bin/" + script
                        + ", or bin/" + script + " NAME with an environment of cdk.json");
    }

    private Shell.Result ready(String without) {
        shell.with("GITHUB_OUTPUT", shell.path("output").toString())
                .with("GITHUB_STEP_SUMMARY", shell.path("page").toString())
                .with("GITHUB_REPOSITORY", "owner/site");
        if (!without.contains("TWINHOST_DIFF_ROLE")) {
            shell.with("TWINHOST_DIFF_ROLE", ROLE);
        }
        return run("ready", "TWINHOST_DIFF_ROLE");
    }

    private Shell.Result commented() {
        shell.with("PULL_REQUEST", "7").with("GITHUB_REPOSITORY", "owner/site").with("GH_TOKEN", "TOKEN");
        Shell.Result commented = run("comment");
        assertThat(commented.output()).doesNotContain("TOKEN");
        assertThat(calls()).noneMatch(call -> call.contains("TOKEN"));
        return commented;
    }

    private Shell.Result run(String script, String... arguments) {
        return shell.run(Stream.concat(Stream.of(tree("bin/" + script)), Stream.of(arguments))
                .toArray(String[]::new));
    }

    /** Refuses before anything is touched: status 2, and in the end a line that says what to type next. */
    private void assertRefused(Shell.Result ended, String line) {
        assertThat(ended.lastLine()).isEqualTo(line);
        assertThat(ended.status()).isEqualTo(2);
        assertThat(calls()).noneMatch(call -> call.startsWith("npx cdk deploy "));
    }

    private void said(String command, String record) {
        try {
            shell.write("said/" + command, Files.readString(RECORDS.resolve(record + ".txt"), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void template(String name) {
        shell.write("assembly/Twinhost.template.json", """
                {"Resources": {"Apex": {"Type": "AWS::Route53::RecordSet", "Properties": {"Name": "%s", "HostedZoneId": "Z0EXAMPLE"}}}}""".formatted(name));
    }

    private void aws(String script) {
        shell.standIn("aws", "echo \"$*\" >>\"$TWINHOST_ROOT/asked\"\n" + script);
    }

    private void lookupRole() {
        aws("""
                case $2 in
                  get-caller-identity) echo '{"Account": "123456789012", "Arn": "arn:aws-us-gov:sts::123456789012:assumed-role/Deploy/x"}' ;;
                  assume-role) echo '{"AccessKeyId": "LOOKUP", "SecretAccessKey": "HIDDEN", "SessionToken": "HIDDEN"}' ;;
                  get-hosted-zone) echo example.com. ;;
                esac""");
    }

    private void comments(String existing) {
        shell.write("existing", existing);
        shell.standIn("gh", """
                echo "gh $*" >>"$TWINHOST_ROOT/calls"
                case $2 in
                  --paginate) cat "$TWINHOST_ROOT/existing" ;;
                  *) cp "${6#body=@}" "$TWINHOST_ROOT/body" ;;
                esac""");
    }

    private void verification(String script) throws IOException {
        Path verify = shell.write(
                "tree/bin/verify", "#!/bin/bash\necho \"verify $*\" >>\"$TWINHOST_ROOT/calls\"\n" + script + "\n");
        assertThat(verify.toFile().setExecutable(true)).isTrue();
    }

    private String commit() {
        git("commit -q -a -m 'Change something'");
        git("update-ref refs/remotes/origin/main HEAD");
        return git("rev-parse HEAD").strip();
    }

    private String git(String arguments) {
        Shell.Result ended = shell.bash("git -C tree -c user.name=A -c user.email=a@example.com " + arguments);
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended.output();
    }

    private List<String> calls() {
        return shell.exists("calls") ? shell.read("calls").lines().toList() : List.of();
    }

    private String comment() {
        return shell.read("tree/target/diff.md");
    }

    private String tree(String path) {
        return shell.path("tree/" + path).toString();
    }
}
