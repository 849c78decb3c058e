package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinhost.settings.InvalidSettings;
import dev.twinhost.settings.Settings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awscdk.Environment;

class SiteRegionTest {
    private static final String IMAGE = "ssm:account=123456789012:parameterName=/aws/service/ami-amazon-linux-latest/"
            + "al2023-ami-kernel-6.1-arm64:region=eu-central-1";

    @Test
    void shouldRefuseAnotherRegionThanTheSettingNames() {
        assertThatThrownBy(() -> check(Map.of("region", "eu-central-1"), "us-east-1", Set.of()))
                .isInstanceOf(InvalidSettings.class)
                .hasMessage("region: is not the one of the command line, got \"us-east-1\", want eu-central-1"
                        + " (export AWS_REGION=eu-central-1)");
        assertThatCode(() -> check(Map.of("region", "eu-central-1"), "eu-central-1", Set.of()))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                IMAGE,
                "availability-zones:account=123456789012:region=eu-central-1",
                "hosted-zone:account=123456789012:domainName=shop.example.org:region=eu-central-1"
            })
    void shouldRefuseAnotherRegionThanTheOneInWhichTheAccountWasLookedAt(String key) {
        assertThatThrownBy(() -> check(Map.of(), "us-east-1", Set.of(key, "domain")))
                .isInstanceOf(InvalidSettings.class)
                .hasMessage("region: is missing, and cdk.context.json knows this account in another one, got"
                        + " \"us-east-1\", want eu-central-1 (export AWS_REGION=eu-central-1), or the setting region:"
                        + " us-east-1 for a site there");
    }

    @Test
    void shouldGoWhereTheSettingSaysAlsoForTheFirstTime() {
        assertThatCode(() -> check(Map.of("region", "us-east-1"), "us-east-1", Set.of(IMAGE)))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldTakeAnyRegionWhereNothingSaysWhichOneItIs() {
        Set<String> ofAnotherAccount = Set.of("availability-zones:account=210987654321:region=eu-central-1");
        Set<String> ofBoth = Set.of(IMAGE, "availability-zones:account=123456789012:region=us-east-1");

        for (Set<String> keys : Set.of(Set.<String>of(), ofAnotherAccount, ofBoth)) {
            assertThatCode(() -> check(Map.of(), "us-east-1", keys)).doesNotThrowAnyException();
        }
    }

    @Test
    void shouldBeAskedBeforeAnythingIsSynthesised() {
        assertThatThrownBy(() -> SynthesisedTemplate.with(Map.of("region", "us-east-1"), SynthesisedTemplate.ACCOUNT))
                .isInstanceOf(InvalidSettings.class)
                .hasMessageStartingWith(
                        "region: is not the one of the command line, got \"eu-central-1\", want us-east-1");
    }

    private static void check(Map<String, Object> more, String region, Set<String> keys) {
        Map<String, Object> context = new HashMap<>(SynthesisedTemplate.CONTEXT);
        context.putAll(more);
        Settings settings = Settings.read(() -> context, true, Path.of(""));
        SiteRegion.check(
                settings,
                Environment.builder().account("123456789012").region(region).build(),
                keys);
    }
}
