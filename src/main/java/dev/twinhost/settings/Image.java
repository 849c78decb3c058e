package dev.twinhost.settings;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Images that the machines run: checks of a reference to one. */
final class Image {
    static final String WANTED =
            "an image reference, such as example/shop:1.4.2, or a folder with a Dockerfile, written as ./app";
    static final String WANTED_EDGE = "an image of Nginx with its tag or digest, such as nginx:1.30.6";
    static final String WANTED_CERTBOT = "an image of certbot with its tag or digest, such as certbot/certbot:v5.8.0";

    // https://pkg.go.dev/github.com/distribution/reference: registry, path, tag, digest
    private static final Pattern REFERENCE = Pattern.compile("([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?"
            + "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*"
            + "(?<version>(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?)");

    private Image() {}

    /** The application's: any that is not a folder. */
    static void checkApplication(List<Fault> faults, String image) {
        check(faults, "appImage", image, WANTED);
    }

    /** One that the stack has, unless somebody wants another: there is no newest one that could be taken for it. */
    static void checkVersioned(List<Fault> faults, String key, Optional<String> setting, String wanted) {
        setting.filter(image -> check(faults, key, image, wanted))
                .filter(image -> version(image).isEmpty())
                .ifPresent(image -> faults.add(new Fault(key, "has neither a tag nor a digest", image, wanted)));
    }

    private static boolean check(List<Fault> faults, String key, String image, String wanted) {
        boolean valid = REFERENCE.matcher(image).matches();
        if (!valid) {
            faults.add(new Fault(key, "is not an image reference", image, wanted));
        }
        return valid;
    }

    private static String version(String image) {
        var reference = REFERENCE.matcher(image);
        return reference.matches() ? reference.group("version") : "";
    }
}
