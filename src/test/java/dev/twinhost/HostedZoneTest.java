package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinhost.settings.InvalidSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Where the zone of the domain cannot be looked up: what the command line has found, and what the app makes of it. */
class HostedZoneTest {
    private static final String MISSING =
            "Found zones: [] for dns:%s, privateZone:undefined, vpcId:undefined, but wanted" + " exactly 1 zone";

    /** The command line and the app look twice: for the domain's zone, and then for one above it. */
    @Test
    @Needs(Needs.CDK)
    void shouldNameTheZoneAboveToWhoTypesADiff() throws Exception {
        RolePolicy role =
                new RolePolicy(Pipelines.ofMain().pipeline(), "DiffRole22A114D0", SynthesisedTemplate.ACCOUNT);
        Path folder = SynthesisedTemplate.checkout();
        Map<String, Object> context = new HashMap<>(SynthesisedTemplate.CONTEXT);
        context.remove("hostedZoneId");
        context.put("domain", "eu.shop.example.org");
        try (AccountStandIn account = new AccountStandIn(role)) {
            int status = CommandLine.run(account, folder, context, "diff", "--method=template", "--no-color");

            assertThat(status).isEqualTo(1);
            assertThat(CommandLine.printed(folder))
                    .contains("hostedZoneId: cannot be looked up, because no public hosted zone is called"
                            + " eu.shop.example.org; the one of shop.example.org may own it, got nothing, want"
                            + " Z0123456789ABCDEFGHIJ, the id of that zone, or a zone of eu.shop.example.org to which it"
                            + " delegates\n")
                    .doesNotContain("Found zones");
        }
    }

    @Test
    void shouldLookForTheZonesAboveBeforeItRefuses() {
        Map<String, Object> context = new HashMap<>();
        context.put(key("shop.example.org"), failure(MISSING.formatted("shop.example.org")));

        assertThat(with(context).manifest().path("missing").findValuesAsText("key"))
                .contains(key("example.org"))
                .doesNotContain(key("shop.example.org"), key("org"));
    }

    @Test
    void shouldSayWhatToCreateWhereThereIsNoZone() {
        Map<String, Object> context = new HashMap<>();
        context.put(key("shop.example.org"), failure(MISSING.formatted("shop.example.org")));
        context.put(key("example.org"), failure(MISSING.formatted("example.org")));

        assertThatThrownBy(() -> with(context))
                .isInstanceOf(InvalidSettings.class)
                .hasMessage("hostedZoneId: cannot be looked up, because no public hosted zone of this account is called"
                        + " shop.example.org, got nothing, want a zone of that name (aws route53 create-hosted-zone"
                        + " --name shop.example.org --caller-reference twinhost), with its name servers at the domain's"
                        + " registrar, or the credentials of the account that holds it, or dns: none");
    }

    @Test
    void shouldNameTheIdsWhereThereAreSeveralZones() {
        Map<String, Object> context = new HashMap<>();
        context.put(
                key("shop.example.org"),
                failure("Found zones: [{\"Id\":\"/hostedzone/Z0111111111111\",\"Name\":\"shop.example.org.\"},"
                        + "{\"Id\":\"/hostedzone/Z0222222222222\",\"Name\":\"shop.example.org.\"}] for"
                        + " dns:shop.example.org, privateZone:undefined, vpcId:undefined, but wanted exactly 1 zone"));
        context.put(key("example.org"), failure(MISSING.formatted("example.org")));

        assertThatThrownBy(() -> with(context))
                .isInstanceOf(InvalidSettings.class)
                .hasMessage(
                        "hostedZoneId: cannot be looked up, because 2 public hosted zones are called shop.example.org,"
                                + " got nothing, want the id of the one whose name servers the domain's registrar has:"
                                + " Z0111111111111 or Z0222222222222");
    }

    /** A right that is missing, or the network, says nothing of zones: CDK's own words stay. */
    @Test
    void shouldTakeNoOtherFailureForAMissingZone() {
        Map<String, Object> context = new HashMap<>();
        context.put(key("shop.example.org"), failure("User: arn:aws:iam::123456789012:user/x is not authorized"));

        assertThatThrownBy(() -> with(context))
                .isNotInstanceOf(InvalidSettings.class)
                .hasMessageContaining("ValidationFailed");
    }

    private static SynthesisedTemplate with(Map<String, Object> context) {
        context.put("hostedZoneId", null);
        return SynthesisedTemplate.with(context, SynthesisedTemplate.ACCOUNT);
    }

    private static String key(String domain) {
        return "hosted-zone:account=123456789012:domainName=" + domain + ":region=eu-central-1";
    }

    private static Map<String, String> failure(String reason) {
        return Map.of("$providerError", reason);
    }
}
