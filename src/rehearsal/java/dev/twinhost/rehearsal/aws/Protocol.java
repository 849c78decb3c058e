package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** How a service of AWS is spoken to: where a request names its action and parameters, and what an error looks like. */
enum Protocol {
    /**
     * Systems Manager, Secrets Manager and CloudWatch: the action in a header, the parameters as a JSON object; one that
     * is no text or number stays JSON.
     */
    JSON {
        @Override
        String action(HttpExchange exchange, Map<String, String> parameters) {
            String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
            return target.substring(target.indexOf('.') + 1);
        }

        @Override
        Map<String, String> parameters(HttpExchange exchange) throws IOException {
            Map<String, String> parameters = new TreeMap<>();
            MAPPER.readTree(exchange.getRequestBody())
                    .properties()
                    .forEach(field -> parameters.put(
                            field.getKey(),
                            field.getValue().isValueNode()
                                    ? field.getValue().asText()
                                    : field.getValue().toString()));
            return parameters;
        }

        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
        @Override
        AwsError accessDenied(String message) {
            return new AwsError(400, "AccessDeniedException", message);
        }

        @Override
        Answer error(AwsError error) {
            ObjectNode body = MAPPER.createObjectNode();
            body.put("__type", error.code()).put("message", error.getMessage());
            return Answer.text(error.status(), "application/x-amz-json-1.1", body.toString());
        }
    },

    /** Elastic Load Balancing and CloudFormation: a form, answered in XML. */
    QUERY {
        @Override
        String action(HttpExchange exchange, Map<String, String> parameters) {
            return parameters.getOrDefault("Action", "");
        }

        @Override
        Map<String, String> parameters(HttpExchange exchange) throws IOException {
            return form(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        }

        @Override
        Answer error(AwsError error) {
            return Xml.answer(
                    error.status(),
                    "<ErrorResponse><Error><Type>Sender</Type><Code>" + Xml.text(error.code()) + "</Code><Message>"
                            + Xml.text(error.getMessage())
                            + "</Message></Error><RequestId>rehearsal</RequestId></ErrorResponse>");
        }
    },

    /** S3: a path with bucket and key; the bucket may stand in the host name instead. */
    S3 {
        @Override
        String action(HttpExchange exchange, Map<String, String> parameters) {
            boolean reads = exchange.getRequestMethod().equals("GET")
                    && !parameters.getOrDefault("Key", "").isEmpty();
            return reads ? "GetObject" : exchange.getRequestMethod() + " " + exchange.getRequestURI();
        }

        @Override
        Map<String, String> parameters(HttpExchange exchange) {
            URI uri = exchange.getRequestURI();
            String host = exchange.getRequestHeaders().getFirst("Host");
            String path = uri.getPath().substring(1);
            Map<String, String> parameters = new TreeMap<>();
            int bucketEnd = host.indexOf(".s3.");
            if (bucketEnd > 0) {
                parameters.put("Bucket", host.substring(0, bucketEnd));
                parameters.put("Key", path);
            } else {
                int slash = path.indexOf('/');
                parameters.put("Bucket", slash < 0 ? path : path.substring(0, slash));
                parameters.put("Key", slash < 0 ? "" : path.substring(slash + 1));
            }
            return parameters;
        }

        @Override
        Answer error(AwsError error) {
            return Xml.answer(
                    error.status(),
                    "<Error><Code>" + Xml.text(error.code()) + "</Code><Message>" + Xml.text(error.getMessage())
                            + "</Message></Error>");
        }
    };

    private static final ObjectMapper MAPPER = new ObjectMapper();

    static Protocol of(HttpExchange exchange, String service) {
        if (exchange.getRequestHeaders().containsKey("X-Amz-Target")) {
            return JSON;
        }
        return service.equals("s3") ? S3 : QUERY;
    }

    abstract String action(HttpExchange exchange, Map<String, String> parameters);

    abstract Map<String, String> parameters(HttpExchange exchange) throws IOException;

    abstract Answer error(AwsError error);

    /** How the services that speak it say that IAM does not allow a call. */
    AwsError accessDenied(String message) {
        return new AwsError(403, "AccessDenied", message);
    }

    private static Map<String, String> form(String body) {
        Map<String, String> parameters = new TreeMap<>();
        for (String pair : body.split("&")) {
            String[] parts = pair.split("=", 2);
            if (parts.length == 2) {
                parameters.put(decode(parts[0]), decode(parts[1]));
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
