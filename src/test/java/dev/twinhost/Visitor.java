package dev.twinhost;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;

/** Someone in the internet who reaches the edge by any name, over the ports that the host publishes. */
final class Visitor {
    private final EdgeSurroundings surroundings;

    Visitor(EdgeSurroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** An answer as it came over the wire; names of headers in small letters. */
    record Answer(int status, Map<String, List<String>> headers, String body) {
        /** The values of a header, none where it was not sent. */
        List<String> header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of());
        }

        JsonNode json() {
            try {
                return new ObjectMapper().readTree(body);
            } catch (JsonProcessingException e) {
                throw new AssertionError("No JSON: " + status + " " + headers + " " + body, e);
            }
        }

        /** What of a header reached the application. */
        List<String> seen(String name) {
            return StreamSupport.stream(
                            json().at("/headers/" + name.toLowerCase(Locale.ROOT))
                                    .spliterator(),
                            false)
                    .map(JsonNode::asText)
                    .toList();
        }

        /** Which answer of the application this is. */
        int number() {
            return json().at("/number").asInt();
        }
    }

    Answer get(String url, String... options) {
        EdgeSurroundings.Ended ended = curl(url, with(options, "-i"));
        if (ended.status() != 0) {
            throw new AssertionError(url + ": " + ended.error());
        }
        return parse(ended.output());
    }

    EdgeSurroundings.Ended curl(String url, String... options) {
        List<String> words = new ArrayList<>(List.of("curl", "-sS", "--path-as-is", "--noproxy", "*"));
        words.addAll(List.of("--cacert", "/mnt/var/lib/twinhost/tls/current/fullchain.pem"));
        words.addAll(List.of("--connect-to", ":80:" + EdgeSurroundings.EDGE + ":8080"));
        words.addAll(List.of("--connect-to", ":443:" + EdgeSurroundings.EDGE + ":8443"));
        words.addAll(Arrays.asList(options));
        words.add(url);
        return surroundings.run(EdgeSurroundings.Place.VISITOR, words.toArray(String[]::new));
    }

    /** A TLS connection: what {@code openssl s_client} says of it, and what comes back of the lines that are sent. */
    EdgeSurroundings.Ended tls(String lines, String... options) {
        return surroundings.runWithInput(
                lines,
                EdgeSurroundings.Place.VISITOR,
                with(options, "openssl", "s_client", "-connect", EdgeSurroundings.EDGE + ":8443"));
    }

    private static String[] with(String[] options, String... first) {
        List<String> all = new ArrayList<>(Arrays.asList(first));
        all.addAll(Arrays.asList(options));
        return all.toArray(String[]::new);
    }

    private static Answer parse(String text) {
        String[] parts = text.split("\r\n\r\n", 2);
        String[] lines = parts[0].split("\r\n");
        Map<String, List<String>> headers = new LinkedHashMap<>();
        for (String line : Arrays.asList(lines).subList(1, lines.length)) {
            String[] pair = line.split(": ?", 2);
            headers.computeIfAbsent(pair[0].toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                    .add(pair[1]);
        }
        return new Answer(Integer.parseInt(lines[0].split(" ")[1]), headers, parts[1]);
    }
}
