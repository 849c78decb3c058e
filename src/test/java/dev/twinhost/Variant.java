package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One site of the {@link Matrix}.
 *
 * @param settings where they are not those of {@link SynthesisedTemplate#CONTEXT} or the defaults
 * @param assembly the folder with its templates
 */
record Variant(Map<String, Object> settings, Path assembly) {
    private static final Pattern STAGE = Pattern.compile("\\b" + Matrix.STAGE + "[0-9]+[-/]");

    /** The templates of its stacks, as they would be outside of the matrix. */
    List<JsonNode> templates() {
        return files(".template.json").stream().map(Variant::read).toList();
    }

    /** A resource of any of its stacks. */
    Optional<JsonNode> resource(String id) {
        return templates().stream()
                .map(template -> template.path("Resources").path(id))
                .filter(JsonNode::isObject)
                .findFirst();
    }

    /** What cdk-nag says of it. */
    List<Finding> findings() {
        return files(".metadata.json").stream()
                .flatMap(messages -> read(messages).properties().stream())
                .flatMap(construct -> construct.getValue().findValuesAsText("data").stream()
                        .flatMap(message -> Finding.of(construct.getKey(), message).stream()))
                .toList();
    }

    private List<Path> files(String ending) {
        try (Stream<Path> files = Files.walk(assembly)) {
            return files.filter(file -> file.toString().endsWith(ending)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode read(Path file) {
        try {
            String text = STAGE.matcher(Files.readString(file)).replaceAll("");
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return settings.toString();
    }
}
