package dev.twinhost.rehearsal.aws;

/** What IAM says to a call; where it is no, why, as the end of its message. */
public record Verdict(boolean allowed, String why) {
    static Verdict denied(String why) {
        return new Verdict(false, why);
    }
}
