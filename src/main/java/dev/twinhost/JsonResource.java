package dev.twinhost;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/** A JSON file beside the classes. */
final class JsonResource {
    /** No variable of a shell and no parameter of a document of Systems Manager is written so. */
    private static final Pattern PLACE = Pattern.compile("@([A-Z_]+)@");

    private JsonResource() {}

    /** Its content, in the order in which it is written. */
    static Map<String, Object> read(String name) {
        return read(name, Map.of());
    }

    /** The same, with a value in the place of each {@code @NAME@}; each has to have one. */
    static Map<String, Object> read(String name, Map<String, String> values) {
        try (InputStream json = JsonResource.class.getResourceAsStream(name)) {
            String text = new String(json.readAllBytes(), StandardCharsets.UTF_8);
            String filled = PLACE.matcher(text)
                    .replaceAll(place -> Objects.requireNonNull(values.get(place.group(1)), place.group()));
            return new ObjectMapper().readValue(filled, new TypeReference<Map<String, Object>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
