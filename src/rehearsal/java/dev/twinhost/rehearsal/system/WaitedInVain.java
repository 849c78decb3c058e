package dev.twinhost.rehearsal.system;

/** A limit has passed. */
public final class WaitedInVain extends Failure {
    public WaitedInVain(String what, long seconds) {
        super("Waited " + seconds + " s in vain for " + what + ".");
    }
}
