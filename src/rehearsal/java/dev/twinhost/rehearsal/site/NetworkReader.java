package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.site.SecurityGroup.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Reads the VPC, its subnets with their routes, and the security groups. */
final class NetworkReader {
    private static final String ANYWHERE = "0.0.0.0/0";

    private final Template template;
    private final Intrinsics intrinsics;

    NetworkReader(Template template, Intrinsics intrinsics) {
        this.template = template;
        this.intrinsics = intrinsics;
    }

    Vpc vpc() {
        Properties vpc = properties(template.only("AWS::EC2::VPC"));
        Cidr cidr = Cidr.of(vpc.text("CidrBlock"));
        vpc.oneOf("EnableDnsSupport", "true", "true");
        vpc.leave("EnableDnsHostnames", "InstanceTenancy", "Tags");
        vpc.end();
        return new Vpc(cidr, subnets());
    }

    List<SecurityGroup> securityGroups() {
        List<SecurityGroup> groups = new ArrayList<>();
        for (Resource resource : template.ofType("AWS::EC2::SecurityGroup")) {
            String id = intrinsics.idOf(resource);
            Properties group = properties(resource);
            List<Rule> ingress = rules(group.objects("SecurityGroupIngress"), "CidrIp", "SourceSecurityGroupId");
            boolean egressWritten = group.has("SecurityGroupEgress");
            List<Rule> egress = rules(group.objects("SecurityGroupEgress"), "CidrIp", "DestinationSecurityGroupId");
            group.leave("GroupDescription", "GroupName", "Tags", "VpcId");
            group.end();
            ingress.addAll(rulesOf("AWS::EC2::SecurityGroupIngress", id, "SourceSecurityGroupId"));
            List<Rule> more = rulesOf("AWS::EC2::SecurityGroupEgress", id, "DestinationSecurityGroupId");
            egress.addAll(more);
            if (!egressWritten && more.isEmpty()) {
                egress.add(new Rule("all", -1, -1, ANYWHERE));
            }
            groups.add(new SecurityGroup(id, resource.id(), ingress, egress));
        }
        return groups;
    }

    private List<Subnet> subnets() {
        Map<String, String> routes = routes();
        Map<String, String> gateways = new HashMap<>();
        for (Resource resource : template.ofType("AWS::EC2::SubnetRouteTableAssociation")) {
            Properties association = properties(resource);
            gateways.put(association.text("SubnetId"), routes.get(association.text("RouteTableId")));
            association.end();
        }
        Set<String> internetGateways = internetGateways();
        Set<String> natGateways = natGateways(subnet -> internetGateways.contains(gateways.get(subnet)));
        List<Subnet> subnets = new ArrayList<>();
        for (Resource resource : template.ofType("AWS::EC2::Subnet")) {
            String id = intrinsics.idOf(resource);
            Properties subnet = properties(resource);
            String gateway = gateways.get(id);
            subnets.add(new Subnet(
                    id,
                    Cidr.of(subnet.text("CidrBlock")),
                    subnet.text("AvailabilityZone"),
                    internetGateways.contains(gateway),
                    natGateways.contains(gateway),
                    subnet.flag("MapPublicIpOnLaunch", false)));
            subnet.leave("Tags", "VpcId");
            subnet.end();
        }
        return subnets;
    }

    /** The gateway to which the default route of each table leads. */
    private Map<String, String> routes() {
        Map<String, String> gateways = new HashMap<>();
        for (Resource resource : template.ofType("AWS::EC2::Route")) {
            Properties route = properties(resource);
            route.oneOf("DestinationCidrBlock", "", ANYWHERE);
            String gateway = route.has("GatewayId") ? "GatewayId" : "NatGatewayId";
            gateways.put(route.text("RouteTableId"), route.text(gateway));
            route.end();
        }
        return gateways;
    }

    private Set<String> internetGateways() {
        Set<String> attached = new HashSet<>();
        for (Resource resource : template.ofType("AWS::EC2::VPCGatewayAttachment")) {
            Properties attachment = properties(resource);
            attached.add(attachment.text("InternetGatewayId"));
            attachment.leave("VpcId");
            attachment.end();
        }
        return attached;
    }

    /** Those that stand where they reach the internet themselves; one without an address could not be made. */
    private Set<String> natGateways(Predicate<String> routed) {
        Set<String> gateways = new HashSet<>();
        for (Resource resource : template.ofType("AWS::EC2::NatGateway")) {
            Properties gateway = properties(resource);
            gateway.oneOf("ConnectivityType", "public", "public");
            if (routed.test(gateway.text("SubnetId"))) {
                gateways.add(intrinsics.idOf(resource));
            }
            gateway.leave("AllocationId", "Tags");
            gateway.end();
        }
        return gateways;
    }

    private List<Rule> rulesOf(String type, String group, String peer) {
        List<Rule> rules = new ArrayList<>();
        for (Resource resource : template.ofType(type)) {
            Properties rule = properties(resource);
            if (rule.text("GroupId").equals(group)) {
                rule(rule, "CidrIp", peer).ifPresent(rules::add);
            }
        }
        return rules;
    }

    private static List<Rule> rules(List<Properties> written, String range, String group) {
        List<Rule> rules = new ArrayList<>();
        written.forEach(rule -> rule(rule, range, group).ifPresent(rules::add));
        return rules;
    }

    /** A permission, unless it is one for IPv6, which the rehearsal's network does not have. */
    private static Optional<Rule> rule(Properties rule, String range, String group) {
        String protocol = rule.oneOf("IpProtocol", "", "tcp", "udp", "icmp", "icmpv6", "-1");
        int from = rule.number("FromPort", -1);
        int to = rule.number("ToPort", -1);
        rule.leave("Description");
        if (protocol.equals("icmpv6") || rule.has("CidrIpv6")) {
            return Optional.empty();
        }
        Optional<String> peer = rule.optional(range).or(() -> rule.optional(group));
        rule.end();
        return Optional.of(new Rule(
                protocol.equals("-1") ? "all" : protocol,
                from,
                to,
                peer.orElseThrow(() -> rule.unplayable("a permission without " + range + " or " + group))));
    }

    private Properties properties(Resource resource) {
        return new Properties(intrinsics, resource);
    }
}
