package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The app as a process of its own, as the CDK command line starts it. */
class AppTest {
    @TempDir
    private Path output;

    @TempDir
    private Path streams;

    @Test
    void shouldEndWithStatusTwoAndTheFaultsAloneWhereSettingsAreRefused() throws Exception {
        Ended app = run(Path.of("").toAbsolutePath(), "{\"domain\": \"shop\", \"zones\": \"9\"}");

        assertThat(app.errors()).isEqualTo("""
                        domain: is not a public host name, got "shop", want the site's apex, such as example.org
                        email: is missing, got nothing, want one address, such as ops@example.org
                        hostedZoneId: is missing, and no AWS account is known in which to look it up, got nothing, \
                        want the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ, \
                        or credentials of the account that holds it
                        zones: is out of range, got 9, want 3, or 2 with a weaker promise
                        """);
        assertThat(app.output()).isEmpty();
        assertThat(app.status()).isEqualTo(2);
        assertThat(output).isEmptyDirectory();
    }

    /** On the way from CDK to Java an object loses what is null in it. */
    @Test
    void shouldTakeAwayWhatABlockSaysIsNothing() throws Exception {
        String context = "{\"domain\": \"shop.example.org\", \"email\": \"ops@example.org\", \"hostedZoneId\":"
                + " \"Z0123456789ABCDEFGHIJ\", \"environment\": \"staging\","
                + " \"environments\": {\"staging\": {\"domain\": null}}}";
        String missing = "domain: is missing, got nothing, want the site's apex, such as example.org\n";

        assertThat(run(Path.of("").toAbsolutePath(), context).errors()).isEqualTo(missing);

        // as the command line does with what is too large for a variable
        Path file = Files.writeString(streams.resolve("context-overflow.json"), context);
        Ended app = run(Path.of("").toAbsolutePath(), "{}", Map.of("CONTEXT_OVERFLOW_LOCATION_ENV", file.toString()));
        assertThat(app.errors()).isEqualTo(missing);
        assertThat(app.status()).isEqualTo(2);
    }

    @Test
    void shouldEndWithStatusTwoAndOneLineWhereTheCheckoutIsIncomplete(@TempDir Path elsewhere) throws Exception {
        Ended app = run(
                elsewhere,
                "{\"domain\": \"example.com\", \"email\": \"ops@example.com\","
                        + " \"hostedZoneId\": \"Z0EXAMPLE0EXAMPLE0EX\"}");

        assertThat(app.errors()).isEqualTo("docker/: is missing; run cdk in a complete checkout of Twinhost\n");
        assertThat(app.status()).isEqualTo(2);
        assertThat(output).isEmptyDirectory();
    }

    private record Ended(int status, String output, String errors) {}

    private Ended run(Path folder, String context) throws IOException, InterruptedException {
        return run(folder, context, Map.of());
    }

    private Ended run(Path folder, String context, Map<String, String> variables)
            throws IOException, InterruptedException {
        Path printed = streams.resolve("output");
        Path errors = streams.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        TwinhostApp.class.getName())
                .directory(folder.toFile())
                .redirectOutput(printed.toFile())
                .redirectError(errors.toFile());
        builder.environment().putAll(Map.of("CDK_CONTEXT_JSON", context, "CDK_OUTDIR", output.toString()));
        builder.environment().putAll(variables);
        builder.environment().keySet().removeIf(name -> name.startsWith("CDK_DEFAULT_"));
        Process process = builder.start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS))
                    .as("the app ends within 120 s")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ended(process.exitValue(), Files.readString(printed), Files.readString(errors));
    }
}
