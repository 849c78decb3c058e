package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the network load balancer, its listeners and target groups, with AWS's defaults for what is not written. */
final class BalancerReader {
    private static final String CROSS_ZONE = "load_balancing.cross_zone.enabled";

    private final Template template;
    private final Intrinsics intrinsics;

    BalancerReader(Template template, Intrinsics intrinsics) {
        this.template = template;
        this.intrinsics = intrinsics;
    }

    Balancer balancer(Vpc vpc) {
        Resource resource = template.only("AWS::ElasticLoadBalancingV2::LoadBalancer");
        Properties balancer = new Properties(intrinsics, resource);
        balancer.oneOf("Type", "application", "network");
        balancer.oneOf("Scheme", "internet-facing", "internet-facing");
        balancer.oneOf("IpAddressType", "ipv4", "ipv4");
        balancer.leave("Name", "Tags");
        boolean crossZone = false;
        for (Properties attribute : balancer.objects("LoadBalancerAttributes")) {
            attribute(
                    attribute,
                    Map.of(
                            CROSS_ZONE,
                            "true",
                            "deletion_protection.enabled",
                            "*",
                            "access_logs.s3.enabled",
                            "false",
                            "dns_record.client_routing_policy",
                            "any_availability_zone"));
            crossZone |= attribute.text("Key").equals(CROSS_ZONE);
        }
        if (!crossZone) {
            throw balancer.unplayable("a missing " + CROSS_ZONE + ", which is false then; it plays true");
        }
        List<Subnet> subnets =
                balancer.texts("Subnets").stream().map(vpc::subnet).toList();
        List<String> groups = balancer.texts("SecurityGroups");
        if (groups.isEmpty()) {
            throw balancer.unplayable("a balancer without SecurityGroups");
        }
        balancer.end();
        String dnsName = intrinsics.attributeOf(resource, "DNSName");
        return new Balancer(dnsName, subnets, groups, listeners());
    }

    private List<Listener> listeners() {
        Map<String, TargetGroup> groups = targetGroups();
        List<Listener> listeners = new ArrayList<>();
        for (Resource resource : template.ofType("AWS::ElasticLoadBalancingV2::Listener")) {
            Properties listener = new Properties(intrinsics, resource);
            listener.oneOf("Protocol", "", "TCP");
            List<Properties> actions = listener.objects("DefaultActions");
            if (actions.size() != 1) {
                throw listener.unplayable(actions.size() + " DefaultActions; it plays one that forwards");
            }
            Properties action = actions.get(0);
            action.oneOf("Type", "", "forward");
            TargetGroup group = groups.get(action.text("TargetGroupArn"));
            action.end();
            int idle = 350;
            for (Properties attribute : listener.objects("ListenerAttributes")) {
                attribute.oneOf("Key", "", "tcp.idle_timeout.seconds");
                idle = attribute.number("Value", idle);
            }
            listeners.add(new Listener(listener.number("Port", 0), group, idle));
            listener.leave("LoadBalancerArn", "Tags");
            listener.end();
        }
        return listeners;
    }

    private Map<String, TargetGroup> targetGroups() {
        Map<String, TargetGroup> groups = new LinkedHashMap<>();
        for (Resource resource : template.ofType("AWS::ElasticLoadBalancingV2::TargetGroup")) {
            TargetGroup group = targetGroup(resource);
            groups.put(group.arn(), group);
        }
        return groups;
    }

    private TargetGroup targetGroup(Resource resource) {
        Properties group = new Properties(intrinsics, resource);
        group.oneOf("Protocol", "", "TCP");
        group.oneOf("TargetType", "instance", "instance");
        group.oneOf("IpAddressType", "ipv4", "ipv4");
        group.leave("Name", "Tags", "VpcId");
        int port = group.number("Port", 0);
        HealthCheck check = healthCheck(group, port);
        if (group.has("Targets")) {
            throw group.unplayable("Targets of its own; it plays those of auto scaling groups");
        }
        Map<String, String> attributes = new LinkedHashMap<>();
        for (Properties attribute : group.objects("TargetGroupAttributes")) {
            String value = attribute(
                    attribute,
                    Map.of(
                            "deregistration_delay.timeout_seconds",
                            "*",
                            "deregistration_delay.connection_termination.enabled",
                            "*",
                            "target_health_state.unhealthy.connection_termination.enabled",
                            "*",
                            "target_health_state.unhealthy.draining_interval_seconds",
                            "*",
                            "preserve_client_ip.enabled",
                            "*",
                            CROSS_ZONE,
                            "true",
                            "proxy_protocol_v2.enabled",
                            "false",
                            "stickiness.enabled",
                            "false"));
            attributes.put(attribute.text("Key"), value);
        }
        group.end();
        return new TargetGroup(
                intrinsics.idOf(resource),
                resource.id(),
                port,
                check,
                flag(attributes, "preserve_client_ip.enabled", true),
                flag(attributes, "target_health_state.unhealthy.connection_termination.enabled", true),
                number(attributes, "target_health_state.unhealthy.draining_interval_seconds", 0),
                number(attributes, "deregistration_delay.timeout_seconds", 300),
                flag(attributes, "deregistration_delay.connection_termination.enabled", false));
    }

    private static HealthCheck healthCheck(Properties group, int port) {
        group.oneOf("HealthCheckEnabled", "true", "true");
        String protocol = group.oneOf("HealthCheckProtocol", "TCP", "TCP", "HTTP");
        String checkPort = group.text("HealthCheckPort", "traffic-port");
        String path = group.text("HealthCheckPath", "/");
        Properties matcher = group.object("Matcher");
        String codes = matcher.text("HttpCode", "200-399");
        matcher.end();
        return new HealthCheck(
                protocol,
                checkPort.equals("traffic-port") ? port : Integer.parseInt(checkPort),
                path,
                codes,
                group.number("HealthCheckIntervalSeconds", 30),
                group.number("HealthCheckTimeoutSeconds", protocol.equals("HTTP") ? 6 : 10),
                group.number("HealthyThresholdCount", 5),
                group.number("UnhealthyThresholdCount", 2));
    }

    /** The value of an attribute; played are those named, with the value named or, where that is a star, any. */
    private static String attribute(Properties attribute, Map<String, String> played) {
        String key = attribute.text("Key");
        String value = attribute.text("Value");
        String wanted = played.get(key);
        if (wanted == null) {
            throw attribute.unplayable("the attribute " + key);
        }
        if (!wanted.equals("*") && !wanted.equals(value)) {
            throw attribute.unplayable(key + " = " + value + "; it plays " + wanted);
        }
        attribute.end();
        return value;
    }

    private static boolean flag(Map<String, String> attributes, String key, boolean absent) {
        return Boolean.parseBoolean(attributes.getOrDefault(key, String.valueOf(absent)));
    }

    private static int number(Map<String, String> attributes, String key, int absent) {
        return Integer.parseInt(attributes.getOrDefault(key, String.valueOf(absent)));
    }
}
