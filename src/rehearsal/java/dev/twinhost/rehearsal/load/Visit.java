package dev.twinhost.rehearsal.load;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One GET over a TLS connection of its own: name, connection, handshake, answer, within one limit for all of it. It is
 * never tried again, and it has failed unless the whole answer came and its status is one of success.
 */
final class Visit {
    static final Duration LIMIT = Duration.ofSeconds(5);

    private static final int HTTPS = 443;

    private final URI url;
    private final Trust trust;
    private final long planned;
    private final Consumer<RequestLine> record;
    private final long start = System.nanoTime();
    private final AtomicBoolean settled = new AtomicBoolean();
    private final Socket socket = new Socket();
    private volatile String step = "name";
    private volatile int ownPort;

    /** Every visit gives exactly one request to be written down. */
    Visit(URI url, Trust trust, long planned, Consumer<RequestLine> record) {
        this.url = url;
        this.trust = trust;
        this.planned = planned;
        this.record = record;
    }

    void run(ScheduledExecutorService clock) {
        ScheduledFuture<?> end = clock.schedule(this::giveUp, LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        try (socket) {
            visit();
        } catch (IOException | RuntimeException e) {
            settle("", step + ": " + reason(e));
        } finally {
            end.cancel(false);
        }
    }

    void giveUp() {
        settle("", tooLate());
        try {
            // Ends the connection on both sides of the balancer, which else would keep it as half of one.
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException closedAnyway) {
            return;
        }
    }

    private void visit() throws IOException {
        int port = url.getPort() < 0 ? HTTPS : url.getPort();
        InetAddress address = InetAddress.getByName(url.getHost());
        step = "connection";
        // Else the request would wait for the acknowledgement of the handshake, 40 ms.
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(address, port));
        ownPort = socket.getLocalPort();
        step = "handshake";
        try (SSLSocket tls =
                (SSLSocket) trust.fresh().getSocketFactory().createSocket(socket, url.getHost(), port, true)) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            step = "answer";
            tls.getOutputStream()
                    .write(("GET " + url.getRawPath() + " HTTP/1.1\r\nHost: " + url.getHost()
                                    + "\r\nUser-Agent: twinhost-rehearsal\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            Answer answer = Answer.read(tls.getInputStream());
            // Closing the connection is no part of it.
            if (answer.success()) {
                settle(answer.container(), "");
            } else {
                settle("", step + ": status " + answer.status());
            }
        }
    }

    private static String reason(Exception e) {
        if (e instanceof UnknownHostException) {
            return "not found";
        }
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return e instanceof ConnectException ? message.replaceFirst(" \\(.*", "") : message;
    }

    private void settle(String container, String error) {
        if (settled.compareAndSet(false, true)) {
            long took = System.nanoTime() - start;
            // On a busy machine the clock that ends a visit may be late.
            String why = error.isEmpty() && took > LIMIT.toNanos() ? tooLate() : error;
            record.accept(new RequestLine(start, took, Math.max(0, start - planned), ownPort, container, why));
        }
    }

    private String tooLate() {
        return step + ": not within " + LIMIT.toSeconds() + " s";
    }
}
