package dev.twinhost;

import dev.twinhost.settings.Dns;
import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.stream.Stream;
import software.amazon.awscdk.ArnComponents;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.constructs.Construct;

/**
 * What a pull request may do: read for itself what {@code cdk diff --method=template} would read as the bootstrap's
 * lookup role. That one reads nearly everything in the account, and whoever may push a branch can take this one. The
 * command line goes on with the credentials that it has where it may not take the lookup role, if they are of the
 * stack's account:
 * https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/api/aws-auth/sdk-provider.ts.
 */
final class DiffRole extends Construct {
    private final Role role;

    /** @param site the name of the site's stack */
    DiffRole(Construct scope, String id, Settings settings, GitHubTrust trust, String site) {
        super(scope, id);
        role = Role.Builder.create(this, "Role")
                .description("Pull requests of " + trust.repository() + ": reads what cdk diff compares")
                .assumedBy(trust.pullRequests())
                .maxSessionDuration(Duration.hours(1))
                .build();
        allow(
                "ReadTheTemplates",
                List.of("cloudformation:DescribeStacks", "cloudformation:GetTemplate"),
                Stream.of(site, Stack.of(this).getStackName())
                        .map(this::stackArn)
                        .toList());
        allow("LookUpTheMachineImage", List.of("ssm:GetParameter"), List.of(publicImages()));
        // Both actions take no resources.
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html
        allow("LookUpTheAvailabilityZones", List.of("ec2:DescribeAvailabilityZones"), List.of("*"));
        if (settings.dns() == Dns.ALL && settings.hostedZoneId().isEmpty()) {
            allow("LookUpTheZone", List.of("route53:ListHostedZonesByName"), List.of("*"));
        }
    }

    private void allow(String sid, List<String> actions, List<String> resources) {
        role.addToPolicy(PolicyStatement.Builder.create()
                .sid(sid)
                .actions(actions)
                .resources(resources)
                .build());
    }

    private String stackArn(String name) {
        return Stack.of(this)
                .formatArn(ArnComponents.builder()
                        .service("cloudformation")
                        .resource("stack")
                        .resourceName(name + "/*")
                        .build());
    }

    /** AWS's own parameters, which everybody may read; they belong to no account. */
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
    private String publicImages() {
        return Stack.of(this)
                .formatArn(ArnComponents.builder()
                        .service("ssm")
                        .account("")
                        .resource("parameter")
                        .resourceName("aws/service/ami-amazon-linux-latest/*")
                        .build());
    }

    IRole role() {
        return role;
    }
}
