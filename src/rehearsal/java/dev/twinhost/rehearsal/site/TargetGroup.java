package dev.twinhost.rehearsal.site;

/**
 * A target group of the balancer.
 *
 * @param keepsClientAddress whether targets see the visitor's address
 * @param endsUnhealthyConnections whether connections of a target that turns unhealthy are cut
 * @param drainingSeconds how long a target that turned unhealthy is reported as draining
 * @param deregistrationDelay seconds for which a target that leaves keeps its connections
 * @param endsDeregisteredConnections whether they are cut after that
 */
public record TargetGroup(
        String arn,
        String name,
        int port,
        HealthCheck check,
        boolean keepsClientAddress,
        boolean endsUnhealthyConnections,
        int drainingSeconds,
        int deregistrationDelay,
        boolean endsDeregisteredConnections) {}
