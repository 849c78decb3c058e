package dev.twinhost.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** What the application is given beside its image: checks of its environment, its secrets and the path of its health. */
final class Application {
    static final String WANTED_PATH = "a path such as /healthz";
    static final String WANTED_ENVIRONMENT = "names and texts, such as {\"LOG_LEVEL\": \"info\"}";
    static final String WANTED_SECRETS = "names and ARNs, such as {\"db_password\": \"" + Application.EXAMPLE + "\"}";

    static final String WANTED_REGISTRY_SECRET = "the whole ARN, as " + Application.REGISTRY_EXAMPLE;

    private static final String EXAMPLE =
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db_password-AbCdEf";

    private static final String REGISTRY_EXAMPLE =
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf";

    private static final String NO_ARN = "is not the ARN of a secret in Secrets Manager";

    /** It stands between quotes in a command of a shell, in a file in which Docker looks for dollars. */
    private static final Pattern PATH = Pattern.compile("/[A-Za-z0-9._~%/@:+,=-]*(\\?[A-Za-z0-9._~%/@:+,=&-]*)?");

    /**
     * Docker takes any name without an equals sign, and applications have some with dots and dashes: discovery.type,
     * spring.datasource.url.
     */
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]*");

    /** What a release tells the machines about the site goes by such names. */
    private static final String OURS = "TWINHOST_";

    /** All variables together are one variable of the machines' scripts. */
    private static final int MOST_BYTES = 64 * 1024;

    /**
     * What Linux takes as one argument or variable of a command, its name and its end included (MAX_ARG_STRLEN, 32 pages:
     * execve(2)). docker/host/agent/release/stack.py writes what would begin a template of Swarm's in eight characters.
     */
    private static final int MOST_WRITTEN_BYTES = 128 * 1024 - "TWINHOST_APP_ENVIRONMENT=".length() - 1;

    private static final String TEMPLATE = "{{";
    private static final String WRITTEN_TEMPLATE = "{{\"{{\"}}";

    /**
     * What is left of the 10,240 characters of the policies of a role, which name every secret:
     * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
     */
    private static final int MOST_ARN_CHARACTERS = 5000;

    /** A file in /run/secrets, and the middle of a name of Swarm's, which may have 64 characters. */
    private static final Pattern SECRET = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?");

    /**
     * The whole of it, the six characters at its end included, so that the machines can be allowed this secret alone.
     * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
     */
    private static final Pattern ARN = Pattern.compile(
            "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:" + "[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}");

    private Application() {}

    static void check(
            List<Fault> faults,
            Optional<String> healthPath,
            Map<String, String> environment,
            Map<String, String> secrets) {
        healthPath
                .filter(path -> !PATH.matcher(path).matches())
                .ifPresent(path -> faults.add(new Fault(
                        "appHealthPath", "is not a path that a health check can ask for", path, WANTED_PATH)));
        checkSize(faults, environment);
        checkNumber(faults, secrets);
        environment.forEach((name, value) -> checkVariable(faults, name, value));
        secrets.forEach((name, arn) -> checkSecret(faults, name, arn));
    }

    private static void checkSize(List<Fault> faults, Map<String, String> environment) {
        String json = json(environment);
        int bytes = bytes(json);
        int written = bytes(json.replace(TEMPLATE, WRITTEN_TEMPLATE));
        String otherwise = ": a file, or a secret, takes more";
        if (bytes > MOST_BYTES) {
            faults.add(new Fault(
                    "appEnvironment", "has too many bytes as JSON", bytes, "at most " + MOST_BYTES + otherwise));
        } else if (written > MOST_WRITTEN_BYTES) {
            String problem = "has too many bytes as Swarm gets it, with each {{ in eight characters";
            faults.add(new Fault("appEnvironment", problem, written, "at most " + MOST_WRITTEN_BYTES + otherwise));
        }
    }

    private static String json(Map<String, String> environment) {
        try {
            return new ObjectMapper().writeValueAsString(environment);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static void checkNumber(List<Fault> faults, Map<String, String> secrets) {
        int characters =
                secrets.values().stream().distinct().mapToInt(String::length).sum();
        if (characters > MOST_ARN_CHARACTERS) {
            String wanted = "at most " + MOST_ARN_CHARACTERS + ", as one secret can hold many values";
            faults.add(new Fault("appSecrets", "has too many characters in its ARNs", characters, wanted));
        }
    }

    private static void checkVariable(List<Fault> faults, String name, String value) {
        String key = "appEnvironment." + name;
        if (!VARIABLE.matcher(name).matches()) {
            faults.add(new Fault(
                    key,
                    "is not the name of a variable",
                    name,
                    "letters, digits, _ . and -, a letter or _ first, as LOG_LEVEL"));
        } else if (name.startsWith(OURS)) {
            faults.add(new Fault(
                    key, "has a name that Twinhost keeps for itself", name, "another beginning than " + OURS));
        }
        if (value.chars().anyMatch(c -> Character.isISOControl(c) && "\n\r\t".indexOf(c) < 0)) {
            faults.add(new Fault(key, "holds a control character", Fault.HIDDEN, "text, with line breaks at most"));
        }
    }

    /** It is of use for an image in a registry that wants a login, and to Amazon ECR the machines log in by their role. */
    static void checkRegistrySecret(List<Fault> faults, Optional<String> secret, Optional<String> image) {
        secret.ifPresent(arn -> {
            String key = "appRegistrySecret";
            if (!ARN.matcher(arn).matches()) {
                faults.add(new Fault(key, NO_ARN, Fault.HIDDEN, WANTED_REGISTRY_SECRET));
            } else if (image.filter(reference -> !Settings.isFolder(reference)).isEmpty()) {
                String wanted = "an image of a private registry as appImage, or no appRegistrySecret";
                faults.add(new Fault(key, "is set, and appImage is no image reference", arn, wanted));
            } else if (image.filter(Image::isInEcr).isPresent()) {
                String problem = "is set, and appImage is in Amazon ECR, to which the machines log in by their role";
                faults.add(new Fault(key, problem, arn, "no appRegistrySecret"));
            }
        });
    }

    private static void checkSecret(List<Fault> faults, String name, String arn) {
        String key = "appSecrets." + name;
        if (!SECRET.matcher(name).matches()) {
            String wanted = "letters, digits, and _ . - between them, at most 40, as db_password";
            faults.add(new Fault(key, "is not the name of a secret", name, wanted));
        }
        if (!ARN.matcher(arn).matches()) {
            String wanted = "the whole ARN, as " + EXAMPLE;
            faults.add(new Fault(key, NO_ARN, Fault.HIDDEN, wanted));
        }
    }
}
