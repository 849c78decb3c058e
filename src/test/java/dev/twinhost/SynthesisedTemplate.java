package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.ZipFile;
import software.amazon.awscdk.App;

/** A template as the app makes it, with all of CDK's checks. A synthesis takes seconds: {@link #site} is made once. */
final class SynthesisedTemplate {
    static final Map<String, Object> CONTEXT = Map.of(
            "domain", "shop.example.org",
            "email", "ops@shop.example.org",
            "hostedZoneId", "Z0123456789ABCDEFGHIJ",
            "appImage", "example/shop:1.4.2",
            "appPort", 8081);

    /** An account and a region, as the command line of the CDK names them to the app. */
    static final Map<String, String> ACCOUNT =
            Map.of("CDK_DEFAULT_ACCOUNT", "123456789012", "CDK_DEFAULT_REGION", "eu-central-1");

    private static final class Site {
        private static final SynthesisedTemplate TEMPLATE = with(Map.of());
    }

    private final Path assembly;
    private final String stack;
    private final JsonNode json;

    private SynthesisedTemplate(Path assembly, String stack) {
        this.assembly = assembly;
        this.stack = stack;
        this.json = read(assembly.resolve(stack + ".template.json"));
    }

    /** The template of a site with {@link #CONTEXT} and otherwise the defaults, without an account. */
    static SynthesisedTemplate site() {
        return Site.TEMPLATE;
    }

    static SynthesisedTemplate with(Map<String, Object> settings) {
        return with(settings, Map.of());
    }

    static SynthesisedTemplate with(Map<String, Object> settings, Map<String, String> variables) {
        Map<String, Object> context = new HashMap<>(CONTEXT);
        context.putAll(settings);
        // As the CDK command line sets it.
        context.put("aws:cdk:enable-path-metadata", true);
        Path assembly = temporaryFolder("assembly");
        App app = new App(
                TwinhostApp.props().outdir(assembly.toString()).context(context).build());
        String stack = TwinhostApp.addStack(app, variables, checkout()).getStackName();
        app.synth();
        return new SynthesisedTemplate(assembly, stack);
    }

    /** The other template of the app, that of the pipeline. */
    SynthesisedTemplate pipeline() {
        Path stage = assembly.resolve("assembly-Pipeline");
        String access = read(stage.resolve("manifest.json")).path("artifacts").properties().stream()
                .filter(artifact -> artifact.getValue().path("type").asText().equals("aws:cloudformation:stack"))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
        return new SynthesisedTemplate(stage, access);
    }

    JsonNode json() {
        return json;
    }

    /** A file of the cloud assembly: a manifest, an asset. */
    Path file(String name) {
        return assembly.resolve(name);
    }

    JsonNode manifest() {
        return json("manifest.json");
    }

    JsonNode json(String name) {
        return read(file(name));
    }

    /** What the release tells the hosts about the site. */
    String releaseSettings() throws IOException {
        try (Stream<Path> files = Files.list(assembly)) {
            Path archive = files.filter(file -> file.toString().endsWith(".zip"))
                    .findFirst()
                    .orElseThrow();
            try (ZipFile zip = new ZipFile(archive.toFile())) {
                return new String(
                        zip.getInputStream(zip.getEntry(ReleaseArchive.SETTINGS))
                                .readAllBytes(),
                        StandardCharsets.UTF_8);
            }
        }
    }

    /** What the command line prints about the stack: warnings, notices. */
    JsonNode messages() {
        return read(file(stack + ".metadata.json"));
    }

    JsonNode resource(String id) {
        JsonNode resource = json.path("Resources").path(id);
        if (resource.isMissingNode()) {
            throw new AssertionError("The template has no resource " + id);
        }
        return resource;
    }

    /** The resources of one type, by logical id. */
    SortedMap<String, JsonNode> resources(String type) {
        SortedMap<String, JsonNode> found = new TreeMap<>();
        json.path("Resources").properties().forEach(resource -> {
            if (resource.getValue().path("Type").asText().equals(type)) {
                found.put(resource.getKey(), resource.getValue());
            }
        });
        return found;
    }

    /** The logical id of the only resource of its type whose construct path holds these words. */
    String idOf(String type, String path) {
        List<String> ids = resources(type).entrySet().stream()
                .filter(resource -> resource.getValue()
                        .path("Metadata")
                        .path("aws:cdk:path")
                        .asText()
                        .contains(path))
                .map(Map.Entry::getKey)
                .toList();
        if (ids.size() != 1) {
            throw new AssertionError("Not one " + type + " at " + path + ", but " + ids);
        }
        return ids.get(0);
    }

    JsonNode propertiesOf(String type, String path) {
        return resource(idOf(type, path)).path("Properties");
    }

    /** What a resource waits for, as it is written. */
    List<String> dependenciesOf(String id) {
        return StreamSupport.stream(resource(id).path("DependsOn").spliterator(), false)
                .map(JsonNode::asText)
                .toList();
    }

    /** A checkout with as little in it as the app takes. */
    static Path checkout() {
        Path checkout = temporaryFolder("checkout");
        try {
            Files.writeString(Files.createDirectory(checkout.resolve("docker")).resolve("stack.yml"), "services: {}\n");
            Files.writeString(Files.createDirectory(checkout.resolve("nginx")).resolve("nginx.conf"), "events {}\n");
            Files.writeString(Files.createDirectory(checkout.resolve("app")).resolve("Dockerfile"), "FROM scratch\n");
            return checkout;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder that goes when the tests end. */
    static Path temporaryFolder(String name) {
        try {
            Path folder = Files.createTempDirectory("twinhost-" + name + "-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode read(Path file) {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
