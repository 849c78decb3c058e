package dev.twinhost.rehearsal.site;

/** A TCP port of the balancer. The idle timeout is in seconds. */
public record Listener(int port, TargetGroup group, int idleTimeout) {}
