package dev.twinhost.rehearsal.aws;

import java.nio.charset.StandardCharsets;

/** An answer over HTTP. */
record Answer(int status, String contentType, byte[] body) {
    static Answer text(int status, String contentType, String body) {
        return new Answer(status, contentType, body.getBytes(StandardCharsets.UTF_8));
    }

    static Answer plain(int status, String body) {
        return text(status, "text/plain", body);
    }
}
