package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.twinhost.rehearsal.machines.Machine;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/**
 * CloudWatch: takes metrics and forgets them; the log of all calls shows what they were. Older command lines of AWS send a
 * form with a parameter for each value, newer ones JSON.
 */
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
final class PutMetricData implements Action {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A value of the form; what lies deeper, dimensions, is not looked at. */
    private static final Pattern FORM = Pattern.compile("MetricData\\.member\\.(\\d+)\\.(\\w+)");

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String namespace = parameters.getOrDefault("Namespace", "");
        if (namespace.isEmpty() || namespace.startsWith("AWS/")) {
            throw invalid("The value " + namespace + " for parameter Namespace is invalid.");
        }
        boolean form = parameters.containsKey("Action");
        Collection<? extends JsonNode> data =
                form ? fromForm(parameters) : fromJson(parameters.getOrDefault("MetricData", "[]"));
        if (data.isEmpty()) {
            throw invalid("The parameter MetricData is required.");
        }
        for (JsonNode datum : data) {
            if (datum.path("MetricName").asText().isEmpty()
                    || !datum.path("Value").isNumber()) {
                throw invalid("The rehearsal plays metrics with a name and a number alone: " + datum);
            }
        }
        return form
                ? Xml.answer(200, "<PutMetricDataResponse/>")
                : Answer.text(200, "application/x-amz-json-1.0", "{}");
    }

    private static Collection<ObjectNode> fromForm(Map<String, String> parameters) {
        Map<String, ObjectNode> data = new TreeMap<>();
        parameters.forEach((name, value) -> {
            Matcher place = FORM.matcher(name);
            if (place.matches()) {
                data.computeIfAbsent(place.group(1), number -> JSON.createObjectNode())
                        .set(place.group(2), number(value).orElseGet(() -> TextNode.valueOf(value)));
            }
        });
        return data.values();
    }

    private static Optional<JsonNode> number(String value) {
        try {
            return Optional.of(DecimalNode.valueOf(new BigDecimal(value)));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static List<JsonNode> fromJson(String text) {
        try {
            return StreamSupport.stream(JSON.readTree(text).spliterator(), false)
                    .toList();
        } catch (JsonProcessingException e) {
            throw invalid("The parameter MetricData is no list: " + text);
        }
    }

    private static AwsError invalid(String message) {
        return new AwsError(400, "InvalidParameterValue", message);
    }
}
