package dev.twinhost;

import java.util.List;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.elasticloadbalancingv2.BaseNetworkListenerProps;
import software.amazon.awscdk.services.elasticloadbalancingv2.HealthCheck;
import software.amazon.awscdk.services.elasticloadbalancingv2.INetworkLoadBalancerTarget;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkListener;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkLoadBalancer;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkTargetGroup;
import software.amazon.awscdk.services.elasticloadbalancingv2.Protocol;
import software.amazon.awscdk.services.elasticloadbalancingv2.TargetType;
import software.constructs.Construct;
import software.constructs.IDependable;

/**
 * The network load balancer in front of the hosts: TCP 80 and 443, each with its own target group of instances.
 *
 * <p>It hands on what it takes, TLS and the client's address included. A host that dies is out of it after
 * {@link #FALL} checks, {@code FALL × (INTERVAL + TIMEOUT)} = 14 s; AWS's defaults would take 40 s. A host that only
 * looks unhealthy keeps the connections that it has.
 */
final class EdgeLoadBalancer extends Construct {
    /** Seconds from one health check to the next; the least that a network load balancer takes. */
    static final int INTERVAL = 5;
    /** Seconds after which an unanswered check has failed. */
    static final int TIMEOUT = 2;
    /** Checks in a row that make a host healthy. */
    static final int RISE = 2;
    /** Failed checks in a row that make a host unhealthy. */
    static final int FALL = 2;

    private static final int DRAIN_SECONDS = 60;

    private final NetworkLoadBalancer balancer;
    private final NetworkTargetGroup http;
    private final NetworkTargetGroup https;
    private final List<NetworkListener> listeners;

    EdgeLoadBalancer(Construct scope, String id, Network network) {
        super(scope, id);
        balancer = NetworkLoadBalancer.Builder.create(this, "Balancer")
                .vpc(network.vpc())
                .vpcSubnets(network.balancerSubnets())
                .internetFacing(true)
                // With one host per zone, a dead host would otherwise empty its zone until DNS drops it.
                .crossZoneEnabled(true)
                .securityGroups(List.of(network.groups().balancer()))
                .build();
        http = createTargetGroup("HttpTargets", network, 80);
        https = createTargetGroup("HttpsTargets", network, 443);
        listeners = List.of(createListener("Http", 80, http), createListener("Https", 443, https));
    }

    private NetworkTargetGroup createTargetGroup(String id, Network network, int port) {
        NetworkTargetGroup group = NetworkTargetGroup.Builder.create(this, id)
                .vpc(network.vpc())
                .targetType(TargetType.INSTANCE)
                .protocol(Protocol.TCP)
                .port(port)
                .preserveClientIp(true)
                .deregistrationDelay(Duration.seconds(DRAIN_SECONDS))
                .connectionTermination(false)
                .healthCheck(createHealthCheck())
                .build();
        group.setAttribute("target_health_state.unhealthy.connection_termination.enabled", "false");
        group.setAttribute("target_health_state.unhealthy.draining_interval_seconds", String.valueOf(DRAIN_SECONDS));
        return group;
    }

    /** The same for both groups: a host serves both ports or none. */
    private static HealthCheck createHealthCheck() {
        return HealthCheck.builder()
                .protocol(Protocol.HTTP)
                .port("80")
                .path("/healthz")
                .healthyHttpCodes("200")
                .interval(Duration.seconds(INTERVAL))
                .timeout(Duration.seconds(TIMEOUT))
                .healthyThresholdCount(RISE)
                .unhealthyThresholdCount(FALL)
                .build();
    }

    private NetworkListener createListener(String id, int port, NetworkTargetGroup targets) {
        return balancer.addListener(
                id,
                BaseNetworkListenerProps.builder()
                        .port(port)
                        .protocol(Protocol.TCP)
                        .defaultTargetGroups(List.of(targets))
                        .build());
    }

    void addTarget(INetworkLoadBalancerTarget target) {
        http.addTarget(target);
        https.addTarget(target);
    }

    /** Seconds for which a host that leaves goes on serving: until the balancer is sure to have noticed, and 2 more. */
    static int lameDuckSeconds() {
        return FALL * (INTERVAL + TIMEOUT) + 2;
    }

    /** Seconds from one host's edge to the next in an update: until the balancer trusts the first, and 1 more. */
    static int edgeUpdateDelaySeconds() {
        return RISE * (INTERVAL + TIMEOUT) + 1;
    }

    NetworkLoadBalancer balancer() {
        return balancer;
    }

    List<String> targetGroupArns() {
        return List.of(http.getTargetGroupArn(), https.getTargetGroupArn());
    }

    /** What has to be there before a host can become healthy: a target group without a listener checks nothing. */
    List<? extends IDependable> listeners() {
        return listeners;
    }
}
