package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.machines.Machine;
import java.util.Map;

/** CloudWatch: takes metrics and forgets them; the log of all calls shows what they were. */
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
final class PutMetricData implements Action {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String namespace = parameters.getOrDefault("Namespace", "");
        if (namespace.isEmpty() || namespace.startsWith("AWS/")) {
            throw invalid("The value " + namespace + " for parameter Namespace is invalid.");
        }
        JsonNode data = data(parameters.getOrDefault("MetricData", "[]"));
        if (data.isEmpty()) {
            throw invalid("The parameter MetricData is required.");
        }
        for (JsonNode datum : data) {
            if (datum.path("MetricName").asText().isEmpty()
                    || !datum.path("Value").isNumber()) {
                throw invalid("The rehearsal plays metrics with a name and a number alone: " + datum);
            }
        }
        return Answer.text(200, "application/x-amz-json-1.0", "{}");
    }

    private static JsonNode data(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw invalid("The parameter MetricData is no list: " + text);
        }
    }

    private static AwsError invalid(String message) {
        return new AwsError(400, "InvalidParameterValue", message);
    }
}
