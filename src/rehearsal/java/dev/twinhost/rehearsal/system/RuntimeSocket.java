package dev.twinhost.rehearsal.system;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The runtime socket of a HAProxy.
 *
 * @param who what messages call it
 */
public record RuntimeSocket(String who, Path file) {
    private static final int BUFFER = 16 * 1024;

    public boolean answers() {
        return Files.exists(file) && ask("show info").contains("Uptime");
    }

    /** Fails where the answer is another one. */
    public void demand(String command, String wanted) {
        String answer = ask(command).strip();
        if (!answer.equals(wanted)) {
            throw new Failure(who + " refuses \"" + command + "\": " + answer);
        }
    }

    public String ask(String command) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(file));
            channel.write(ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.UTF_8)));
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
            while (channel.read(buffer) >= 0) {
                answer.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
            return answer.toString(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new Failure(who + " does not answer at " + file + ": " + e.getMessage(), e);
        }
    }
}
