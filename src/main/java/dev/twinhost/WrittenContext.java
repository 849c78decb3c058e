package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import software.constructs.Construct;

/**
 * The context of the app, with the blocks of {@code environments} as they were written. On the way from CDK to Java an
 * object loses every {@code null} in it, and in a block that is what takes a value away. The command line hands the
 * context over in a variable, and what is too large for it in a file: aws-cdk-lib, cx-api/lib/cxapi.js.
 */
final class WrittenContext {
    private static final String ENVIRONMENTS = "environments";
    private static final String VARIABLE = "CDK_CONTEXT_JSON";
    private static final String FILE = "CONTEXT_OVERFLOW_LOCATION_ENV";

    private WrittenContext() {}

    /** @param variables those of the process */
    @SuppressWarnings("unchecked")
    static Map<String, Object> of(Construct scope, Map<String, String> variables) {
        Map<String, Object> context =
                new HashMap<>((Map<String, Object>) scope.getNode().getAllContext());
        ObjectMapper json = new ObjectMapper();
        try {
            for (JsonNode written : Stream.of(
                            json.readTree(variables.getOrDefault(VARIABLE, "{}")),
                            variables.containsKey(FILE)
                                    ? json.readTree(new File(variables.get(FILE)))
                                    : json.createObjectNode())
                    .toList()) {
                if (written.has(ENVIRONMENTS)) {
                    context.put(ENVIRONMENTS, json.convertValue(written.get(ENVIRONMENTS), Object.class));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return context;
    }
}
