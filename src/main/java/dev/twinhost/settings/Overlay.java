package dev.twinhost.settings;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The values of the settings as they were written: those of the context, and over them those of the environment that
 * was asked for. What looks like a setting and is none is a fault, wherever it stands.
 */
final class Overlay {
    /** The settings, in the order in which the README lists them and faults are reported. */
    static final List<String> KEYS = List.of(
            "domain",
            "email",
            "hostedZoneId",
            "dns",
            "dnsWeight",
            "caa",
            "appImage",
            "appRegistrySecret",
            "appPort",
            "appReplicas",
            "appStartSeconds",
            "appHealthPath",
            "appEnvironment",
            "appSecrets",
            "instanceType",
            "witnessInstanceType",
            "witness",
            "region",
            "zones",
            "vpcCidr",
            "natGateways",
            "fileSystemId",
            "acmeServer",
            "acmeProfile",
            "extraDomains",
            "cacheMaxSize",
            "requestsPerAddress",
            "hstsPreload",
            "maintenance",
            "edgeImage",
            "certbotImage",
            "githubRepository",
            "githubEnvironment",
            "githubOidcProviderArn");

    private static final String ENVIRONMENT = "environment";
    private static final String ENVIRONMENTS = "environments";
    private static final Pattern ENVIRONMENT_NAME = Pattern.compile("[a-z]([a-z0-9-]{0,29}[a-z0-9])?");

    /** What nobody but a person writes into context: keys of CDK and of its plug-ins hold punctuation. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z][A-Za-z0-9]*");

    private static final Pattern WORDS = Pattern.compile("[A-Za-z0-9_.-]+");

    private final Map<String, Object> context;
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final Optional<String> environment;

    Overlay(Map<String, Object> context) {
        this.context = context;
        keep(context);
        refuseUnknownKeys();
        environment = layEnvironment();
    }

    /** Nothing, in a block, is what takes away the value beside it. */
    private void keep(Map<String, Object> written) {
        written.forEach((key, value) -> {
            if (value == null) {
                values.remove(key);
            } else if (KEYS.contains(key)) {
                values.put(key, value);
            }
        });
    }

    private void refuseUnknownKeys() {
        context.forEach((key, value) -> {
            boolean ours = KEYS.contains(key) || key.equals(ENVIRONMENT) || key.equals(ENVIRONMENTS);
            boolean like = PLAIN.matcher(key).matches()
                    || WORDS.matcher(key).matches()
                            && Spelling.nearest(key, known()).isPresent();
            if (!ours && like) {
                faults.add(unknown(key, key, value, known()));
            }
        });
    }

    private Optional<String> layEnvironment() {
        Map<String, Map<String, Object>> environments = environments();
        Object name = context.get(ENVIRONMENT);
        if (name == null) {
            return Optional.empty();
        }
        if (!(name instanceof String text) || !environments.containsKey(text)) {
            String wanted = environments.isEmpty()
                    ? "no environment, or a block environments." + name + " in cdk.json"
                    : "one of " + String.join(", ", environments.keySet());
            faults.add(new Fault(ENVIRONMENT, "is not one of the environments in cdk.json", name, wanted));
            return Optional.empty();
        }
        keep(environments.get(text));
        return Optional.of(text);
    }

    private Map<String, Map<String, Object>> environments() {
        Map<String, Map<String, Object>> blocks = new LinkedHashMap<>();
        Object written = context.get(ENVIRONMENTS);
        if (written == null) {
            return blocks;
        }
        if (!(written instanceof Map<?, ?> named)) {
            faults.add(new Fault(
                    ENVIRONMENTS,
                    "is not an object",
                    written,
                    "blocks in cdk.json, such as {\"staging\": {\"domain\": …}}"));
            return blocks;
        }
        named.forEach((name, block) -> {
            String path = ENVIRONMENTS + '.' + name;
            if (!ENVIRONMENT_NAME.matcher(name.toString()).matches()) {
                faults.add(new Fault(
                        path,
                        "has a name that cannot be part of a stack's name",
                        name,
                        "lower-case letters, digits and -, such as staging"));
            } else if (block instanceof Map<?, ?> settings) {
                blocks.put(name.toString(), block(path, settings));
            } else {
                faults.add(
                        new Fault(path, "is not an object", block, "settings, such as {\"domain\": \"example.org\"}"));
            }
        });
        return blocks;
    }

    private Map<String, Object> block(String path, Map<?, ?> written) {
        Map<String, Object> block = new LinkedHashMap<>();
        written.forEach((name, value) -> {
            String key = name.toString();
            if (KEYS.contains(key)) {
                block.put(key, value);
            } else {
                faults.add(unknown(path + '.' + key, key, value, KEYS));
            }
        });
        return block;
    }

    private static List<String> known() {
        List<String> known = new ArrayList<>(KEYS);
        known.add(ENVIRONMENT);
        known.add(ENVIRONMENTS);
        return known;
    }

    private static Fault unknown(String path, String key, Object value, List<String> known) {
        String wanted = Spelling.nearest(key, known).orElse("one of " + String.join(", ", known));
        boolean secret = key.toLowerCase(Locale.ROOT).contains("secret");
        return new Fault(path, "is not a setting", secret ? Fault.HIDDEN : value, wanted);
    }

    Map<String, Object> values() {
        return values;
    }

    List<Fault> faults() {
        return faults;
    }

    Optional<String> environment() {
        return environment;
    }
}
