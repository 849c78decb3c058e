package dev.twinhost.rehearsal.registry;

import dev.twinhost.rehearsal.system.Failure;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reference to an image, read as Docker reads it.
 *
 * @param registry the name at which Docker asks for it, with its port if it has one
 * @param path of the repository
 * @param tag the one that Docker takes where there is none, {@code latest}
 * @param text as it was written
 */
// https://pkg.go.dev/github.com/distribution/reference
public record Reference(String registry, String path, String tag, Optional<String> digest, String text) {
    /** The name at which Docker asks for images of docker.io. */
    public static final String HUB = "registry-1.docker.io";

    private static final Pattern WRITTEN =
            Pattern.compile("(?:(?<registry>[^/]*[.:A-Z][^/]*|localhost)/)?(?<path>[a-z0-9][a-z0-9._/-]*)"
                    + "(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9-]+(\\.[a-z0-9-]+)*\\.[a-z][a-z0-9-]*(:[0-9]+)?");

    /** What every registry of a rehearsal has from its start. */
    public static final Reference OWN = of("twinhost-rehearsal/nginx:1");

    /** Fails where it is none, or one of a registry that the rehearsal cannot play. */
    public static Reference of(String text) {
        Matcher written = WRITTEN.matcher(text);
        if (!written.matches()) {
            throw new Failure(text + ": is no reference to an image; want one like example/shop:1.4.2");
        }
        String named = Optional.ofNullable(written.group("registry"))
                .orElse("docker.io")
                .toLowerCase(Locale.ROOT);
        boolean hub = named.equals("docker.io") || named.equals("index.docker.io");
        String registry = hub ? HUB : named;
        if (!NAME.matcher(registry).matches()) {
            throw new Failure(text + ": the rehearsal cannot play the registry " + registry
                    + "; it plays those that have a name in the DNS of the internet");
        }
        String path = written.group("path");
        return new Reference(
                registry,
                hub && !path.contains("/") ? "library/" + path : path,
                Optional.ofNullable(written.group("tag")).orElse("latest"),
                Optional.ofNullable(written.group("digest")),
                text);
    }

    /** Whether both lead to the same image of the same registry. */
    public boolean names(Reference other) {
        return registry.equals(other.registry)
                && path.equals(other.path)
                && tag.equals(other.tag)
                && digest.equals(other.digest);
    }

    /** The name that machines look up. */
    public String host() {
        return registry.replaceFirst(":.*", "");
    }

    /** Where the registry behind the front has it: each name has a place of its own. */
    String place() {
        return registry.replace(':', '_') + "/" + path;
    }

    @Override
    public String toString() {
        return text;
    }
}
