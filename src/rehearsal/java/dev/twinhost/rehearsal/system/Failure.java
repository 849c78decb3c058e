package dev.twinhost.rehearsal.system;

/** What could not be done and what to do about it, for the person who typed the command: printed without a stack trace. */
public class Failure extends RuntimeException {
    public Failure(String message) {
        super(message);
    }

    public Failure(String message, Throwable cause) {
        super(message, cause);
    }
}
