package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.site.WaitCondition;
import java.io.IOException;
import java.net.URI;
import java.util.Set;

/**
 * CloudFormation: a machine answers to the deploy that waits, by the URL of the handle and without any keys. S3 would
 * take every answer, and CloudFormation pass over a wrong one; here it is refused at once.
 */
final class SignalWaitCondition {
    private static final Set<String> STATUS = Set.of("SUCCESS", "FAILURE");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Published published;
    private final Answers answers;
    private final CallLog log;

    SignalWaitCondition(Published published, Answers answers, CallLog log) {
        this.published = published;
        this.answers = answers;
        this.log = log;
    }

    /** Whether this is such an answer, whatever it holds. */
    static boolean is(HttpExchange exchange) {
        return exchange.getRequestURI().getPath().startsWith("/cloudformation-waitcondition-");
    }

    Answer answer(Machine caller, HttpExchange exchange) throws IOException {
        Answer answer;
        // The URL is not for logs.
        String call = "cloudformation:wait condition";
        try {
            WaitCondition condition = condition(exchange);
            JsonNode body = body(exchange);
            call += " " + condition.id() + " " + body;
            answers.add(condition, body);
            answer = new Answer(200, "application/xml", new byte[0]);
        } catch (AwsError e) {
            answer = Protocol.S3.error(e);
            call += " " + e.code() + ": " + e.getMessage();
        }
        log.add(caller.name(), call, answer.status());
        return answer;
    }

    private WaitCondition condition(HttpExchange exchange) {
        if (!exchange.getRequestMethod().equals("PUT")) {
            throw new AwsError(403, "AccessDenied", "The URL is signed for PUT, got " + exchange.getRequestMethod());
        }
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        if (type != null && !type.isEmpty()) {
            throw new AwsError(403, "SignatureDoesNotMatch", "The URL is signed without a Content-Type, got " + type);
        }
        URI asked = exchange.getRequestURI();
        return published.waitConditions().stream()
                .filter(condition -> {
                    URI url = URI.create(condition.url());
                    return (url.getRawPath() + "?" + url.getRawQuery()).equals(asked.toString());
                })
                .findFirst()
                .orElseThrow(() -> new AwsError(403, "SignatureDoesNotMatch", "No handle has this URL"));
    }

    private static JsonNode body(HttpExchange exchange) throws IOException {
        JsonNode body;
        try {
            body = JSON.readTree(exchange.getRequestBody());
        } catch (JsonProcessingException e) {
            throw wrong("no JSON");
        }
        if (!STATUS.contains(body.path("Status").asText())) {
            throw wrong("Status " + body.path("Status"));
        }
        for (String field : new String[] {"Reason", "UniqueId", "Data"}) {
            if (!body.path(field).isTextual()) {
                throw wrong("without a text as " + field);
            }
        }
        if (body.path("UniqueId").asText().isEmpty()) {
            throw wrong("with an empty UniqueId");
        }
        return body;
    }

    private static AwsError wrong(String what) {
        return new AwsError(400, "InvalidRequest", "The rehearsal cannot play an answer " + what);
    }
}
