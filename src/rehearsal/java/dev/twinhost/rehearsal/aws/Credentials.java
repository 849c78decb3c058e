package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The keys that a machine gets from its metadata service. They open nothing, but the API wants to see them. */
final class Credentials {
    private static final Pattern SIGNED = Pattern.compile("AWS4-HMAC-SHA256 Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/.*");

    private Credentials() {}

    static String accessKey(Machine machine) {
        return "ASIA"
                + machine.instanceId().substring(2).toUpperCase(Locale.ROOT).substring(0, 16);
    }

    static String document(Machine machine) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        return """
                {
                  "Code": "Success",
                  "LastUpdated": "%s",
                  "Type": "AWS-HMAC",
                  "AccessKeyId": "%s",
                  "SecretAccessKey": "rehearsal",
                  "Token": "rehearsal",
                  "Expiration": "%s"
                }
                """.formatted(now, accessKey(machine), now.plus(6, ChronoUnit.HOURS));
    }

    /** The service that a signed request is for. */
    static String service(Machine machine, String authorization) {
        Matcher matcher = SIGNED.matcher(authorization == null ? "" : authorization);
        if (!matcher.matches()) {
            throw new AwsError(403, "MissingAuthenticationToken", "The request is not signed");
        }
        if (!matcher.group(1).equals(accessKey(machine))) {
            throw new AwsError(
                    403, "InvalidClientTokenId", "The request is not signed with the keys of " + machine.instanceId());
        }
        return matcher.group(2);
    }
}
