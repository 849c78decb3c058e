package dev.twinhost;

import io.github.cdklabs.cdknag.AwsSolutionsChecks;
import io.github.cdklabs.cdknag.NagPackProps;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.Stage;

/**
 * Every combination of the settings that change what there is, and beside these some sites with what is left. All are
 * stages of one app: synthesised at once, they take half of the time that they would take one by one.
 *
 * <p>CDK validates every template and fails the synthesis; cdk-nag looks at every resource and leaves {@link Finding}s.
 */
final class Matrix {
    /** What a number makes the name of a variant's stage. */
    static final String STAGE = "Variant";

    /** Each combination of one value from each line is a variant: a setting more is a line more. Null leaves it out. */
    private static final Map<String, List<Object>> DIMENSIONS = dimensions();

    private static final String SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";

    private static final List<Map<String, Object>> OTHERS = List.of(
            Map.of("fileSystemId", "fs-0123456789abcdef0", "instanceType", "t3.small", "appReplicas", 1),
            Map.of(
                    "appImage",
                    "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop/front:v1",
                    "appSecrets",
                    Map.of("db", SECRET)),
            Map.of("appImage", "./app", "caa", true, "dnsWeight", 0),
            Map.of("natGateways", 1, "vpcCidr", "192.168.0.0/24", "appRegistrySecret", SECRET),
            // the pipeline's stack has nothing of the site's but its name
            Map.of("githubRepository", Pipelines.REPOSITORY),
            Map.of("githubRepository", Pipelines.REPOSITORY, "dns", "none", "githubEnvironment", "production"),
            Map.of(
                    "githubRepository",
                    Pipelines.REPOSITORY,
                    "witness",
                    false,
                    "githubOidcProviderArn",
                    Pipelines.PROVIDER),
            longest(),
            lookedUp());

    /** Would fail the synthesis for what cdk-nag finds, before anybody has looked at the reasons. */
    private static final String FINDINGS_FAIL = "@aws-cdk/core:annotationsInValidationReport";

    private static final class Synthesised {
        private static final List<Variant> VARIANTS = synthesise();
    }

    private Matrix() {}

    private static Map<String, List<Object>> dimensions() {
        Map<String, List<Object>> dimensions = new LinkedHashMap<>();
        dimensions.put("witness", List.of(true, false));
        dimensions.put("zones", List.of(3, 2));
        dimensions.put("natGateways", List.of(0, 2));
        dimensions.put("dns", List.of("all", "none"));
        dimensions.put("extraDomains", List.of(List.of(), List.of("old.shop.example.org", "example.net")));
        return dimensions;
    }

    /** The longest names that the settings take: what AWS counts is counted with these. */
    private static Map<String, Object> longest() {
        String label = "l".repeat(63);
        String domain = String.join(".", label, label, label, "l".repeat(53), "org");
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("domain", domain);
        settings.put("email", "o".repeat(60) + '@' + label + ".org");
        settings.put("caa", true);
        settings.put("acmeServer", "staging");
        settings.put("extraDomains", List.of("o." + String.join(".", label, label, label, "l".repeat(55), "org")));
        settings.put("githubRepository", "o".repeat(39) + '/' + "n".repeat(100));
        settings.put("githubEnvironment", "e".repeat(255));
        return settings;
    }

    private static Map<String, Object> lookedUp() {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("hostedZoneId", null);
        settings.put("githubRepository", Pipelines.REPOSITORY);
        return settings;
    }

    static List<Variant> variants() {
        return Synthesised.VARIANTS;
    }

    /** How many of the variants are combinations. */
    static int combinations() {
        return DIMENSIONS.values().stream().mapToInt(List::size).reduce(1, Math::multiplyExact);
    }

    private static List<Variant> synthesise() {
        Map<String, Object> flags = new HashMap<>(JsonResource.read("feature-flags.json"));
        flags.put(FINDINGS_FAIL, false);
        Path assembly = SynthesisedTemplate.temporaryFolder("matrix");
        App app = new App(TwinhostApp.props()
                .postCliContext(flags)
                .outdir(assembly.toString())
                .build());
        Path checkout = SynthesisedTemplate.checkout();
        List<Variant> variants = new ArrayList<>();
        for (Map<String, Object> settings : settings()) {
            Stage stage = new Stage(app, STAGE + variants.size());
            Map<String, Object> context = new HashMap<>(SynthesisedTemplate.CONTEXT);
            context.putAll(settings);
            context.values().removeIf(Objects::isNull);
            context.forEach(stage.getNode()::setContext);
            // A zone without an id is looked up, in an account that has to be known.
            TwinhostApp.addStack(
                    stage, context.containsKey("hostedZoneId") ? Map.of() : SynthesisedTemplate.ACCOUNT, checkout);
            // an aspect does not reach the stages within a stage
            Stream.of(stage, stage.getNode().tryFindChild(TwinhostApp.PIPELINE))
                    .filter(Objects::nonNull)
                    .forEach(part -> Aspects.of(part)
                            .add(new AwsSolutionsChecks(
                                    NagPackProps.builder().reports(false).build())));
            variants.add(new Variant(settings, Path.of(stage.getOutdir())));
        }
        app.synth();
        return variants;
    }

    private static List<Map<String, Object>> settings() {
        List<Map<String, Object>> combined = List.of(Map.of());
        for (Map.Entry<String, List<Object>> dimension : DIMENSIONS.entrySet()) {
            List<Map<String, Object>> longer = new ArrayList<>();
            for (Map<String, Object> shorter : combined) {
                for (Object value : dimension.getValue()) {
                    Map<String, Object> settings = new LinkedHashMap<>(shorter);
                    settings.put(dimension.getKey(), value);
                    longer.add(settings);
                }
            }
            combined = longer;
        }
        List<Map<String, Object>> all = new ArrayList<>(combined);
        all.addAll(OTHERS);
        return all;
    }
}
