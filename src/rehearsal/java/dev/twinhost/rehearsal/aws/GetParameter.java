package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.Published;
import java.util.Map;

/** Systems Manager: the value of a parameter, as the last deploy has set it. */
final class GetParameter implements Action {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Published published;

    GetParameter(Published published) {
        this.published = published;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String name = parameters.getOrDefault("Name", "");
        String value = published.parameters().get(name);
        if (value == null) {
            throw new AwsError(400, "ParameterNotFound", "The template has no parameter " + name);
        }
        ObjectNode body = JSON.createObjectNode();
        body.putObject("Parameter")
                .put("Name", name)
                .put("Type", "String")
                .put("DataType", "text")
                .put("Value", value)
                .put("Version", 1);
        return Answer.text(200, "application/x-amz-json-1.1", body.toString());
    }
}
