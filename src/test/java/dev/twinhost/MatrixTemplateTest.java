package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds whatever the settings are. That CDK's validation takes every variant, too, is part of its synthesis. */
class MatrixTemplateTest {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    private static final int MOST_BYTES = 1_000_000;
    private static final int MOST_RESOURCES = 500;

    @Test
    void shouldMakeAnotherTemplateOfEveryVariant() {
        Set<List<JsonNode>> different = new HashSet<>();

        assertThat(Matrix.variants())
                .hasSizeGreaterThan(Matrix.combinations())
                .allMatch(variant -> different.add(variant.templates()));
    }

    @Test
    void shouldStayWithinWhatCloudFormationTakes() {
        for (Variant variant : Matrix.variants()) {
            assertThat(variant.templates()).as(variant.toString()).allSatisfy(template -> {
                assertThat(template.toPrettyString().getBytes(StandardCharsets.UTF_8))
                        .hasSizeLessThan(MOST_BYTES);
                assertThat(template.path("Resources")).hasSizeLessThan(MOST_RESOURCES);
            });
        }
    }

    /**
     * EC2 refuses a rule or a group for what its description holds, and CloudFormation then undoes the whole stack. The
     * text is that of the narrowest of the parameters: "Up to 255 characters in length. Allowed characters are …".
     */
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html
    @Test
    void shouldDescribeSecurityGroupsAndTheirRulesWithWhatEc2Takes() {
        for (Variant variant : Matrix.variants()) {
            assertThat(variant.templates())
                    .as(variant.toString())
                    .flatExtracting(MatrixTemplateTest::descriptionsOfSecurityGroups)
                    .contains("The world to 443", "To 443 of the hosts", "NFS from the machines")
                    .allMatch(description -> description.matches("[a-zA-Z0-9 ._:/()#,@\\[\\]+=;{}!$*-]{1,255}"));
        }
    }

    private static List<String> descriptionsOfSecurityGroups(JsonNode template) {
        return template.path("Resources").properties().stream()
                .map(Map.Entry::getValue)
                .filter(resource -> resource.path("Type").asText().startsWith("AWS::EC2::SecurityGroup"))
                .flatMap(resource -> Stream.of("Description", "GroupDescription")
                        .flatMap(property -> resource.findValues(property).stream()))
                .map(JsonNode::asText)
                .toList();
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
