package dev.twinhost.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Turns context into {@link Settings}. Values are typed where they come from {@code cdk.json} and text where they come
 * from {@code -c key=value}; both are taken, anything else is a fault, and no fault is hidden by a default.
 */
final class SettingsReader {
    // The values with which cdk.json ships, so that a fresh clone synthesises; nobody can deploy them.
    private static final String EXAMPLE_DOMAIN = "example.com";
    private static final String EXAMPLE_ZONE = "Z0EXAMPLE0EXAMPLE0EX";

    /** Where somebody may have written a secret instead of its ARN. */
    private static final Set<String> SECRETS = Set.of("appSecrets", "appRegistrySecret");

    /** Decimal digits that a double holds: DBL_DIG. */
    private static final int EXACT_DIGITS = 15;

    private final Map<String, Object> values;
    private final Optional<String> environment;
    private final List<Fault> faults;

    SettingsReader(Map<String, Object> context) {
        Overlay overlay = new Overlay(context);
        values = overlay.values();
        environment = overlay.environment();
        faults = new ArrayList<>(overlay.faults());
    }

    Settings read(boolean accountKnown, Path checkout) {
        Optional<String> domain = text("domain", Settings.WANTED_DOMAIN);
        Optional<String> email = text("email", Settings.WANTED_EMAIL);
        Optional<String> hostedZoneId = text("hostedZoneId", Settings.WANTED_ZONE);
        Dns dns = dns();
        Optional<String> appImage = text("appImage", Image.WANTED);
        appImage.ifPresent(image -> checkFolder(image, checkout));
        if (accountKnown) {
            refuseExamples(domain, email, hostedZoneId);
        } else {
            requireZone(hostedZoneId, dns);
        }
        Settings settings = null;
        try {
            settings = new Settings(
                    environment,
                    domain.orElse(null),
                    email.orElse(null),
                    hostedZoneId,
                    dns,
                    number("dnsWeight", 100),
                    flag("caa", false),
                    appImage,
                    text("appRegistrySecret", Application.WANTED_REGISTRY_SECRET),
                    number("appPort", 80),
                    number("appReplicas", 2),
                    number("appStartSeconds", 60),
                    text("appHealthPath", Application.WANTED_PATH),
                    texts("appEnvironment", Application.WANTED_ENVIRONMENT),
                    texts("appSecrets", Application.WANTED_SECRETS),
                    text("instanceType", "a type such as t4g.small").orElse("t4g.small"),
                    text("witnessInstanceType", "a type such as t4g.micro").orElse("t4g.micro"),
                    flag("witness", true),
                    text("region", Settings.WANTED_REGION),
                    number("zones", 3),
                    text("vpcCidr", VpcCidr.WANTED).orElse("10.42.0.0/16"),
                    number("natGateways", 0),
                    text("fileSystemId", Settings.WANTED_FILE_SYSTEM),
                    text("acmeServer", "production, staging or a directory URL").orElse("production"),
                    text("acmeProfile", Certificate.WANTED_PROFILE),
                    names("extraDomains", Certificate.WANTED_NAMES),
                    text("cacheMaxSize", Settings.WANTED_CACHE).orElse("256m"),
                    number("requestsPerAddress", 1000),
                    flag("hstsPreload", false),
                    flag("maintenance", false),
                    text("edgeImage", Image.WANTED_EDGE),
                    text("certbotImage", Image.WANTED_CERTBOT),
                    text("githubRepository", GitHub.WANTED_REPOSITORY),
                    text("githubEnvironment", GitHub.WANTED_ENVIRONMENT),
                    text("githubOidcProviderArn", GitHub.WANTED_PROVIDER));
        } catch (InvalidSettings invalid) {
            // A value that could not be read was replaced only to get here: what is wrong with it is known already.
            invalid.faults().stream().filter(fault -> !isFaulty(fault.key())).forEach(faults::add);
        }
        if (!faults.isEmpty()) {
            faults.sort(Comparator.comparingInt(SettingsReader::position));
            throw new InvalidSettings(faults);
        }
        return settings;
    }

