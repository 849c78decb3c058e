package dev.twinhost.settings;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Images that the machines run: checks of a reference to one. */
final class Image {
    static final String WANTED =
            "an image reference, such as example/shop:1.4.2, or a folder with a Dockerfile, written as ./app";
    static final String WANTED_EDGE = "an image of Nginx with its tag or digest, such as nginx:1.30.8";
    static final String WANTED_CERTBOT = "an image of certbot with its tag or digest, such as certbot/certbot:v5.8.0";

    /** What stands before the hash of a folder's image in the settings of a release. */
    private static final String FOLDERS = "asset:";

    // https://pkg.go.dev/github.com/distribution/reference: registry, path, tag, digest
    private static final Pattern REFERENCE = Pattern.compile("([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?"
            + "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*"
            + "(?<version>(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?)");

    /**
     * A private registry of Amazon ECR, by whatever name: dual-stack, FIPS, in any spelling. The machines log in to it by the
     * plain one, which every region has; the rest are other ways to the same repositories.
     */
    // https://docs.aws.amazon.com/general/latest/gr/ecr.html
    private static final Pattern ECR = Pattern.compile(
            "(?<account>[0-9]{12})\\.dkr[.-]ecr(-fips)?\\.(?<region>[a-z]+(-[a-z]+)+-[0-9]+)\\.[a-z0-9.-]+(:[0-9]+)?"
                    + "/(?<repository>[^:@]+)(?<version>.*)",
            Pattern.CASE_INSENSITIVE);

    private Image() {}

    /** The application's: any that is not a folder. */
    static void checkApplication(List<Fault> faults, String image) {
        Matcher ecr = ECR.matcher(image);
        if (!check(faults, "appImage", image, WANTED) || !ecr.matches()) {
            return;
        }
        String region = region(ecr);
        String name = ecr.group("account") + ".dkr.ecr." + region + '.'
                + Partition.of(region).domain() + '/' + ecr.group("repository") + ecr.group("version");
        if (Partition.isIsolated(region)) {
            String problem = "is in Amazon ECR in a region to which the machines do not log in";
            faults.add(new Fault("appImage", problem, image, "an image in another registry"));
        } else if (!image.equals(name)) {
            String problem = "is in Amazon ECR by a name to which the machines do not log in";
            faults.add(new Fault("appImage", problem, image, name));
        }
    }

    /** Its repository, where that is in Amazon ECR. */
    static Optional<String> repositoryArn(String image) {
        return Optional.of(ECR.matcher(image))
                .filter(Matcher::matches)
                .map(ecr -> Partition.of(region(ecr)).arn() + ":ecr:" + region(ecr) + ':' + ecr.group("account")
                        + ":repository/" + ecr.group("repository"));
    }

    /** Whether it is in a private registry of Amazon ECR, by whatever name. */
    static boolean isInEcr(String image) {
        return ECR.matcher(image).matches();
    }

    /** One that the stack has, unless somebody wants another: there is no newest one that could be taken for it. */
    static void checkVersioned(List<Fault> faults, String key, Optional<String> setting, String wanted) {
        setting.filter(image -> check(faults, key, image, wanted)).ifPresent(image -> {
            if (version(image).isEmpty()) {
                faults.add(new Fault(key, "has neither a tag nor a digest", image, wanted));
            }
            if (isInEcr(image)) {
                String problem = "is in a private registry, to which the machines do not log in for it";
                faults.add(new Fault(key, problem, image, wanted + ", for anybody to pull"));
            }
        });
    }

    private static boolean check(List<Fault> faults, String key, String image, String wanted) {
        boolean valid = REFERENCE.matcher(image).matches();
        if (image.startsWith(FOLDERS)) {
            String problem = "has the name that Twinhost gives to the images of folders";
            faults.add(new Fault(key, problem, image, "docker.io/library/" + image + ", if such an image is meant"));
        } else if (!valid) {
            faults.add(new Fault(key, "is not an image reference", image, wanted));
        }
        return valid;
    }

    private static String region(Matcher ecr) {
        return ecr.group("region").toLowerCase(Locale.ROOT);
    }

    private static String version(String image) {
        Matcher reference = REFERENCE.matcher(image);
        return reference.matches() ? reference.group("version") : "";
    }
}
