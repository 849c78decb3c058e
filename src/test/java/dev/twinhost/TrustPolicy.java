package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/**
 * Whom a role of a template lets in, as IAM would say: every condition has to hold, a condition on a claim that the
 * token lacks does not, and letter case counts. Knows of IAM what such a policy needs and stops at anything else.
 */
final class TrustPolicy {
    private static final String KEY = "token.actions.githubusercontent.com:";

    private final JsonNode statements;

    TrustPolicy(SynthesisedTemplate template, String role) {
        statements = template.resource(role)
                .path("Properties")
                .path("AssumeRolePolicyDocument")
                .path("Statement");
    }

    /** @param token the claims of a token that GitHub's provider has signed */
    boolean letsIn(Map<String, String> token) {
        for (JsonNode statement : statements) {
            require(statement.path("Effect").asText().equals("Allow"), statement);
            require(statement.path("Action").asText().equals("sts:AssumeRoleWithWebIdentity"), statement);
            if (holds(statement.path("Condition"), token)) {
                return true;
            }
        }
        return false;
    }

    private static boolean holds(JsonNode conditions, Map<String, String> token) {
        require(conditions.size() == 1 && conditions.has("StringEquals"), conditions);
        return conditions.path("StringEquals").properties().stream().allMatch(condition -> {
            require(condition.getKey().startsWith(KEY), conditions);
            String claim = token.get(condition.getKey().substring(KEY.length()));
            return claim != null && RolePolicy.each(condition.getValue()).contains(claim);
        });
    }

    private static void require(boolean known, JsonNode part) {
        if (!known) {
            throw new AssertionError("What this means to IAM is not known here: " + part);
        }
    }
}
