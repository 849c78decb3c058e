package dev.twinhost.rehearsal.network;

import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.site.Balancer;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.SecurityGroup;
import dev.twinhost.rehearsal.site.SecurityGroup.Rule;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.Vpc;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The security groups as nftables rules. A security group is the set of the links of its members: since the balancer
 * keeps the visitor's address, an address alone does not tell who sends. Everything that no rule allows is dropped.
 */
final class Firewall {
    static final String METADATA = "169.254.169.254";
    static final String API = Place.API;

    /** Pairs of links between which nothing passes in this direction. */
    static final String CUT = "cut";
    /** Links from which nothing passes to another machine, whichever it is. */
    static final String MUTE = "mute";
    /** Links to which nothing passes from another machine. */
    static final String DEAF = "deaf";

    private static final String PAIRS = "  set %s { type ifname . ifname; }";
    private static final String SET = "  set %s { type ifname; }";
    private static final int FROM_BALANCER = 1;

    private final List<SecurityGroup> groups;
    private final Balancer balancer;
    private final Vpc vpc;
    private final Set<Integer> hopLimits;

    Firewall(Site site) {
        this(site.securityGroups(), site.balancer(), site.vpc(), site.machineGroups());
    }

    Firewall(List<SecurityGroup> groups, Balancer balancer, Vpc vpc, Collection<MachineGroup> machines) {
        this.groups = groups;
        this.balancer = balancer;
        this.vpc = vpc;
        this.hopLimits = machines.stream()
                .map(group -> group.launchTemplate().metadataHops())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** A registry is at the port that an image's reference names; its front listens on one. */
    static String ofInternet(String registry) {
        return String.join(
                "\n",
                "table ip internet {",
                "  chain ports {",
                "    type nat hook prerouting priority dstnat; policy accept;",
                "    ip daddr " + registry + " tcp dport != 443 dnat to " + registry + ":443",
                "  }",
                "}",
                "");
    }

    /** Rules of the VPC, between its machines, the balancer and the internet gateway. */
    String ofVpc() {
        List<String> lines = new ArrayList<>();
        lines.add("table ip vpc {");
        lines.add(SET.formatted("machines"));
        lines.add(SET.formatted("online"));
        lines.add(PAIRS.formatted(CUT));
        lines.add(SET.formatted(MUTE));
        lines.add(SET.formatted(DEAF));
        hopLimits.forEach(hops -> lines.add(SET.formatted(hopSet(hops))));
        groups.forEach(group -> lines.add(SET.formatted(set(group.id()))));
        lines.addAll(List.of(
                "  chain answers {",
                "    type filter hook prerouting priority mangle; policy accept;",
                "    iifname \"lb\" ct state new ct mark set " + FROM_BALANCER,
                "    ct direction reply ct mark " + FROM_BALANCER + " meta mark set " + FROM_BALANCER,
                "  }",
                "  chain forward {",
                "    type filter hook forward priority filter; policy drop;",
                "    iifname . oifname @cut drop",
                "    iifname @mute oifname @machines drop",
                "    oifname @deaf iifname @machines drop",
                "    ct state established,related accept",
                "    jump egress",
                "    iifname @online oifname \"igw\" accept",
                "    jump ingress",
                "  }",
                "  chain egress {",
                "    iifname \"igw\" return"));
        for (SecurityGroup group : groups) {
            for (Rule rule : group.egress()) {
                lines.add("    iifname @" + set(group.id()) + " " + match(rule, "daddr", "oifname") + " return");
            }
        }
        lines.addAll(List.of("    drop", "  }", "  chain ingress {"));
        for (SecurityGroup group : groups) {
            for (Rule rule : group.ingress()) {
                lines.add("    oifname @" + set(group.id()) + " " + match(rule, "saddr", "iifname") + " accept");
            }
        }
        lines.addAll(List.of(
                "  }",
                "  chain input {",
                "    type filter hook input priority filter; policy drop;",
                "    iifname \"lo\" accept",
                "    ct state established,related accept",
                "    iifname @machines ip daddr " + vpc.resolver() + " udp dport 53 accept",
                "    iifname @machines ip daddr " + vpc.resolver() + " tcp dport 53 accept",
                "    iifname @machines ip daddr " + METADATA + " tcp dport 80 accept",
                "    iifname @online ip daddr " + API + " tcp dport 80 accept",
                "  }",
                "  chain output {",
                "    type filter hook output priority filter; policy accept;",
                // A VPC does not say that a machine is gone: who calls it waits.
                "    icmp type destination-unreachable icmp code { net-unreachable, host-unreachable } drop"));
        hopLimits.forEach(
                hops -> lines.add("    oifname @" + hopSet(hops) + " ip saddr " + METADATA + " ip ttl set " + hops));
        lines.addAll(List.of("  }", "}", ""));
        return String.join("\n", lines);
    }

    /** Rules of the balancer towards its visitors. */
    String ofBalancer() {
        List<String> lines = new ArrayList<>(List.of(
                "table ip lb {",
                "  chain input {",
                "    type filter hook input priority filter; policy drop;",
                "    iifname \"lo\" accept",
                "    ct state established,related accept"));
        for (SecurityGroup group : groups) {
            if (balancer.securityGroups().contains(group.id())) {
                group.ingress().stream()
                        .filter(rule -> !rule.peerIsGroup())
                        .forEach(rule -> lines.add("    iifname \"net\" " + match(rule, "saddr", "") + " accept"));
            }
        }
        lines.addAll(List.of("  }", "}", ""));
        return String.join("\n", lines);
    }

    /** What makes a link one of a machine of this group. */
    static String join(String link, MachineGroup group, boolean online) {
        List<String> sets = new ArrayList<>(List.of("machines"));
        if (online) {
            sets.add("online");
        }
        sets.add(hopSet(group.launchTemplate().metadataHops()));
        group.launchTemplate().securityGroups().forEach(id -> sets.add(set(id)));
        return sets.stream()
                .map(set -> "add element ip vpc " + set + " { \"" + link + "\" }\n")
                .collect(Collectors.joining());
    }

    static String joinBalancer(Balancer balancer) {
        return balancer.securityGroups().stream()
                .map(id -> "add element ip vpc " + set(id) + " { \"lb\" }\n")
                .collect(Collectors.joining());
    }

    private static String match(Rule rule, String side, String link) {
        String peer = rule.peerIsGroup() ? link + " @" + set(rule.peer()) : "ip " + side + " " + rule.peer();
        return switch (rule.protocol()) {
            case "all" -> peer;
            case "icmp" -> peer + " ip protocol icmp" + icmp("type", rule.from()) + icmp("code", rule.to());
            default -> peer + " " + rule.protocol() + " dport " + ports(rule);
        };
    }

    private static String icmp(String field, int value) {
        return value < 0 ? "" : " icmp " + field + " " + value;
    }

    private static String ports(Rule rule) {
        if (rule.from() < 0) {
            return "0-65535";
        }
        return rule.from() == rule.to() ? String.valueOf(rule.from()) : rule.from() + "-" + rule.to();
    }

    private static String set(String groupId) {
        return groupId.replace('-', '_');
    }

    private static String hopSet(int hops) {
        return "metadata_hops_" + hops;
    }
}
