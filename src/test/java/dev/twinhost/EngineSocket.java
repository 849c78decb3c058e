package dev.twinhost;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The socket of the engine of a machine of the tests: answers from files below {@code engine/}, one for each method and
 * path. It is served until the folder of the test is gone.
 */
final class EngineSocket {
    private static final String PREFIX = "/v1.44";
    private static final long LOOK_MILLIS = 500;
    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "engine of a test");
        thread.setDaemon(true);
        return thread;
    });

    private final Shell shell;
    private final Path socket;

    private EngineSocket(Shell shell) {
        this.shell = shell;
        this.socket = shell.path("run/docker.sock");
    }

    static void serve(Shell shell) {
        EngineSocket engine = new EngineSocket(shell);
        try {
            Files.createDirectories(engine.socket.getParent());
            Files.createDirectories(shell.path("engine"));
            Files.deleteIfExists(engine.socket);
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            server.bind(UnixDomainSocketAddress.of(engine.socket));
            server.configureBlocking(false);
            THREADS.execute(() -> engine.accept(server));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept(ServerSocketChannel server) {
        try (server;
                Selector selector = Selector.open()) {
            server.register(selector, SelectionKey.OP_ACCEPT);
            while (Files.exists(socket)) {
                selector.select(LOOK_MILLIS);
                selector.selectedKeys().clear();
                SocketChannel client = server.accept();
                if (client != null) {
                    THREADS.execute(() -> answer(client));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void answer(SocketChannel client) {
        try (client;
                InputStream in = Channels.newInputStream(client);
                OutputStream out = Channels.newOutputStream(client)) {
            List<String> head = head(in);
            String[] request = head.get(0).split(" ");
            byte[] body = in.readNBytes(Integer.parseInt(header(head, "Content-Length", "0")));
            out.write(answer(
                    request[0], request[1].substring(PREFIX.length()), header(head, "X-Registry-Auth", ""), body));
        } catch (IOException e) {
            // who called has gone; the test says what it misses
            Thread.currentThread().interrupt();
        }
    }

    /** The whole answer; nothing where the test wants the connection to break. */
    private byte[] answer(String method, String target, String login, byte[] body) throws IOException {
        note("engine " + method + " " + target);
        String path = target.split("\\?")[0];
        String name = "engine/" + method + path.replace('/', '_');
        if (body.length > 0) {
            Files.write(shell.path(name + ".body"), body);
        }
        Files.writeString(shell.path(name + ".headers"), login.isEmpty() ? "" : "X-Registry-Auth: " + login + "\n");
        Path file = shell.path(name);
        if (shell.exists(name + ".then")) {
            Shell.Result then = shell.bash(
                    "target='" + target + "'\nname=" + file + "\n. \"$name.then\" >&2\nprintf '\\n%s' \"$name\"");
            if (then.status() != 0) {
                return new byte[0];
            }
            file = Path.of(then.lastLine());
        }
        if (Files.exists(file)) {
            return response("200 OK", Files.readAllBytes(file));
        }
        Path refusal = Path.of(file + ".refusal");
        String message =
                Files.exists(refusal) ? Files.readString(refusal) : "nothing is known of " + method + " " + path;
        String status = message.startsWith("no such") ? "404 Not Found" : "500 Internal Server Error";
        return response(status, ("{\"message\":\"" + message + "\"}").getBytes(StandardCharsets.UTF_8));
    }

    private void note(String line) throws IOException {
        Files.writeString(shell.path("commands"), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static byte[] response(String status, byte[] body) {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        answer.writeBytes(
                ("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + body.length + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        answer.writeBytes(body);
        return answer.toByteArray();
    }

    /** The request line and the headers. */
    private static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (int character = in.read(); character >= 0; character = in.read()) {
            if (character == '\n') {
                if (line.isEmpty()) {
                    return lines;
                }
                lines.add(line.toString());
                line.setLength(0);
            } else if (character != '\r') {
                line.append((char) character);
            }
        }
        throw new IOException("a request without an end");
    }

    private static String header(List<String> head, String name, String otherwise) {
        return head.stream()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse(otherwise);
    }
}
