package dev.twinhost;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An account, to the command line of the CDK: answers what it asks of STS, CloudFormation, EC2, Systems Manager and
 * Route 53, as far as the role that it plays allows the call, and notes both. Does not prove: signatures, and how AWS itself
 * names the resource of a call; that is written here from the service authorization reference,
 * https://docs.aws.amazon.com/service-authorization/latest/reference/.
 */
final class AccountStandIn implements AutoCloseable {
    private static final String ZONES = "/2013-04-01/hostedzonesbyname";
    private static final String SYSTEMS_MANAGER = "AmazonSSM.";

    private final HttpServer server;
    private final RolePolicy role;
    private final Map<String, Boolean> calls = new ConcurrentHashMap<>();

    AccountStandIn(RolePolicy role) throws IOException {
        this.role = role;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Each action and its resource that the role had a right to. */
    Set<String> allowed() {
        return calls(true);
    }

    Set<String> refused() {
        return calls(false);
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private Set<String> calls(boolean allowed) {
        Set<String> found = new TreeSet<>();
        calls.forEach((call, answer) -> {
            if (answer == allowed) {
                found.add(call);
            }
        });
        return Collections.unmodifiableSet(found);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
            if (exchange.getRequestURI().getPath().equals(ZONES)) {
                answer(exchange, "route53:ListHostedZonesByName", "*", ".xml");
            } else if (target != null && target.startsWith(SYSTEMS_MANAGER)) {
                String name = new ObjectMapper().readTree(body).path("Name").asText();
                String owner = name.startsWith("/aws/service/") ? "" : "123456789012";
                String action = "ssm:" + target.substring(SYSTEMS_MANAGER.length());
                answer(exchange, action, "arn:aws:ssm:eu-central-1:" + owner + ":parameter" + name, ".json");
            } else {
                answerQuery(exchange, form(body));
            }
        }
    }

    private void answerQuery(HttpExchange exchange, Map<String, String> form) throws IOException {
        String action = form.getOrDefault("Action", "nothing");
        if (action.equals("GetCallerIdentity")) {
            // It needs no right: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
            send(exchange, 200, "GetCallerIdentity.xml");
        } else if (action.equals("DescribeAvailabilityZones")) {
            answer(exchange, "ec2:" + action, "*", ".xml");
        } else if (form.containsKey("RoleArn")) {
            answer(exchange, "sts:" + action, form.get("RoleArn"), ".xml");
        } else {
            String stack = "arn:aws:cloudformation:eu-central-1:123456789012:stack/" + form.get("StackName") + "/0";
            answer(exchange, "cloudformation:" + action, stack, ".xml");
        }
    }

    private void answer(HttpExchange exchange, String action, String resource, String format) throws IOException {
        boolean allowed = role.allows(action, resource);
        calls.put(action + " on " + resource, allowed);
        if (allowed) {
            send(exchange, 200, action.substring(action.indexOf(':') + 1) + format);
        } else {
            send(exchange, 403, "AccessDenied.xml");
        }
    }

    private static void send(HttpExchange exchange, int status, String resource) throws IOException {
        try (InputStream content = AccountStandIn.class.getResourceAsStream("account/" + resource)) {
            byte[] bytes = content.readAllBytes();
            exchange.getResponseHeaders()
                    .set("Content-Type", resource.endsWith(".json") ? "application/x-amz-json-1.1" : "text/xml");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private static Map<String, String> form(String body) {
        Map<String, String> form = new TreeMap<>();
        for (String pair : body.split("&")) {
            String[] words = pair.split("=", 2);
            form.put(words[0], words.length < 2 ? "" : URLDecoder.decode(words[1], StandardCharsets.UTF_8));
        }
        return form;
    }
}
