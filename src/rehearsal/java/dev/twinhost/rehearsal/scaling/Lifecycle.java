package dev.twinhost.rehearsal.scaling;

/** Where a machine is on its way through its auto scaling group, in the words of EC2 Auto Scaling. */
public enum Lifecycle {
    PENDING("Pending"),
    IN_SERVICE("InService"),
    TERMINATING("Terminating"),
    TERMINATING_WAIT("Terminating:Wait"),
    TERMINATING_PROCEED("Terminating:Proceed");

    private final String word;

    Lifecycle(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }

    /** Whether it counts as a machine of its group: one that is to end does not, from the first moment on. */
    boolean counts() {
        return this == PENDING || this == IN_SERVICE;
    }
}
