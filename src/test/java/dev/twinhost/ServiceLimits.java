package dev.twinhost;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the services of AWS take for a text, as they document it: {@code service-limits.json}. They check it when a stack
 * is deployed, and neither CloudFormation nor the CDK does so before.
 *
 * @param sources what the first word of a row's source stands for
 */
record ServiceLimits(Map<String, String> sources, List<Row> rows) {
    static final String TABLE = "service-limits.json";

    /**
     * What a service takes in certain places.
     *
     * @param texts the places: a resource's type and the path from the resource, see {@link TemplateText#isAt}
     * @param pattern what a whole text has to match, and {@code refused} a text that does not
     * @param longest in bytes of UTF-8, though some services count characters
     * @param values the only ones that there are
     * @param free why anything is taken
     * @param source the document, beginning with one of the table's sources or a path of this project
     */
    record Row(
            List<String> texts,
            String pattern,
            String refused,
            Integer longest,
            List<String> values,
            String free,
            String source) {

        boolean holdsFor(TemplateText text) {
            return texts.stream().anyMatch(text::isAt);
        }

        /** What the service would say, if anything. */
        Optional<String> objection(String value) {
            int length = value.getBytes(StandardCharsets.UTF_8).length;
            if (longest != null && length > longest) {
                return Optional.of("is " + length + " long, at most " + longest);
            }
            if (pattern != null && !value.matches(pattern)) {
                return Optional.of("does not match " + pattern);
            }
            if (values != null && !values.contains(value)) {
                return Optional.of("is none of " + values);
            }
            return Optional.empty();
        }
    }

    static ServiceLimits read() {
        try (InputStream stream = ServiceLimits.class.getResourceAsStream(TABLE)) {
            return new ObjectMapper()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(stream, ServiceLimits.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is wrong with the texts: refused by their service, or without a row. */
    List<String> faults(List<TemplateText> texts) {
        List<String> faults = new ArrayList<>();
        for (TemplateText text : texts) {
            List<Row> found = rows.stream().filter(row -> row.holdsFor(text)).toList();
            if (found.size() != 1) {
                faults.add(text + ", and " + (found.isEmpty() ? "no row" : "more than one row") + " of " + TABLE
                        + " says what its service takes");
            } else {
                Row row = found.get(0);
                row.objection(text.value())
                        .ifPresent(objection -> faults.add(text + ", which " + objection + " (" + row.source() + ")"));
            }
        }
        return faults;
    }
}
