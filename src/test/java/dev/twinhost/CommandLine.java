package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The pinned command line of the CDK, as a person types it in a checkout, in an account that is played. */
final class CommandLine {
    /** As bin/app starts it, with the classes of the tests. */
    private static final String APP = "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC " + TwinhostApp.class.getName();

    private static final Path CDK = Path.of("node_modules/.bin/cdk").toAbsolutePath();

    private CommandLine() {}

    /**
     * @param folder a checkout of its own, as the command line writes down there what it has looked up
     * @return the exit status
     */
    static int run(AccountStandIn account, Path folder, Map<String, Object> context, String... arguments)
            throws IOException, InterruptedException {
        assertThat(CDK).as("npm ci installs it").exists();
        new ObjectMapper().writeValue(folder.resolve("cdk.json").toFile(), Map.of("app", APP, "context", context));
        List<String> command = new ArrayList<>(List.of(CDK.toString()));
        command.addAll(List.of(arguments));
        command.add("--no-notices");
        ProcessBuilder builder = new ProcessBuilder(command)
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
                    .as("cdk ends within 600 s")
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return process.exitValue();
    }

    /** What the last run in this folder has printed. */
    static String printed(Path folder) throws IOException {
        return Files.readString(folder.resolve("printed"));
    }
}