    private Optional<String> text(String key, String wanted) {
        Object value = values.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof String text)) {
            faults.add(new Fault(key, "is not text", shown(key, value), wanted));
            return Optional.empty();
        }
        if (text.isBlank()) {
            faults.add(new Fault(key, "is empty", value, wanted));
            return Optional.empty();
        }
        return Optional.of(text);
    }

    /** A list in {@code cdk.json}; on the command line the same with commas between, or nothing. */
    private List<String> names(String key, String wanted) {
        Object value = values.getOrDefault(key, List.of());
        List<String> names = new ArrayList<>();
        if (value instanceof String text) {
            if (!text.isBlank()) {
                Arrays.stream(text.split(",", -1)).map(String::strip).forEach(names::add);
            }
        } else if (value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)) {
            list.forEach(name -> names.add((String) name));
        } else {
            faults.add(new Fault(key, "is not a list of texts", value, wanted));
        }
        return names;
    }

    /** An object in {@code cdk.json}; on the command line, where all is text, the same as JSON. */
    private Map<String, String> texts(String key, String wanted) {
        Object value = values.getOrDefault(key, Map.of());
        Object read = value instanceof String json ? object(json) : value;
        Map<String, String> texts = new TreeMap<>();
        if (!(read instanceof Map<?, ?> object)) {
            faults.add(new Fault(key, "is not an object", shown(key, value), wanted));
            return texts;
        }
        object.forEach((name, given) -> {
            String path = key + '.' + name;
            if (given instanceof String text) {
                texts.put(name.toString(), text);
            } else if (SECRETS.contains(key) || !(given instanceof Number || given instanceof Boolean)) {
                faults.add(new Fault(path, "is not text", shown(key, given), wanted));
            } else if (given instanceof Number number && !isExact(number)) {
                faults.add(new Fault(
                        path, "is a number that JSON does not keep to the last digit", given, "the same in quotes"));
            } else {
                texts.put(name.toString(), given instanceof Number number ? plain(number) : given.toString());
            }
        });
        return texts;
    }

    /** Whether it is the number that was written: on the way here, numbers of JSON are those of JavaScript. */
    private static boolean isExact(Number number) {
        BigDecimal written = new BigDecimal(number.toString());
        return written.stripTrailingZeros().precision() <= EXACT_DIGITS
                && written.abs().compareTo(BigDecimal.TEN.pow(EXACT_DIGITS)) < 0;
    }

    private static String plain(Number number) {
        return new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
    }

    private static Object object(String json) {
        try {
            return new ObjectMapper().readValue(json, Object.class);
        } catch (JsonProcessingException notJson) {
            return json;
        }
    }

    private static Object shown(String key, Object value) {
        return SECRETS.contains(key) ? Fault.HIDDEN : value;
    }

    private int number(String key, int fallback) {
        Object value = values.getOrDefault(key, fallback);
        try {
            if (value instanceof Number || value instanceof String text && text.matches("-?[0-9]{1,9}")) {
                return new BigDecimal(value.toString()).intValueExact();
            }
        } catch (ArithmeticException notWhole) {
            // Falls through to the fault.
        }
        faults.add(new Fault(key, "is not a whole number", value, "a number such as " + fallback));
        return fallback;
    }

    private boolean flag(String key, boolean fallback) {
        Object value = values.getOrDefault(key, fallback);
        if (value instanceof Boolean flag) {
            return flag;
        }
        if ("true".equals(value) || "false".equals(value)) {
            return "true".equals(value);
        }
        faults.add(new Fault(key, "is neither true nor false", value, "true or false"));
        return fallback;
    }

    private Dns dns() {
        Object value = values.getOrDefault("dns", "all");
        if ("all".equals(value)) {
            return Dns.ALL;
        }
        if (!"none".equals(value)) {
            faults.add(new Fault("dns", "is neither all nor none", value, "all or none"));
        }
        return Dns.NONE;
    }

    private void requireZone(Optional<String> hostedZoneId, Dns dns) {
        if (dns == Dns.ALL && hostedZoneId.isEmpty() && !isFaulty("hostedZoneId")) {
            String wanted = Settings.WANTED_ZONE + ", or credentials of the account that holds it";
            faults.add(new Fault(
                    "hostedZoneId", "is missing, and no AWS account is known in which to look it up", null, wanted));
        }
    }

    private void checkFolder(String image, Path checkout) {
        Path path = checkout.resolve(image);
        boolean buildable = Files.isRegularFile(path.resolve("Dockerfile"));
        if (Settings.isFolder(image) && !buildable) {
            String problem = Files.isDirectory(path) ? "is a folder without a Dockerfile" : "is not a folder";
            faults.add(new Fault("appImage", problem, image, Image.WANTED));
        } else if (!Settings.isFolder(image) && buildable) {
            String wanted = "./" + image + " for the folder, or " + image + ":latest for the image";
            faults.add(new Fault("appImage", "names an image, and there is such a folder", image, wanted));
        }
    }

    private void refuseExamples(Optional<String> domain, Optional<String> email, Optional<String> hostedZoneId) {
        domain.filter(SettingsReader::isExample)
                .ifPresent(
                        name -> faults.add(new Fault("domain", "is the example's", name, "the domain of your site")));
        email.filter(address -> isExample(address.substring(address.lastIndexOf('@') + 1)))
                .ifPresent(address ->
                        faults.add(new Fault("email", "is the example's", address, "an address that you read")));
        hostedZoneId.filter(EXAMPLE_ZONE::equals).ifPresent(id -> {
            String wanted = "the id of your domain's hosted zone, or no hostedZoneId, to have it looked up";
            faults.add(new Fault("hostedZoneId", "is the example's", id, wanted));
        });
    }

    private static boolean isExample(String written) {
        String name = written.toLowerCase(Locale.ROOT);
        return name.equals(EXAMPLE_DOMAIN) || name.endsWith('.' + EXAMPLE_DOMAIN);
    }

    private boolean isFaulty(String key) {
        return faults.stream().anyMatch(fault -> fault.key().equals(key));
    }

    /** What is no setting comes first: it often explains what is missing. */
    private static int position(Fault fault) {
        return Overlay.KEYS.indexOf(fault.key().split("\\.")[0]);
    }
}
