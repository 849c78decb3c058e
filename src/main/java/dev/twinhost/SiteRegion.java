package dev.twinhost;

import dev.twinhost.settings.InvalidSettings;
import dev.twinhost.settings.Settings;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awscdk.Environment;

/**
 * Keeps a site in its region. The command line takes the region of the shell or of the AWS profile, and to CloudFormation a
 * stack of the same name in another region is another site.
 */
final class SiteRegion {
    /** A look-up in {@code cdk.context.json}, as CDK writes its key. */
    private static final Pattern LOOK_UP =
            Pattern.compile("[a-z-]+:account=(?<account>[0-9]{12}):(.*:)?region=(?<region>[a-z0-9-]+)");

    private SiteRegion() {}

    /**
     * The setting decides. Where there is none, the look-ups of this account do, if there are any.
     *
     * @param keys of the context
     * @throws InvalidSettings where the site is in another region
     */
    static void check(Settings settings, Environment here, Set<String> keys) {
        String region = here.getRegion();
        if (settings.region().isPresent()) {
            String wanted = settings.region().get();
            if (!wanted.equals(region)) {
                throw InvalidSettings.of(
                        "region", "is not the one of the command line", region, wanted + " (" + choose(wanted) + ")");
            }
            return;
        }
        Set<String> known = regions(here.getAccount(), keys);
        if (!known.isEmpty() && !known.contains(region)) {
            throw InvalidSettings.of(
                    "region",
                    "is missing, and cdk.context.json knows this account in another one",
                    region,
                    String.join(" or ", known) + " (" + choose(known.iterator().next()) + "), or the setting region: "
                            + region + " for a site there");
        }
    }

    private static Set<String> regions(String account, Set<String> keys) {
        Set<String> regions = new TreeSet<>();
        for (String key : keys) {
            Matcher lookUp = LOOK_UP.matcher(key);
            if (lookUp.matches() && lookUp.group("account").equals(account)) {
                regions.add(lookUp.group("region"));
            }
        }
        return regions;
    }

    private static String choose(String region) {
        return "export AWS_REGION=" + region;
    }
}
