package dev.twinhost.rehearsal.assembly;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** One resource as the template writes it, intrinsics unresolved. */
public record Resource(String id, String type, JsonNode body) {
    static Resource of(String id, JsonNode body) {
        return new Resource(id, body.path("Type").asText(), body);
    }

    public JsonNode properties() {
        return body.path("Properties");
    }

    public JsonNode creationPolicy() {
        return body.path("CreationPolicy");
    }

    public JsonNode updatePolicy() {
        return body.path("UpdatePolicy");
    }

    List<String> dependsOn() {
        JsonNode written = body.path("DependsOn");
        List<String> ids = new ArrayList<>();
        if (written.isTextual()) {
            ids.add(written.asText());
        }
        written.elements().forEachRemaining(id -> ids.add(id.asText()));
        return ids;
    }
}
