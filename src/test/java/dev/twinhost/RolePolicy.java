package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What a role of a template may do, as IAM would say: an action on a resource is allowed or it is not. */
final class RolePolicy {
    private final List<JsonNode> statements = new ArrayList<>();
    private final Map<String, String> pseudoParameters;

    /** @param account as the command line names it to the app */
    RolePolicy(SynthesisedTemplate template, String role, Map<String, String> account) {
        pseudoParameters = Map.of(
                "${AWS::Partition}", "aws",
                "${AWS::AccountId}", account.get("CDK_DEFAULT_ACCOUNT"),
                "${AWS::Region}", account.get("CDK_DEFAULT_REGION"));
        for (JsonNode policy : template.resources("AWS::IAM::Policy").values()) {
            if (policy.path("Properties").path("Roles").toString().contains('"' + role + '"')) {
                policy.path("Properties")
                        .path("PolicyDocument")
                        .path("Statement")
                        .forEach(statements::add);
            }
        }
    }

    boolean allows(String action, String resource) {
        return statements.stream()
                .anyMatch(statement -> each(statement.path("Action")).contains(action)
                        && each(statement.path("Resource")).stream().anyMatch(pattern -> covers(pattern, resource)));
    }

    private boolean covers(String pattern, String resource) {
        String filled = pattern;
        for (Map.Entry<String, String> parameter : pseudoParameters.entrySet()) {
            filled = filled.replace(parameter.getKey(), parameter.getValue());
        }
        String regex = Pattern.quote(filled).replace("*", "\\E.*\\Q");
        return resource.matches(regex);
    }

    /** What stands there once or in a list, with pseudo parameters as {@code Fn::Sub} writes them. */
    static List<String> each(JsonNode written) {
        List<String> all = new ArrayList<>();
        (written.isArray() ? written : List.of(written)).forEach(one -> all.add(text(one)));
        return all;
    }

    private static String text(JsonNode written) {
        if (written.has("Ref")) {
            return "${" + written.path("Ref").asText() + '}';
        }
        if (written.has("Fn::Sub")) {
            return written.path("Fn::Sub").asText();
        }
        if (written.has("Fn::Join")) {
            return String.join("", each(written.path("Fn::Join").path(1)));
        }
        return written.asText();
    }
}
