package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The pinned command line of the CDK, in an account that allows it what the diff role of the template allows. */
class DiffRoleTest {
    /** As bin/app starts it, with the classes of the tests. */
    private static final String APP = "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC " + TwinhostApp.class.getName();

    private static final Path CDK = Path.of("node_modules/.bin/cdk").toAbsolutePath();

    /** Of its own, as the command line writes down there what it has looked up. */
    private final Path folder = SynthesisedTemplate.checkout();

    @Test
    void shouldSufficeForADiffWithEveryLookUpAndHoldNoRightThatItDoesNotUse() throws Exception {
        RolePolicy role =
                new RolePolicy(Pipelines.ofMain().pipeline(), "DiffRole22A114D0", SynthesisedTemplate.ACCOUNT);
        try (AccountStandIn account = new AccountStandIn(role)) {
            int status = diff(account);

            String printed = Files.readString(folder.resolve("printed"));
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
        assertThat(CDK).as("npm ci installs it").exists();
        Map<String, Object> context = new HashMap<>(SynthesisedTemplate.CONTEXT);
        context.remove("hostedZoneId");
        context.put("githubRepository", Pipelines.REPOSITORY);
        new ObjectMapper().writeValue(folder.resolve("cdk.json").toFile(), Map.of("app", APP, "context", context));
        ProcessBuilder builder = new ProcessBuilder(
                        CDK.toString(),
                        "diff",
                        "--method=template",
                        "--no-notices",
                        "--no-color",
                        "Twinhost",
                        "Pipeline/Access")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("printed").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_") || name.startsWith("CDK_"));
        builder.environment()
                .putAll(Map.of(
                        "AWS_ENDPOINT_URL", account.address().toString(),
                        "AWS_REGION", "eu-central-1",
                        "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE",
                        "AWS_SECRET_ACCESS_KEY", "example",
                        "AWS_CONFIG_FILE", "/dev/null",
                        "AWS_SHARED_CREDENTIALS_FILE", "/dev/null",
                        "AWS_EC2_METADATA_DISABLED", "true",
                        "CDK_DISABLE_CLI_TELEMETRY", "true",
                        "JSII_NODE", "node --single-threaded",
                        "CLASSPATH", System.getProperty("java.class.path")));
        String path = CDK.getParent() + ":" + Path.of(System.getProperty("java.home"), "bin") + ':';
        builder.environment().merge("PATH", path, (theirs, ours) -> ours + theirs);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(600, TimeUnit.SECONDS))
                    .as("cdk diff ends within 600 s")
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return process.exitValue();
    }
}
