package dev.twinhost.settings;

import static dev.twinhost.settings.SettingsTest.faults;
import static dev.twinhost.settings.SettingsTest.read;
import static dev.twinhost.settings.SettingsTest.with;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentsTest {
    private static final Map<String, Object> BLOCKS =
            Map.of("staging", Map.of("domain", "staging.example.org", "acmeServer", "staging", "zones", 2));

    @Test
    void shouldLayTheEnvironmentOverTheRest() {
        Settings settings = read(with(Map.of("environments", BLOCKS, "environment", "staging", "appPort", 8080)));

        assertThat(settings.environment()).contains("staging");
        assertThat(settings.domain()).isEqualTo("staging.example.org");
        assertThat(settings.acme().name()).isEqualTo("staging");
        assertThat(settings.zones()).isEqualTo(2);
        assertThat(settings.appPort()).isEqualTo(8080);
        assertThat(settings.email()).isEqualTo("ops@shop.example.org");
    }

    @Test
    void shouldTakeAwayWhatStandsBesideABlockThatHoldsNothingForIt() {
        Map<String, Object> block = new HashMap<>();
        block.put("hostedZoneId", null);
        block.put("appPort", null);
        Map<String, Object> context =
                with(Map.of("environments", Map.of("staging", block), "environment", "staging", "appPort", 8080));

        Settings settings = Settings.read(() -> context, true, Path.of(""));
        assertThat(settings.hostedZoneId()).isEmpty();
        assertThat(settings.appPort()).isEqualTo(80);

        block.put("domain", null);
        assertThat(faults(context, true))
                .isEqualTo("domain: is missing, got nothing, want the site's apex, such as example.org");
    }

    @Test
    void shouldLeaveTheSiteAloneWhereNoEnvironmentIsAskedFor() {
        Settings settings = read(with("environments", BLOCKS));

        assertThat(settings.environment()).isEmpty();
        assertThat(settings.domain()).isEqualTo("shop.example.org");
    }

    @Test
    void shouldRefuseAnUnknownEnvironment() {
        assertThat(faults(with(Map.of("environments", BLOCKS, "environment", "prod")), false))
                .isEqualTo(
                        "environment: is not one of the environments in cdk.json, got \"prod\", want one of staging");
    }

    @Test
    void shouldRefuseAnEnvironmentWhereThereAreNone() {
        assertThat(faults(with("environment", "prod"), false))
                .isEqualTo("environment: is not one of the environments in cdk.json, got \"prod\","
                        + " want no environment, or a block environments.prod in cdk.json");
    }

    @Test
    void shouldRefuseUnknownKeysInEveryBlock() {
        Map<String, Object> blocks = Map.of("staging", Map.of("domian", "staging.example.org"));

        assertThat(faults(with("environments", blocks), false))
                .isEqualTo("environments.staging.domian: is not a setting, got \"staging.example.org\", want domain");
    }

    @Test
    void shouldRefuseAnEnvironmentWithinAnEnvironment() {
        assertThat(faults(with("environments", Map.of("staging", Map.of("environment", "prod"))), false))
                .startsWith("environments.staging.environment: is not a setting, got \"prod\", want one of domain,");
    }

    @Test
    void shouldRefuseEnvironmentsThatAreNoBlocks() {
        assertThat(faults(with("environments", "staging"), false))
                .isEqualTo("environments: is not an object, got \"staging\","
                        + " want blocks in cdk.json, such as {\"staging\": {\"domain\": …}}");
        assertThat(faults(with("environments", Map.of("staging", "yes")), false))
                .isEqualTo("environments.staging: is not an object, got \"yes\","
                        + " want settings, such as {\"domain\": \"example.org\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Staging", "1st", "a_b", "a-", "a.b"})
    void shouldRefuseNamesThatNoStackCanHave(String name) {
        assertThat(faults(with("environments", Map.of(name, Map.of())), false))
                .isEqualTo("environments." + name + ": has a name that cannot be part of a stack's name, got \"" + name
                        + "\", want lower-case letters, digits and -, such as staging");
    }

    @Test
    void shouldCheckTheValuesOfTheEnvironment() {
        Map<String, Object> blocks = Map.of("staging", Map.of("zones", "many"));

        assertThat(faults(with(Map.of("environments", blocks, "environment", "staging")), false))
                .isEqualTo("zones: is not a whole number, got \"many\", want a number such as 3");
    }

    @ParameterizedTest
    @CsvSource({
        "domian, domain",
        "Domain, domain",
        "hostZoneId, hostedZoneId",
        "hosted-zone-id, hostedZoneId",
        "hosted_zone_id, hostedZoneId",
        "zone, zones",
        "DNS, dns",
        "appPorts, appPort",
        "enviroment, environment"
    })
    void shouldNoticeAMistypedKeyAndNameTheRightOne(String written, String meant) {
        assertThat(faults(with(written, "x"), false))
                .isEqualTo(written + ": is not a setting, got \"x\", want " + meant);
    }

    @Test
    void shouldRefuseAPlainKeyThatIsLikeNone() {
        assertThat(faults(with("favouriteColour", "red"), false))
                .startsWith("favouriteColour: is not a setting, got \"red\", want one of domain, email,");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@aws-cdk/core:target-partitions",
                "aws:cdk:enable-path-metadata",
                "aws-cdk:enableDiffNoFail",
                "hosted-zone:account=123456789012:domainName=example.org:region=eu-central-1",
                "acknowledged-issue-numbers",
                "cli-telemetry"
            })
    void shouldLeaveTheContextOfCdkItselfAlone(String key) {
        assertThat(read(with(key, true)).domain()).isEqualTo("shop.example.org");
    }
}
