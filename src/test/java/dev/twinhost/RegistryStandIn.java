package dev.twinhost;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Registries of images that want a token of everybody, as Docker Hub and Amazon's public one do, below one address by their
 * names. Does not prove: TLS, and the words of a real one.
 */
// https://distribution.github.io/distribution/spec/auth/token/
final class RegistryStandIn implements AutoCloseable {
    private final HttpServer server;
    private final Map<String, String> answers = new ConcurrentHashMap<>();

    RegistryStandIn() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /**
     * @param path as {@code registry-1.docker.io/v2/example/shop/manifests/1}
     * @param answer JSON, or the status of a refusal
     */
    void put(String path, String answer) {
        answers.put('/' + path, answer);
    }

    void clear() {
        answers.clear();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String query = exchange.getRequestURI().getRawQuery();
            if (path.endsWith("/token")) {
                send(exchange, 200, "{\"token\": \"" + query.hashCode() + "\"}");
                return;
            }
            String[] parts = path.split("/v2/|/manifests/|/blobs/");
            String host = parts[0].substring(1);
            String scope = "service=" + host + "&scope=repository%3A" + parts[1].replace("/", "%2F") + "%3Apull";
            String token = exchange.getRequestHeaders().getFirst("Authorization");
            String accepted = exchange.getRequestHeaders().getFirst("Accept");
            String answer = answers.getOrDefault(path, "404");
            if (answer.equals("login")) {
                exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"" + host + '"');
                send(exchange, 401, "{}");
            } else if (!("Bearer " + scope.hashCode()).equals(token)) {
                exchange.getResponseHeaders()
                        .set(
                                "WWW-Authenticate",
                                "Bearer realm=\"https://auth." + host + "/token\",service=\"" + host
                                        + "\",scope=\"repository:" + parts[1] + ":pull\"");
                send(exchange, 401, "{}");
            } else if (!accepted.contains("application/vnd.oci.image.index.v1+json")) {
                send(exchange, 404, "{}");
            } else if (answer.matches("\\d{3}")) {
                send(exchange, Integer.parseInt(answer), "{}");
            } else {
                send(exchange, 200, answer);
            }
        }
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
