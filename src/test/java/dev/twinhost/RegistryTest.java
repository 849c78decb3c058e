package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a machine asks a registry through its engine, and the login that goes with it. */
@Needs("jq")
class RegistryTest {
    private static final String IMAGE = "registry.example.org:5000/acme/shop:1";
    private static final String PATH = "/distribution/" + IMAGE + "/json";
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);
    private static final String ANSWER = "{\"Descriptor\":{\"mediaType\":\"x\",\"digest\":\"" + DIGEST
            + "\",\"size\":1},\"Platforms\":[{\"architecture\":\"arm64\",\"os\":\"linux\"}]}";
    private static final String PASSWORD = "p:ä?ÿ>~ 'quoted'";

    @TempDir
    Path root;

    private Shell shell;
    private EngineStandIn engine;

    @BeforeEach
    void createRegistryThatAnswers() {
        shell = new Shell(root);
        engine = new EngineStandIn(shell).answer("GET", PATH, ANSWER);
    }

    // https://github.com/distribution/reference/blob/v0.6.0/normalize_test.go
    @ParameterizedTest
    @CsvSource({
        "nginx, https://index.docker.io/v1/",
        "nginx:1.30, https://index.docker.io/v1/",
        "acme/shop:1, https://index.docker.io/v1/",
        "registry/shop, https://index.docker.io/v1/",
        "docker.io/acme/shop, https://index.docker.io/v1/",
        "index.docker.io/acme/shop, https://index.docker.io/v1/",
        "shop.example.org, https://index.docker.io/v1/",
        "localhost/shop, localhost",
        "localhost:5000/shop:1, localhost:5000",
        "registry:5000/shop, registry:5000",
        "Registry/shop, Registry",
        "127.0.0.1:5000/acme/shop, 127.0.0.1:5000",
        "registry.example.org/acme/shop@sha256:0, registry.example.org"
    })
    void shouldTellTheRegistryOfAReference(String image, String registry) {
        assertThat(shell.lib("registry_of " + image)).isEqualTo(new Shell.Result(0, registry + '\n'));
    }

    @Test
    void shouldSayWhatAReferenceMeansNow() {
        assertThat(ask(IMAGE)).isEqualTo(new Shell.Result(0, ANSWER + '\n'));
        assertThat(engine.headers("GET", PATH)).as("nobody has logged in").isEmpty();
        assertThat(engine.commands())
                .singleElement()
                .asString()
                .contains(" --max-time 30 ")
                .endsWith(" http://docker/v1.44" + PATH);
    }

    @ParameterizedTest
    @ValueSource(strings = {"root/.docker", "elsewhere"})
    void shouldAskWithTheLoginThatDockerHasAndShowItToNobody(String folder) throws IOException {
        login(folder, "registry.example.org:5000", "{\"auth\":\"" + encoded("deploy:" + PASSWORD) + "\"}");
        if (!folder.startsWith("root")) {
            shell.with("DOCKER_CONFIG", root + "/" + folder);
        }

        assertThat(ask(IMAGE)).isEqualTo(new Shell.Result(0, ANSWER + '\n'));
        assertThat(header())
                .isEqualTo(new ObjectMapper()
                        .createObjectNode()
                        .put("username", "deploy")
                        .put("password", PASSWORD)
                        .put("serveraddress", "registry.example.org:5000"));
        String sent = engine.headers("GET", PATH).replaceFirst(".*: ", "").strip();
        assertThat(sent).containsPattern("[-_]").doesNotContainPattern("[+/]");
        assertThat(engine.commands())
                .noneMatch(command -> command.contains(sent) || command.contains(encoded("deploy:" + PASSWORD)));
    }

    @Test
    void shouldAskWithTheTokenThatARegistryHasGivenForThePassword() throws IOException {
        login(
                "root/.docker",
                "registry.example.org:5000",
                "{\"auth\":\"" + encoded("deploy:") + "\",\"identitytoken\":\"t0ken\"}");

        ask(IMAGE);

        assertThat(header())
                .isEqualTo(new ObjectMapper()
                        .createObjectNode()
                        .put("username", "deploy")
                        .put("serveraddress", "registry.example.org:5000")
                        .put("identitytoken", "t0ken"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"auths\":{\"registry.example.org\":{\"auth\":\"ZGVwbG95OnB3\"}}}",
                "{\"auths\":{\"registry.example.org:5000\":{}},\"credsStore\":\"pass\"}",
                "{\"auths\":{\"registry.example.org:5000\":7}}",
                "{\"auths\":[]}",
                "{\"auths\":",
                "''"
            })
    void shouldAskWithoutALoginWhereDockerHasNone(String config) {
        shell.write("root/.docker/config.json", config);

        assertThat(ask(IMAGE)).isEqualTo(new Shell.Result(0, ANSWER + '\n'));
        assertThat(engine.headers("GET", PATH)).isEmpty();
    }

    @Test
    void shouldGiveTheWordsOfTheRegistryAsOneLine() {
        shell.bash("rm engine/*_json");
        engine.refuse("GET", PATH, "errors:\\ndenied: no\\u001b[2J\\nunauthorized: log in first\\n");

        assertThat(ask(IMAGE))
                .isEqualTo(new Shell.Result(1, "error: errors: denied: no[2J unauthorized: log in first\n"));
    }

    @Test
    void shouldSayThatTheRegistryTakesTooLong() {
        engine.then("GET", PATH, "echo 'curl: (28) Operation timed out after 5001 milliseconds' >&2\nexit 28");

        assertThat(ask(IMAGE + " 5")).isEqualTo(new Shell.Result(1, "error: no answer within 5 s\n"));
        assertThat(engine.commands()).singleElement().asString().contains(" --max-time 5 ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "{}",
                "[]",
                "{\"Descriptor\":7}",
                "{\"Descriptor\":{\"digest\":null}}",
                "{\"Descriptor\":{\"digest\":\"sha256:0123\"}}",
                "{\"Descriptor\":{\"digest\":\"sha256:"
            })
    void shouldTakeNoBrokenAnswerForADigest(String answer) {
        engine.answer("GET", PATH, answer);

        assertThat(ask(IMAGE)).isEqualTo(new Shell.Result(1, "error: the answer names no digest\n"));
    }

    @Test
    void shouldAskForNothingThatIsNoReference() {
        assertThat(ask("'shop?x=[1-9]'"))
                .isEqualTo(new Shell.Result(1, "error: 'shop?x=[1-9]' is no reference to an image\n"));
        assertThat(engine.commands()).isEmpty();
    }

    /** What it prints; what it prints to standard error begins with "error". */
    private Shell.Result ask(String arguments) {
        return shell.lib("status=0\ndistribution " + arguments
                + " 2>error || status=$?\n[[ ! -s error ]] || sed 's/^/error: /' error\nexit $status");
    }

    private void login(String folder, String registry, String entry) {
        shell.write(
                folder + "/config.json", "{\"auths\":{\"other.example.org\":{},\"" + registry + "\":" + entry + "}}");
    }

    private JsonNode header() throws IOException {
        String header = engine.headers("GET", PATH);
        assertThat(header).startsWith("X-Registry-Auth: ").hasLineCount(1);
        return new ObjectMapper()
                .readTree(Base64.getUrlDecoder()
                        .decode(header.substring(header.indexOf(' ') + 1).strip()));
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
