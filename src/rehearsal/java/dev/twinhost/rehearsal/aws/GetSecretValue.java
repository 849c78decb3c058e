package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.machines.Machine;
import java.util.Map;

/** Secrets Manager: the value of a secret; only the current version has one. */
final class GetSecretValue implements Action {
    private final Secrets secrets;

    GetSecretValue(Secrets secrets) {
        this.secrets = secrets;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String arn = parameters.getOrDefault("SecretId", "");
        String version = secrets.version(arn);
        if (!parameters.getOrDefault("VersionId", version).equals(version)) {
            throw new AwsError(400, "ResourceNotFoundException", "Secrets Manager can't find the specified version");
        }
        ObjectNode body = new ObjectMapper()
                .createObjectNode()
                .put("ARN", arn)
                .put("VersionId", version)
                .put("SecretString", secrets.value(arn));
        return Answer.text(200, "application/x-amz-json-1.1", body.toString());
    }
}
