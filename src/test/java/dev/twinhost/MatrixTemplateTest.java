package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds whatever the settings are. That CDK's validation takes every variant, too, is part of its synthesis. */
class MatrixTemplateTest {
    @Test
    void shouldMakeAnotherTemplateOfEveryVariant() {
        Set<List<JsonNode>> different = new HashSet<>();

        assertThat(Matrix.variants())
                .hasSizeGreaterThan(Matrix.combinations())
                .allMatch(variant -> different.add(variant.templates()));
    }

    /** CDK's validation knows where Ref, Fn::GetAtt and DependsOn lead, and does not look into Fn::Sub. */
    @Test
    void shouldSubstituteNothingButWhatCloudFormationAlwaysKnows() {
        for (Variant variant : Matrix.variants()) {
            assertThat(variant.templates())
                    .as(variant.toString())
                    .flatExtracting(template -> template.findValues("Fn::Sub"))
                    .isNotEmpty()
                    .allMatch(text -> text.isTextual()
                            && !text.asText().replace("${AWS::", "").contains("${"));
        }
    }

    /** Another id, or another value of a property that cannot be updated, would have a deploy replace it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "NetworkVpc7FB7348F",
                "NetworkVpcPublicSubnet1Subnet36933139",
                "SharedStorageFileSystemFF4F5FE9",
                "EdgeLoadBalancer806FF7CB"
            })
    void shouldReplaceNothingThatHoldsStateOrAddressesWhereAnotherSettingChanges(String id) {
        Optional<JsonNode> usual = Matrix.variants().get(0).resource(id);

        assertThat(usual).isPresent();
        for (Variant variant : Matrix.variants().subList(0, Matrix.combinations())) {
            assertThat(variant.resource(id)).as(variant.toString()).isEqualTo(usual);
        }
    }
}
