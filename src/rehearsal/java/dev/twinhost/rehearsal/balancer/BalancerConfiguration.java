package dev.twinhost.rehearsal.balancer;

import dev.twinhost.rehearsal.site.Balancer;
import dev.twinhost.rehearsal.site.HealthCheck;
import dev.twinhost.rehearsal.site.Listener;
import dev.twinhost.rehearsal.site.TargetGroup;
import java.util.ArrayList;
import java.util.List;

/**
 * HAProxy as the network load balancer. Each target group is two backends: one with its checked targets, and one with
 * the same targets unchecked, which serves while no target is healthy, because a network load balancer fails open then.
 * Targets come and go through the runtime socket.
 */
public final class BalancerConfiguration {
    static final String SOCKET = "haproxy.sock";

    private final Balancer balancer;
    private final List<String> addresses;

    public BalancerConfiguration(Balancer balancer, List<String> addresses) {
        this.balancer = balancer;
        this.addresses = addresses;
    }

    public String text() {
        List<String> lines = new ArrayList<>();
        for (Listener listener : balancer.listeners()) {
            String name = backend(listener.group());
            lines.addAll(List.of("", "frontend port-" + listener.port()));
            addresses.forEach(address -> lines.add("  bind " + address + ":" + listener.port()));
            lines.addAll(List.of(
                    "  timeout client " + listener.idleTimeout() + "s",
                    "  use_backend " + open(name) + " if { nbsrv(" + name + ") eq 0 }",
                    "  default_backend " + name));
        }
        balancer.targetGroups().forEach(group -> {
            int idle = balancer.listeners().stream()
                    .filter(listener -> listener.group().equals(group))
                    .mapToInt(Listener::idleTimeout)
                    .max()
                    .orElseThrow();
            HealthCheck check = group.check();
            lines.addAll(List.of(
                    "",
                    "backend " + backend(group),
                    "  timeout server " + idle + "s",
                    // HAProxy has one limit for connecting, of checks and of visitors alike.
                    "  timeout connect " + check.timeout() + "s",
                    "  timeout check " + check.timeout() + "s"));
            if (check.http()) {
                lines.addAll(List.of(
                        "  option httpchk",
                        "  http-check send meth GET uri " + check.path()
                                + " ver HTTP/1.1 hdr Host target hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close",
                        "  http-check expect status " + check.codes()));
            }
            lines.addAll(List.of(
                    "", "backend " + open(backend(group)), "  timeout server " + idle + "s", "  timeout connect 60s"));
        });
        lines.add("");
        return String.join("\n", lines);
    }

    /** The arguments of {@code add server} for a target in the checked backend. */
    static String checked(TargetGroup group, String address) {
        HealthCheck check = group.check();
        int interval = check.interval() * 1000;
        return address + ":" + group.port() + " check port " + check.port() + " inter " + interval + " fastinter "
                + interval + " downinter " + interval + " rise " + check.rise() + " fall " + check.fall()
                + " init-state down" + source(group)
                + (group.endsUnhealthyConnections() ? " on-marked-down shutdown-sessions" : "");
    }

    /** The same for the backend that serves while no target is healthy. */
    static String unchecked(TargetGroup group, String address) {
        return address + ":" + group.port() + source(group);
    }

    static String backend(TargetGroup group) {
        return group.name();
    }

    static String open(String backend) {
        return backend + "-open";
    }

    private static String source(TargetGroup group) {
        return group.keepsClientAddress() ? " source 0.0.0.0 usesrc clientip" : "";
    }
}
