package dev.twinhost.rehearsal.balancer;

/** The health of a target in the words of Elastic Load Balancing. */
public record TargetHealth(String instanceId, int port, String state, String reason, String description) {
    public boolean healthy() {
        return state.equals("healthy");
    }
}
