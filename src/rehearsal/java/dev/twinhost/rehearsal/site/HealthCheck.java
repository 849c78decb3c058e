package dev.twinhost.rehearsal.site;

/** How a target group finds out whether a target may be given visitors. Times are in seconds. */
public record HealthCheck(
        String protocol, int port, String path, String codes, int interval, int timeout, int rise, int fall) {
    public boolean http() {
        return protocol.equals("HTTP");
    }
}
