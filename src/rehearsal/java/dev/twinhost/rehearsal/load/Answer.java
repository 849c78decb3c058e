package dev.twinhost.rehearsal.load;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A whole answer over HTTP/1.1; what is cut off is none. */
record Answer(int status, String body) {
    private static final String END_OF_HEAD = "\r\n\r\n";
    private static final Pattern STATUS = Pattern.compile("^HTTP/1\\.1 (\\d{3})[ \r]");
    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length: *(\\d+)\\s*$");
    private static final Pattern CONTAINER = Pattern.compile("(?m)^served-by: (\\S+)$");

    static Answer read(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        byte[] buffer = new byte[8 * 1024];
        while (!complete(text)) {
            int count = in.read(buffer);
            if (count < 0) {
                throw new EOFException(text.isEmpty() ? "none" : "cut off");
            }
            text.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
        }
        Matcher status = STATUS.matcher(text);
        if (!status.find()) {
            throw new IOException("not HTTP");
        }
        return new Answer(Integer.parseInt(status.group(1)), text.substring(text.indexOf(END_OF_HEAD) + 4));
    }

    boolean success() {
        return status >= 200 && status < 300;
    }

    /** Which container answered, as the default page's /whoami says; empty where it does not. */
    String container() {
        Matcher served = CONTAINER.matcher(body);
        return served.find() ? served.group(1) : "";
    }

    /** By its length where it has one, else by the last chunk. */
    private static boolean complete(StringBuilder text) {
        int end = text.indexOf(END_OF_HEAD);
        if (end < 0) {
            return false;
        }
        Matcher length = LENGTH.matcher(text.substring(0, end));
        int got = text.length() - end - END_OF_HEAD.length();
        return length.find()
                ? got >= Integer.parseInt(length.group(1))
                : text.substring(end).endsWith("\r\n0" + END_OF_HEAD);
    }
}
