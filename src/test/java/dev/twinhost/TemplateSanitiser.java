package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Takes out of a template what changes with every release or launcher and says nothing about the stack: hashes, in ids too, become
 * {@code <hash>}, the launcher {@code <launcher>}, and the paths of constructs go.
 */
final class TemplateSanitiser {
    private static final Pattern HASH = Pattern.compile("(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])");

    private static final Pattern ID_OF_RELEASE = Pattern.compile("(Release(?:Answer|Handle))[0-9a-f]{16}");

    private final String launcher;

    /** @param launcher the text of {@code user-data.sh} */
    TemplateSanitiser(String launcher) {
        this.launcher = launcher;
    }

    String sanitised(JsonNode template) {
        ObjectMapper mapper = new ObjectMapper();
        try {
            return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(clean(template.deepCopy())) + '\n';
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private JsonNode clean(JsonNode node) {
        if (node instanceof TextNode text) {
            String cleaned =
                    HASH.matcher(text.asText().replace(launcher, "<launcher>")).replaceAll("<hash>");
            return new TextNode(cleanedId(cleaned));
        }
        if (node instanceof ObjectNode object) {
            if (object.path("Metadata") instanceof ObjectNode metadata) {
                metadata.remove("aws:cdk:path");
                if (metadata.isEmpty()) {
                    object.remove("Metadata");
                }
            }
            for (Map.Entry<String, JsonNode> field : List.copyOf(object.properties())) {
                object.remove(field.getKey());
                object.set(cleanedId(field.getKey()), clean(field.getValue()));
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                array.set(i, clean(array.get(i)));
            }
        }
        return node;
    }

    private static String cleanedId(String id) {
        return ID_OF_RELEASE.matcher(id).replaceAll("$1<hash>");
    }
}
