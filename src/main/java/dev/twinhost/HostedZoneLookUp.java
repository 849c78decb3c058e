package dev.twinhost;

import dev.twinhost.settings.InvalidSettings;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awscdk.ContextProvider;
import software.amazon.awscdk.GetContextKeyOptions;
import software.amazon.awscdk.GetContextValueOptions;
import software.amazon.awscdk.services.route53.HostedZone;
import software.amazon.awscdk.services.route53.HostedZoneAttributes;
import software.amazon.awscdk.services.route53.HostedZoneProviderProps;
import software.amazon.awscdk.services.route53.IHostedZone;
import software.constructs.Construct;

/**
 * Finds the public hosted zone of the domain by its name, and where there is not one of it, says what to do.
 *
 * <p>The command line looks up what the app has missed, and runs the app again with what it has found, or with the reason
 * why it has found nothing. After such a reason the zones of the names above the domain are looked up as well: one of them
 * may hold the domain's records.
 */
final class HostedZoneLookUp {
    private static final String PROVIDER = "hosted-zone";
    private static final String NAME = "domainName";
    private static final String NOT_LOOKED_UP_YET = "DUMMY";

    /** Where CDK notes why a look-up has failed: PROVIDER_ERROR_KEY in aws-cdk-lib, cx-api/lib/context.js. */
    private static final String REASON = "$providerError";

    /** The command line's words where there are none, or several: HostedZoneContextProviderPlugin of aws-cdk 2.1148.1. */
    private static final Pattern NOT_ONE = Pattern.compile("Found zones: .* wanted exactly 1 zone", Pattern.DOTALL);

    private static final Pattern ID = Pattern.compile("\"Id\":\"(?:/hostedzone/)?([A-Z0-9]+)\"");

    private HostedZoneLookUp() {}

    /** @throws InvalidSettings where there is no zone of that name, or more than one */
    static IHostedZone zone(Construct scope, String id, String domain) {
        Optional<String> reason = known(scope, domain)
                .map(known -> known.get(REASON))
                .map(String::valueOf)
                .filter(text -> NOT_ONE.matcher(text).find());
        if (reason.isEmpty()) {
            return HostedZone.fromLookup(
                    scope,
                    id,
                    HostedZoneProviderProps.builder().domainName(domain).build());
        }
        if (isMissing(scope, above(domain))) {
            return HostedZone.fromHostedZoneAttributes(
                    scope,
                    id,
                    HostedZoneAttributes.builder()
                            .hostedZoneId(NOT_LOOKED_UP_YET)
                            .zoneName(domain)
                            .build());
        }
        throw refusal(scope, domain, ids(reason.get()));
    }

    private static InvalidSettings refusal(Construct scope, String domain, Set<String> ids) {
        if (!ids.isEmpty()) {
            return refusal(
                    "cannot be looked up, because " + ids.size() + " public hosted zones are called " + domain,
                    "the id of the one whose name servers the domain's registrar has: " + String.join(" or ", ids));
        }
        for (String name : above(domain)) {
            Optional<Object> owner = known(scope, name).map(zone -> zone.get("Id"));
            if (owner.isPresent()) {
                return refusal(
                        "cannot be looked up, because no public hosted zone is called " + domain + "; the one of "
                                + name + " may own it",
                        owner.get().toString().replace("/hostedzone/", "") + ", the id of that zone, or a zone of "
                                + domain + " to which it delegates");
            }
        }
        return refusal(
                "cannot be looked up, because no public hosted zone of this account is called " + domain,
                "a zone of that name (aws route53 create-hosted-zone --name " + domain
                        + " --caller-reference twinhost), with its name servers at the domain's registrar, or the"
                        + " credentials of the account that holds it, or dns: none");
    }

    private static InvalidSettings refusal(String problem, String want) {
        return InvalidSettings.of("hostedZoneId", problem, null, want);
    }

    /** Whether the command line has yet to look up one of these zones; says so to it. */
    private static boolean isMissing(Construct scope, List<String> names) {
        boolean missing = false;
        for (String name : names) {
            if (known(scope, name).isEmpty()) {
                missing = true;
                ContextProvider.getValue(
                        scope,
                        GetContextValueOptions.builder()
                                .provider(PROVIDER)
                                .props(Map.of(NAME, name))
                                .dummyValue(Map.of("Id", NOT_LOOKED_UP_YET, "Name", name))
                                .build());
            }
        }
        return missing;
    }

    /** What the context says of the zone of that name. */
    private static Optional<Map<?, ?>> known(Construct scope, String name) {
        String key = ContextProvider.getKey(
                        scope,
                        GetContextKeyOptions.builder()
                                .provider(PROVIDER)
                                .props(Map.of(NAME, name))
                                .build())
                .getKey();
        return Optional.ofNullable(scope.getNode().tryGetContext(key))
                .filter(Map.class::isInstance)
                .map(found -> (Map<?, ?>) found);
    }

    /** The names above a domain that may have a zone, the nearest first; a top-level domain is nobody's. */
    private static List<String> above(String domain) {
        List<String> names = new ArrayList<>();
        String name = domain.substring(domain.indexOf('.') + 1);
        while (name.contains(".")) {
            names.add(name);
            name = name.substring(name.indexOf('.') + 1);
        }
        return names;
    }

    private static Set<String> ids(String reason) {
        Set<String> ids = new LinkedHashSet<>();
        Matcher matcher = ID.matcher(reason);
        while (matcher.find()) {
            ids.add(matcher.group(1));
        }
        return ids;
    }
}
