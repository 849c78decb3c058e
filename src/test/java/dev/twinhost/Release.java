package dev.twinhost;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** A release of this checkout on the disk of a machine of the tests, as the launcher leaves it there. */
final class Release {
    static final String SHA = "a".repeat(64);
    static final String FOLDER_OF_VERBS = "%s/opt/twinhost/releases/" + SHA + "/docker/host";
    static final String JSON = json(SHA);

    private Release() {}

    static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("TWINHOST_DOMAIN", "example.com");
        settings.put("TWINHOST_EMAIL", "someone@example.com");
        settings.put("TWINHOST_ACME_DIRECTORY", "https://acme-v02.api.letsencrypt.org/directory");
        settings.put("TWINHOST_ACME_NAME", "production");
        settings.put("TWINHOST_ACME_PROFILE", "");
        settings.put("TWINHOST_EXTRA_DOMAINS", "");
        settings.put("TWINHOST_APP_IMAGE", "");
        settings.put("TWINHOST_APP_PORT", "80");
        settings.put("TWINHOST_APP_REPLICAS", "2");
        settings.put("TWINHOST_APP_HEALTH_PATH", "");
        settings.put("TWINHOST_APP_START_SECONDS", "60");
        settings.put("TWINHOST_APP_REGISTRY_SECRET", "");
        settings.put("TWINHOST_APP_PARALLELISM", "1");
        settings.put("TWINHOST_CONVERGE_SECONDS", "540");
        settings.put("TWINHOST_BACK_SECONDS", "450");
        settings.put("TWINHOST_TURN_SECONDS", "1385");
        settings.put("TWINHOST_APP_ENVIRONMENT", "{}");
        settings.put("TWINHOST_APP_SECRETS", "{}");
        settings.put("TWINHOST_CACHE_MAX_SIZE", "256m");
        settings.put("TWINHOST_REQUESTS_PER_ADDRESS", "1000");
        settings.put("TWINHOST_HSTS_PRELOAD", "false");
        settings.put("TWINHOST_MAINTENANCE", "false");
        settings.put("TWINHOST_MANAGERS", "3");
        settings.put("TWINHOST_LAME_DUCK", "16");
        settings.put("TWINHOST_EDGE_UPDATE_DELAY", "15");
        return settings;
    }

    static void of(Shell shell) {
        of(shell, SHA, settings());
    }

    static void of(Shell shell, String sha, Map<String, String> settings) {
        String folder = "opt/twinhost/releases/" + sha;
        shell.write(folder + "/settings.env", ShellExports.of(settings));
        shell.write(folder + "/release.json", json(sha));
        Shell.Result copied = shell.bash("cp -r " + Shell.CHECKOUT + "/docker " + Shell.CHECKOUT + "/nginx " + folder);
        if (copied.status() != 0) {
            throw new IllegalStateException(copied.output());
        }
    }

    /** Applies the release {@link #SHA}, by its own script. */
    static Shell.Result apply(Shell shell, String... arguments) {
        return verb(shell, "release", arguments);
    }

    /** A verb of the release {@link #SHA}. */
    static Shell.Result verb(Shell shell, String verb, String... arguments) {
        return shell.run(Stream.concat(
                        Stream.of("bash", FOLDER_OF_VERBS.formatted(shell.path("")) + "/twinhost", verb),
                        Stream.of(arguments))
                .toArray(String[]::new));
    }

    static String json(String sha) {
        return "{\"bucket\":\"bucket\",\"key\":\"" + sha + ".zip\",\"sha256\":\"" + sha
                + "\",\"balancer\":\"balancer.example.net\",\"targetGroups\":[\"arn:aws:x:targetgroup/http/1\",\"arn:aws:x:targetgroup/https/2\"],\"answer\":\"/site/answer\"}\n";
    }
}
