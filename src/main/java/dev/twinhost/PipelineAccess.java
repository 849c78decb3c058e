package dev.twinhost;

import dev.twinhost.settings.Settings;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.constructs.Construct;

/**
 * What the workflows of one GitHub repository may do for one site, with no stored secret: a role that reads what
 * {@code cdk diff} reads, for pull requests, and one that deploys, for the main branch. Has no resources of its own.
 *
 * <p>Needs an account and region that are bootstrapped, with the app's qualifier.
 */
final class PipelineAccess extends Stack {
    /** @param site the name of the stack that is compared and deployed */
    PipelineAccess(Construct scope, String id, StackProps props, Settings settings, String site) {
        super(scope, id, props);
        GitHubTrust trust = new GitHubTrust(this, "GitHub", settings);
        String diff = new DiffRole(this, "Diff", settings, trust, site).role().getRoleArn();
        String deploy = new DeployRole(this, "Deploy", settings, trust).role().getRoleArn();
        warn(trust.repository());
        output("OidcProviderArn", "GitHub, as this account knows it; stays without this stack", trust.providerArn());
        output("DiffRoleArn", "Pull requests take it to compare; TWINHOST_DIFF_ROLE in the repository", diff);
        output("DeployRoleArn", "The main branch takes it; TWINHOST_DEPLOY_ROLE in the repository", deploy);
        output("VariablesCommand", "Tells the repository", variablesCommand(trust.repository(), diff, deploy));
    }

    private void warn(String repository) {
        if (!repository.contains("@")) {
            Annotations.of(this)
                    .addWarningV2(
                            "twinhost:githubRepository",
                            "githubRepository names no ids: workflows of a repository that was created, renamed or moved"
                                    + " after 2026-07-15 are not let in, and if this one is ever given up, whoever takes"
                                    + " its name is. docs/pipeline.md says how to find the ids.");
        }
    }

    private String variablesCommand(String repository, String diff, String deploy) {
        String set = "gh variable set --repo " + repository.replaceAll("@[0-9]+", "") + ' ';
        return set + "AWS_REGION --body " + getRegion() + " && " + set + "TWINHOST_DIFF_ROLE --body " + diff + " && "
                + set + "TWINHOST_DEPLOY_ROLE --body " + deploy;
    }

    private void output(String id, String description, String value) {
        CfnOutput.Builder.create(this, id).description(description).value(value).build();
    }
}
