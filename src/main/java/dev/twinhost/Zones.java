package dev.twinhost;

import dev.twinhost.settings.InvalidSettings;
import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import software.amazon.awscdk.ContextProvider;
import software.amazon.awscdk.Fn;
import software.amazon.awscdk.GetContextValueOptions;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.Token;

/**
 * The availability zones of a site, in the order in which it uses them.
 *
 * <p>With an account known they are looked up once and kept in {@code cdk.context.json}, where somebody may also take out
 * one that lacks the instance type: a subnet cannot change its zone, so they have to stay the same. Without an account
 * CloudFormation takes the region's at the deploy, among which are only those with a default subnet where the account
 * has any such, in an order that may change when AWS adds one:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html.
 *
 * <p>Local Zones and Wavelength Zones that the account has opted in to are left out: the look-up finds them too, and neither
 * an NLB with the hosts in two of them nor EFS is to be had there. Their names have more behind the region's than a letter:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html.
 */
final class Zones {
    private static final int MOST = 3;
    private static final int LEAST = 2;

    private Zones() {}

    /**
     * @return as many as the settings say, or more
     * @throws InvalidSettings where the region has fewer
     */
    static List<String> of(Stack stack, Settings settings) {
        return Token.isUnresolved(stack.getAccount())
                ? IntStream.range(0, MOST)
                        .mapToObj(zone -> Fn.select(zone, Fn.getAzs()))
                        .toList()
                : checked(lookedUp(stack), stack.getRegion(), settings.zones());
    }

    private static List<String> lookedUp(Stack stack) {
        String region = stack.getRegion();
        // Stands in for the zones until the look-up has been made.
        List<String> notLookedUpYet =
                Stream.of("a", "b", "c").map(letter -> region + letter).toList();
        Object found = ContextProvider.getValue(
                        stack,
                        GetContextValueOptions.builder()
                                .provider("availability-zones")
                                .props(Map.of())
                                .dummyValue(notLookedUpYet)
                                .build())
                .getValue();
        Pattern zone = Pattern.compile(Pattern.quote(region) + "[a-z]");
        List<?> names = found instanceof List<?> list ? list : List.of();
        return names.stream()
                .map(String::valueOf)
                .filter(name -> zone.matcher(name).matches())
                .toList();
    }

    private static List<String> checked(List<String> zones, String region, int wanted) {
        if (zones.size() < wanted) {
            String want = zones.size() < LEAST ? "a region with at least two" : String.valueOf(LEAST);
            throw InvalidSettings.of(
                    "zones",
                    "is more than " + region + " has for this account ("
                            + (zones.isEmpty() ? "none" : String.join(", ", zones)) + ", as in cdk.context.json)",
                    wanted,
                    want);
        }
        return zones;
    }
}
