package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * No text of any variant is one that its service refuses at the deploy. A text in a place that has no row in {@code
 * service-limits.json} fails: whoever adds a property, reads what its service takes.
 */
class ServiceLimitsTest {
    private static final ServiceLimits LIMITS = ServiceLimits.read();

    @Test
    void shouldSendOnlyTextsThatTheirServicesTake() {
        Set<List<Object>> places = new HashSet<>();
        int texts = 0;
        for (Variant variant : Matrix.variants()) {
            for (JsonNode template : variant.templates()) {
                List<TemplateText> found = new DeployedTemplate(template).texts();
                found.forEach(text -> places.add(List.of(text.type(), text.path())));
                texts += found.size();

                assertThat(LIMITS.faults(found)).as(variant.toString()).isEmpty();
            }
        }
        System.out.printf(
                "%d texts in %d places of %d variants, held to %d rows%n",
                texts, places.size(), Matrix.variants().size(), LIMITS.rows().size());
    }

    @Test
    void shouldKeepNoRowThatNothingNeeds() {
        List<TemplateText> texts = Matrix.variants().stream()
                .flatMap(variant -> variant.templates().stream())
                .flatMap(template -> new DeployedTemplate(template).texts().stream())
                .distinct()
                .toList();

        assertThat(LIMITS.rows()).allMatch(row -> texts.stream().anyMatch(row::holdsFor));
    }

    @Test
    void shouldRefuseWhatARowForbids() {
        assertThat(LIMITS.rows()).allSatisfy(row -> {
            assertThat(Stream.of(row.pattern(), row.longest(), row.values(), row.free()))
                    .as("one of the four says what is taken")
                    .anyMatch(rule -> rule != null);
            if (row.pattern() != null) {
                assertThat(row.objection(row.refused()))
                        .hasValueSatisfying(objection -> assertThat(objection).startsWith("does not match"));
            }
            if (row.longest() != null) {
                assertThat(row.objection("a".repeat(row.longest() + 1)))
                        .hasValueSatisfying(objection -> assertThat(objection).endsWith("at most " + row.longest()));
            }
            if (row.values() != null) {
                assertThat(row.values()).allSatisfy(value -> {
                    assertThat(row.objection(value)).isEmpty();
                    assertThat(row.objection(value + '_')).isPresent();
                });
            }
        });
    }

    @Test
    void shouldGiveASourceForEveryRow() {
        assertThat(LIMITS.rows())
                .extracting(ServiceLimits.Row::source)
                .allMatch(source -> LIMITS.sources().containsKey(source.split(" ", 2)[0])
                        || source.contains("src/main/resources/"));
        assertThat(LIMITS.sources().values()).allMatch(address -> address.matches("https://\\S+/[0-9a-f]{40}/.+"));
    }

    @Test
    void shouldNameTheTextThatAServiceRefuses() throws Exception {
        String description = "{\"Fn::Join\": [\"\", [\"To the hosts' \", {\"Ref\": \"AWS::Region\"}]]}";

        assertThat(LIMITS.faults(with("AWS::EC2::SecurityGroupEgress", "Description", description)))
                .singleElement()
                .asString()
                .startsWith("Changed (AWS::EC2::SecurityGroupEgress) /Properties/Description is"
                        + " \"To the hosts' eu-central-1\", which does not match ")
                .endsWith(" (botocore ec2/2016-11-15 UserIdGroupPair.Description,"
                        + " CreateSecurityGroupRequest.Description)");
    }

    @Test
    void shouldNameATextThatHasNoRow() throws Exception {
        assertThat(LIMITS.faults(with("AWS::Route53::RecordSet", "Comment", "\"Managed by Twinhost\"")))
                .containsExactly("Changed (AWS::Route53::RecordSet) /Properties/Comment is \"Managed by Twinhost\","
                        + " and no row of service-limits.json says what its service takes");
    }

    private static List<TemplateText> with(String type, String property, String value) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode template = mapper.createObjectNode();
        ObjectNode changed = template.putObject("Resources").putObject("Changed");
        changed.put("Type", type);
        changed.putObject("Properties").set(property, mapper.readTree(value));
        return new DeployedTemplate(template).texts();
    }
}
