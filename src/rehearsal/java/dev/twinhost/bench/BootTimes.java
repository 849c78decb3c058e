package dev.twinhost.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Failure;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A host's way from its kernel to a healthy edge, in seconds, as boot-times.sh has noted it.
 *
 * @param parts what had to be done, in its order: the time between them was spent on waiting
 */
public record BootTimes(double whole, Map<String, Double> parts) {
    public static BootTimes of(String json) {
        try {
            JsonNode noted = new ObjectMapper().readTree(json);
            // where a machine shares its kernel with others, its own beginning is that of its systemd
            double booted = number(noted, "/now") - number(noted, "/uptime");
            double begin = booted + number(noted, "/userspace") / 1e6;
            double dockerBegun = booted + number(noted, "/docker/begun") / 1e6;
            double dockerActive = booted + number(noted, "/docker/active") / 1e6;
            double task = time(noted, "/task");
            double created = time(noted, "/created");
            Map<String, Double> parts = new LinkedHashMap<>();
            parts.put("boot", dockerBegun - begin);
            parts.put("dockerd", dockerActive - dockerBegun);
            parts.put("join", task - dockerActive);
            parts.put("image there", created - task);
            parts.put(
                    "task up",
                    time(noted, "/started") - created + time(noted, "/probe/End") - time(noted, "/probe/Start"));
            parts.forEach((part, seconds) -> {
                if (seconds < 0) {
                    throw new Failure("The part \"" + part + "\" took " + seconds
                            + " s, so that this is not what one boot has left: " + json);
                }
            });
            return new BootTimes(time(noted, "/probe/End") - begin, parts);
        } catch (JsonProcessingException | DateTimeParseException e) {
            throw new Failure("Not what boot-times.sh prints: " + json, e);
        }
    }

    public double sum() {
        return parts.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    private static double number(JsonNode noted, String path) {
        JsonNode found = noted.at(path);
        if (!found.isNumber() || found.asDouble() <= 0) {
            throw new Failure(path + " is missing in what boot-times.sh has printed: " + noted);
        }
        return found.asDouble();
    }

    private static double time(JsonNode noted, String path) {
        OffsetDateTime time = OffsetDateTime.parse(noted.at(path).asText());
        return time.toEpochSecond() + time.getNano() / 1e9;
    }
}
