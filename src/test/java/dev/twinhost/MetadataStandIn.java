package dev.twinhost;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The metadata service of the machines of the tests: answers from files below {@code metadata/}, to who brings the token. */
final class MetadataStandIn {
    private static final String TOKEN = "a-token";
    private static final Map<String, Path> MACHINES = new ConcurrentHashMap<>();
    private static final HttpServer SERVER = start();

    private MetadataStandIn() {}

    /** Gives a machine its service, and lets the machine know where it is. */
    static void serve(Shell shell) {
        String machine = Integer.toHexString(System.identityHashCode(shell)) + '-' + MACHINES.size();
        MACHINES.put(machine, shell.path("metadata"));
        shell.with(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                "http://127.0.0.1:" + SERVER.getAddress().getPort() + '/' + machine);
    }

    private static HttpServer start() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", MetadataStandIn::answer);
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void answer(HttpExchange call) throws IOException {
        try (call) {
            String[] path = call.getRequestURI().getPath().split("/", 5);
            boolean asksForToken =
                    path[3].equals("api") && call.getRequestMethod().equals("PUT");
            Path file = MACHINES.get(path[1]).resolve(path[4].replace('/', '_'));
            boolean known = TOKEN.equals(call.getRequestHeaders().getFirst("X-aws-ec2-metadata-token"));
            if (asksForToken) {
                send(call, 200, TOKEN);
            } else if (!known) {
                send(call, 401, "");
            } else if (Files.exists(file)) {
                send(call, 200, Files.readString(file));
            } else {
                send(call, 404, "");
            }
        }
    }

    private static void send(HttpExchange call, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        call.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        call.getResponseBody().write(body);
    }
}
