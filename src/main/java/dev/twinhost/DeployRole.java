package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import software.amazon.awscdk.DefaultStackSynthesizer;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Fn;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.constructs.Construct;

/**
 * What the main branch may do, or its jobs in the environment that the settings name: be those whom the bootstrap of
 * this account and region has made for {@code cdk deploy}, and nothing by itself. They can change the whole account.
 */
final class DeployRole extends Construct {
    private static final List<String> BOOTSTRAP_ROLES = List.of(
            DefaultStackSynthesizer.DEFAULT_DEPLOY_ROLE_ARN,
            DefaultStackSynthesizer.DEFAULT_FILE_ASSET_PUBLISHING_ROLE_ARN,
            DefaultStackSynthesizer.DEFAULT_IMAGE_ASSET_PUBLISHING_ROLE_ARN,
            DefaultStackSynthesizer.DEFAULT_LOOKUP_ROLE_ARN);

    private final Role role;

    DeployRole(Construct scope, String id, Settings settings, GitHubTrust trust) {
        super(scope, id);
        role = Role.Builder.create(this, "Role")
                .description("The main branch of " + trust.repository() + ": deploys with the CDK")
                .assumedBy(settings.githubEnvironment()
                        .map(trust::mainBranchThrough)
                        .orElseGet(trust::mainBranch))
                .maxSessionDuration(Duration.hours(1))
                .build();
        String qualifier = Stack.of(this).getSynthesizer().getBootstrapQualifier();
        role.addToPolicy(PolicyStatement.Builder.create()
                .sid("TakeTheRolesOfTheBootstrap")
                .actions(List.of("sts:AssumeRole"))
                .resources(BOOTSTRAP_ROLES.stream()
                        .map(arn -> Fn.sub(arn.replace("${Qualifier}", qualifier)))
                        .toList())
                .build());
    }

    IRole role() {
        return role;
    }
}
