package dev.twinhost.rehearsal.authority;

import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.RuntimeSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/** The CA while it runs: it can be in trouble, and knows what it was asked. */
public final class RunningAuthority {
    static final String CONDUCT = "conduct.map";

    private static final String SOCKET = "haproxy.sock";
    private static final String WELL = "well";

    private final RuntimeSocket socket;
    private final Path log;

    /**
     * @param folder the CA's
     * @param log of its front
     */
    public RunningAuthority(Path folder, Path log) {
        socket = new RuntimeSocket("The CA", folder.resolve(SOCKET));
        this.log = log;
    }

    /** What the front begins with. */
    static String conduct() {
        return "authority " + WELL + "\n";
    }

    /** Refuses new orders, as for a name that it does not issue for. */
    public void refuse() {
        conduct("refusing");
    }

    /** Answers new orders with a rate limit, and with an hour after which to come back. */
    public void limit() {
        conduct("limiting");
    }

    /** Lets new orders wait for half a minute. */
    public void delay() {
        conduct("slow");
    }

    /** Answers nothing. */
    public void fail() {
        conduct("down");
    }

    public void mend() {
        if (Files.exists(socket.file())) {
            conduct(WELL);
        }
    }

    /** How many new orders have ended so far, however they were answered. */
    public long orders() {
        return requests("POST /order-plz ");
    }

    /** How many requests of any kind have. */
    public long requests() {
        return requests("");
    }

    private long requests(String which) {
        return Folders.read(log)
                .lines()
                .filter(line -> line.startsWith("request " + which))
                .count();
    }

    private void conduct(String word) {
        socket.demand("set map /mnt/" + CONDUCT + " authority " + word, "");
    }
}
