package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.machines.Machine;
import java.util.Map;

/** Secrets Manager: which version of a secret is the current one. */
final class DescribeSecret implements Action {
    private final Secrets secrets;

    DescribeSecret(Secrets secrets) {
        this.secrets = secrets;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String arn = parameters.getOrDefault("SecretId", "");
        ObjectNode body = new ObjectMapper().createObjectNode().put("ARN", arn);
        body.putObject("VersionIdsToStages").putArray(secrets.version(arn)).add("AWSCURRENT");
        return Answer.text(200, "application/x-amz-json-1.1", body.toString());
    }
}
