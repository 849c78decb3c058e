package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What cdk-nag's rules of AWS Solutions find in any variant is mended, or {@code policy-exceptions.json} says why it
 * stands. The reasons are there and not in the templates: the app needs no cdk-nag.
 *
 * @see <a href="https://github.com/cdklabs/cdk-nag/blob/v2.37.55/RULES.md#awssolutions">The rules</a>
 */
class PolicyTest {
    private static final String EXCEPTIONS = "policy-exceptions.json";

    private record Excepted(String rule, String at, String reason) {
        Finding finding() {
            return new Finding(rule, at);
        }
    }

    private static List<Excepted> exceptions;

    @BeforeAll
    static void readExceptions() throws IOException {
        try (InputStream stream = PolicyTest.class.getResourceAsStream(EXCEPTIONS)) {
            exceptions = new ObjectMapper().readValue(stream, new TypeReference<>() {});
        }
    }

    @Test
    void shouldFindNothingInAnyVariantThatHasNoReason() {
        Map<Finding, Variant> unexplained = new HashMap<>();
        for (Variant variant : Matrix.variants()) {
            variant.findings().forEach(finding -> unexplained.putIfAbsent(finding, variant));
        }
        unexplained.keySet().removeAll(excepted());

        assertThat(unexplained)
                .as("mend what is found, or say in " + EXCEPTIONS + " why it stands; each with one of its variants")
                .isEmpty();
    }

    @Test
    void shouldKeepNoExceptionThatNothingNeeds() {
        Set<Finding> found = Matrix.variants().stream()
                .flatMap(variant -> variant.findings().stream())
                .collect(Collectors.toSet());

        assertThat(excepted()).as("take the others out of " + EXCEPTIONS).isSubsetOf(found);
    }

    @Test
    void shouldGiveAReasonForEveryException() {
        assertThat(exceptions).extracting(Excepted::reason).allMatch(reason -> reason.matches(".*\\w \\w.*"));
    }

    @Test
    void shouldLookAtEveryVariant() {
        Finding open = new Finding("AwsSolutions-EC23", "Twinhost/Network/Groups/Balancer/Resource");

        assertThat(Matrix.variants()).allMatch(variant -> variant.findings().contains(open));
        assertThat(Matrix.variants().stream()
                        .filter(variant -> variant.settings().containsKey("githubRepository")))
                .isNotEmpty()
                .allMatch(variant -> variant.findings().stream()
                        .anyMatch(finding -> finding.at().startsWith(TwinhostApp.PIPELINE + '/')));
    }

    private static Set<Finding> excepted() {
        return exceptions.stream().map(Excepted::finding).collect(Collectors.toSet());
    }
}
