package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The pinned command line of the CDK, in an account that allows it what the diff role of the template allows. */
@Needs(Needs.CDK)
class DiffRoleTest {
    /** Of its own, as the command line writes down there what it has looked up. */
    private final Path folder = SynthesisedTemplate.checkout();

    @Test
    void shouldSufficeForADiffWithEveryLookUpAndHoldNoRightThatItDoesNotUse() throws Exception {
        RolePolicy role =
                new RolePolicy(Pipelines.ofMain().pipeline(), "DiffRole22A114D0", SynthesisedTemplate.ACCOUNT);
        try (AccountStandIn account = new AccountStandIn(role)) {
            int status = diff(account);

            String printed = CommandLine.printed(folder);
            assertThat(status).as(printed).isZero();
            assertThat(printed)
                    .contains("Stack Twinhost ", "AWS::EFS::FileSystem", "Stack Pipeline/Access (TwinhostPipeline)");
            assertThat(account.allowed())
                    .containsExactly(
                            "cloudformation:DescribeStacks on " + stack("Twinhost"),
                            "cloudformation:DescribeStacks on " + stack("TwinhostPipeline"),
                            "cloudformation:GetTemplate on " + stack("Twinhost"),
                            "cloudformation:GetTemplate on " + stack("TwinhostPipeline"),
                            "ec2:DescribeAvailabilityZones on *",
                            "route53:ListHostedZonesByName on *",
                            "ssm:GetParameter on arn:aws:ssm:eu-central-1::parameter/aws/service"
                                    + "/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64");
            // Tried first, and done without: it reads nearly everything in the account.
            assertThat(account.refused())
                    .containsExactly("sts:AssumeRole on arn:aws:iam::123456789012:role/"
                            + "cdk-hnb659fds-lookup-role-123456789012-eu-central-1");
        }
    }

    private static String stack(String name) {
        return "arn:aws:cloudformation:eu-central-1:123456789012:stack/" + name + "/0";
    }

    private int diff(AccountStandIn account) throws IOException, InterruptedException {
        Map<String, Object> context = new HashMap<>(SynthesisedTemplate.CONTEXT);
        context.remove("hostedZoneId");
        context.put("githubRepository", Pipelines.REPOSITORY);
        return CommandLine.run(
                account, folder, context, "diff", "--method=template", "--no-color", "Twinhost", "Pipeline/Access");
    }
}
