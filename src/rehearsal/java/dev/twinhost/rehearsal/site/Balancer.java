package dev.twinhost.rehearsal.site;

import java.util.List;

/** The network load balancer: its DNS name, the subnets that it has an address in, who may reach it and what it passes on. */
public record Balancer(String dnsName, List<Subnet> subnets, List<String> securityGroups, List<Listener> listeners) {
    public List<TargetGroup> targetGroups() {
        return listeners.stream().map(Listener::group).distinct().toList();
    }
}
