package dev.twinhost.rehearsal.load;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsServer;
import dev.twinhost.Needs;
import dev.twinhost.rehearsal.system.Command;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs("openssl")
class LoadGeneratorTest {
    @TempDir
    private static Path folder;

    private final CountDownLatch end = new CountDownLatch(1);
    private HttpsServer server;

    @BeforeAll
    static void sign() {
        Command.of(
                        "sh",
                        "-c",
                        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
                                + " -addext subjectAltName=DNS:localhost -keyout key.pem -out ca.pem"
                                + " && openssl pkcs12 -export -inkey key.pem -in ca.pem -out key.p12 -passout pass:test")
                .in(folder)
                .run();
    }

    @BeforeEach
    void serve() throws Exception {
        server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 100);
        server.setHttpsConfigurator(new HttpsConfigurator(identity()));
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }

    @AfterEach
    void stop() {
        end.countDown();
        server.stop(0);
    }

    @Test
    void shouldTellWhichContainerHasAnswered() throws Exception {
        answer(200, "served-by: 0123456789ab\nhost: localhost\n");
        assertThat(load(20, 20, "/")).hasSize(20).allSatisfy(request -> {
            assertThat(request.error()).isEmpty();
            assertThat(request.container()).isEqualTo("0123456789ab");
            assertThat(request.port()).isPositive();
        });
    }

    @Test
    void shouldOpenAConnectionWithAHandshakeOfItsOwnForEachRequest() throws Exception {
        List<byte[]> ids = new CopyOnWriteArrayList<>();
        server.createContext("/", exchange -> {
            ids.add(((HttpsExchange) exchange).getSSLSession().getId());
            send(exchange, 200, "");
        });
        assertThat(load(20, 10, "/")).extracting(RequestLine::port).doesNotHaveDuplicates();
        assertThat(ids).hasSize(10).doesNotHaveDuplicates();
    }

    @Test
    void shouldKeepItsRateWhileNothingIsAnswered() throws Exception {
        server.createContext("/", exchange -> await(end));
        List<RequestLine> requests = load(20, 40, "/");
        assertThat(requests).hasSize(40).allSatisfy(request -> {
            assertThat(request.error()).isEqualTo("answer: not within 5 s");
            assertThat(request.took()).isBetween(4_900_000_000L, 6_000_000_000L);
        });
        long first = requests.stream().mapToLong(RequestLine::start).min().orElseThrow();
        long last = requests.stream().mapToLong(RequestLine::start).max().orElseThrow();
        assertThat(last - first).isBetween(1_900_000_000L, 3_000_000_000L);
    }

    @Test
    void shouldCallAnErrorOfTheServerAFailure() throws Exception {
        answer(502, "served-by: nobody\n");
        assertThat(load(20, 1, "/")).extracting(RequestLine::error).containsExactly("answer: status 502");
    }

    @Test
    void shouldCallAnAnswerThatIsCutOffAFailure() throws Exception {
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write(new byte[10]);
            exchange.getResponseBody().flush();
            exchange.close();
        });
        assertThat(load(20, 1, "/")).extracting(RequestLine::error).containsExactly("answer: cut off");
    }

    @Test
    void shouldCallARefusedConnectionAFailure() throws Exception {
        int port = server.getAddress().getPort();
        server.stop(0);
        assertThat(load(20, 1, "https://localhost:" + port + "/", "ca.pem"))
                .extracting(RequestLine::error)
                .containsExactly("connection: Connection refused");
        serve();
    }

    @Test
    void shouldCallANameThatIsNotThereAFailure() throws Exception {
        assertThat(load(20, 1, "https://www.example.invalid/", "ca.pem"))
                .extracting(RequestLine::error)
                .containsExactly("name: not found");
    }

    @Test
    void shouldTakeNoCertificateOfAnotherAuthority() throws Exception {
        answer(200, "");
        Command.of(
                        "sh",
                        "-c",
                        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
                                + " -subj /CN=other -keyout other-key.pem -out other.pem")
                .in(folder)
                .run();
        assertThat(load(20, 1, url("/"), "other.pem"))
                .extracting(RequestLine::error)
                .allSatisfy(error -> assertThat(error).startsWith("handshake: PKIX path building failed"));
    }

    @Test
    void shouldTakeNoCertificateOfAnotherName() throws Exception {
        answer(200, "");
        assertThat(load(20, 1, "https://127.0.0.1:" + server.getAddress().getPort() + "/", "ca.pem"))
                .extracting(RequestLine::error)
                .allSatisfy(error -> assertThat(error).startsWith("handshake: No subject alternative names matching"));
    }

    private void answer(int status, String body) {
        server.createContext("/", exchange -> send(exchange, status, body));
    }

    private String url(String path) {
        return "https://localhost:" + server.getAddress().getPort() + path;
    }

    private List<RequestLine> load(int rate, int requests, String path) throws Exception {
        return load(rate, requests, url(path), "ca.pem");
    }

    private static List<RequestLine> load(int rate, int requests, String url, String authority) throws Exception {
        StringWriter lines = new StringWriter();
        new LoadGenerator(URI.create(url), Trust.of(folder.resolve(authority)), rate, requests, new PrintWriter(lines))
                .run();
        return lines.toString().lines().map(RequestLine::of).toList();
    }

    private static SSLContext identity() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve("key.p12"))) {
            store.load(in, "test".toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, "test".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        exchange.sendResponseHeaders(status, body.length());
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body.getBytes(StandardCharsets.US_ASCII));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
