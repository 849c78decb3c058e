package dev.twinhost;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** A JSON file beside the classes. */
final class JsonResource {
    private JsonResource() {}

    /** Its content, in the order in which it is written. */
    static Map<String, Object> read(String name) {
        try (InputStream json = JsonResource.class.getResourceAsStream(name)) {
            return new ObjectMapper().readValue(json, new TypeReference<Map<String, Object>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
