package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
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
 *
 * <p>The repository's variables of an environment's site end in its name, so that they stand beside those of the site itself:
 * copies of the workflows read them.
 */
final class PipelineAccess extends Stack {
    /** What the names of the variables end in. */
    private final String suffix;

    /** @param site the name of the stack that is compared and deployed */
    PipelineAccess(Construct scope, String id, StackProps props, Settings settings, String site) {
        super(scope, id, props);
        suffix = settings.environment()
                .map(environment -> '_' + environment.toUpperCase(Locale.ROOT).replace('-', '_'))
                .orElse("");
        GitHubTrust trust = new GitHubTrust(this, "GitHub", settings);
        String diff = new DiffRole(this, "Diff", settings, trust, site).role().getRoleArn();
        String deploy = new DeployRole(this, "Deploy", settings, trust).role().getRoleArn();
        warn(trust.repository());
        output("OidcProviderArn", "GitHub, as this account knows it; stays without this stack", trust.providerArn());
        output(
                "DiffRoleArn",
                "Pull requests take it to compare; TWINHOST_DIFF_ROLE" + suffix + " in the repository",
                diff);
        output(
                "DeployRoleArn",
                "The main branch takes it; TWINHOST_DEPLOY_ROLE" + suffix + " in the repository",
                deploy);
        output(
                "VariablesCommand",
                suffix.isEmpty()
                        ? "Tells the repository"
                        : "Tells the repository, for copies of the workflows that read these names",
                command(trust.repository(), variables(settings, diff, deploy)));
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

    private Map<String, String> variables(Settings settings, String diff, String deploy) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("AWS_REGION", getRegion());
        variables.put("TWINHOST_DIFF_ROLE", diff);
        variables.put("TWINHOST_DEPLOY_ROLE", deploy);
        settings.environment().ifPresent(environment -> variables.put("TWINHOST_SITE", environment));
        settings.githubEnvironment().ifPresent(environment -> variables.put("TWINHOST_ENVIRONMENT", environment));
        return variables;
    }

    private String command(String repository, Map<String, String> variables) {
        String set = "gh variable set --repo " + repository.replaceAll("@[0-9]+", "") + ' ';
        return variables.entrySet().stream()
                .map(variable -> set + variable.getKey() + suffix + " --body " + variable.getValue())
                .collect(Collectors.joining(" && "));
    }

    private void output(String id, String description, String value) {
        CfnOutput.Builder.create(this, id).description(description).value(value).build();
    }
}
