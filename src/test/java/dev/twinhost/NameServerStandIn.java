package dev.twinhost;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The DNS as a resolver sees it, for NS and CAA records alone. A name without any record does not exist; one whose records are
 * {@link #FAILING} gets SERVFAIL.
 */
// https://www.rfc-editor.org/rfc/rfc1035#section-4, https://www.rfc-editor.org/rfc/rfc8659#section-4.1
final class NameServerStandIn implements AutoCloseable {
    static final List<String> FAILING = List.of();

    private static final Map<Integer, String> TYPES = Map.of(2, "NS", 257, "CAA");
    private static final int HEADER = 12;
    private static final int ANSWER = 0x8180;
    private static final int SERVFAIL = 2;
    private static final int NXDOMAIN = 3;

    private final DatagramSocket socket;
    private final Map<String, List<String>> records = new ConcurrentHashMap<>();

    NameServerStandIn() throws SocketException {
        socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        Thread server = new Thread(this::serve, "name server");
        server.setDaemon(true);
        server.start();
    }

    String address() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    /** @param question as {@code NS example.org}; CAA records are written as {@code 0 issue letsencrypt.org} */
    void put(String question, List<String> answers) {
        records.put(question, answers);
    }

    void remove(String question) {
        records.remove(question);
    }

    void clear() {
        records.clear();
    }

    @Override
    public void close() {
        socket.close();
    }

    private void serve() {
        byte[] buffer = new byte[512];
        while (!socket.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
                byte[] answer = answer(ByteBuffer.wrap(buffer, 0, packet.getLength()));
                socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            } catch (IOException e) {
                if (!socket.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private byte[] answer(ByteBuffer question) {
        StringBuilder name = new StringBuilder();
        int at = HEADER;
        for (int length = question.get(at); length > 0; length = question.get(at)) {
            name.append(name.isEmpty() ? "" : ".")
                    .append(new String(question.array(), at + 1, length, StandardCharsets.US_ASCII));
            at += length + 1;
        }
        String type = TYPES.get((int) question.getShort(at + 1));
        List<String> found = records.get(type + ' ' + name);
        int code = found == FAILING ? SERVFAIL : found == null && !exists(name.toString()) ? NXDOMAIN : 0;
        int end = at + 5;

        ByteBuffer answer = ByteBuffer.allocate(512);
        answer.putShort(question.getShort(0)).putShort((short) (ANSWER | code)).putShort((short) 1);
        answer.putShort((short) (found == null ? 0 : found.size()))
                .putShort((short) 0)
                .putShort((short) 0);
        answer.put(question.array(), HEADER, end - HEADER);
        for (String record : found == null ? List.<String>of() : found) {
            byte[] data = "NS".equals(type) ? labels(record) : caa(record.split(" ", 3));
            // The name of the question, its type and class, and a minute.
            answer.putShort((short) 0xc00c).put(question.array(), at + 1, 4).putInt(60);
            answer.putShort((short) data.length).put(data);
        }
        return Arrays.copyOf(answer.array(), answer.position());
    }

    private boolean exists(String name) {
        return records.keySet().stream().anyMatch(question -> question.endsWith(' ' + name));
    }

    private static byte[] labels(String name) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String label : name.split("\\.")) {
            bytes.write(label.length());
            bytes.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
        }
        bytes.write(0);
        return bytes.toByteArray();
    }

    private static byte[] caa(String[] words) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(Integer.parseInt(words[0]));
        bytes.write(words[1].length());
        bytes.writeBytes(words[1].getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(words[2].getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }
}
