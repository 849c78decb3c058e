package dev.twinhost.rehearsal.release;

/** How a release ended, as a machine has told the deploy that waits for it. */
public record Answer(boolean success, String reason, String uniqueId) {
    /** What CloudFormation makes of it. */
    public String text() {
        return success
                ? "The deploy would succeed: " + reason
                : "The deploy would fail: WaitCondition received failed message: '" + reason + "' for uniqueId: "
                        + uniqueId;
    }
}
