package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * Who calls, and what its identity-based policies allow.
 *
 * @param principal its ARN; empty where nothing is signed
 * @param policies policy documents, without intrinsic functions
 */
public record Identity(String principal, String account, List<JsonNode> policies) {
    static Identity anonymous(String account) {
        return new Identity("", account, List.of());
    }

    String described() {
        return principal.isEmpty() ? "anonymous" : principal;
    }
}
