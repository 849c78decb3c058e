package dev.twinhost.rehearsal.network;

import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.Subnet;
import dev.twinhost.rehearsal.site.Vpc;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Namespace;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The network: the VPC as a router that every packet between two machines passes, the balancer with one foot in it and
 * one in the internet, the internet with a visitor, a DNS server, a CA and a registry, and a namespace per machine.
 *
 * <p>The balancer keeps visitors' addresses: what leaves a machine as an answer to a connection that came through the
 * balancer's link is marked in the VPC and goes back there, and there everything that comes from the VPC is local.
 */
public final class Fabric {
    public static final String METADATA = Firewall.METADATA;
    public static final String API = Firewall.API;
    public static final String VISITOR = "203.0.113.10";
    public static final String AUTHORITY = "198.51.100.14";
    public static final String REGISTRY = "198.51.100.15";
    public static final String RESOLVER = "198.51.100.53";

    private static final String FIRST_BALANCER = "198.51.100.";
    private static final int FIRST_BALANCER_HOST = 80;
    private static final int BALANCER_OFFSET = 5;
    private static final String INTERNET_GATEWAY = "192.0.2.2";
    private static final String VPC_SIDE = "192.0.2.1";
    private static final String BACKBONE = "198.51.100.1";

    private static final Handles HANDLES = new Handles();

    private final String prefix;
    private final Namespace vpc;
    private final Namespace balancer;
    private final Namespace internet;

    public Fabric(String prefix) {
        this.prefix = prefix;
        vpc = new Namespace(prefix + "-vpc");
        balancer = new Namespace(prefix + "-lb");
        internet = new Namespace(prefix + "-internet");
    }

    public Namespace vpc() {
        return vpc;
    }

    public Namespace balancer() {
        return balancer;
    }

    public Namespace internet() {
        return internet;
    }

    public Namespace machine(String name) {
        return new Namespace(prefix + "-m-" + name);
    }

    /** The addresses at which visitors reach the balancer: one for each of its subnets. */
    public static List<String> balancerAddresses(Site site) {
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < site.balancer().subnets().size(); i++) {
            addresses.add(FIRST_BALANCER + (FIRST_BALANCER_HOST + i));
        }
        return addresses;
    }

    public void make(Site site) {
        HANDLES.claim();
        List.of(vpc, balancer, internet).forEach(Namespace::make);
        List.of(vpc, balancer, internet).forEach(namespace -> namespace.settings("ip_forward=1"));
        String inVpc = site.balancer().subnets().get(0).cidr().address(BALANCER_OFFSET);
        makeVpc(site.vpc(), inVpc);
        makeBalancer(site, inVpc);
        makeInternet(site);
        Firewall firewall = new Firewall(site);
        vpc.firewall(firewall.ofVpc() + Firewall.joinBalancer(site.balancer()));
        balancer.firewall(firewall.ofBalancer());
    }

    /** The namespace and the link of a machine with this address. */
    public void connect(String machine, String address, Subnet subnet, MachineGroup group) {
        Namespace own = machine(machine);
        String link = link(machine);
        own.make();
        vpc.ip(
                "link add " + link + " type veth peer name eth0 netns " + own.name(),
                "link set " + link + " up",
                "route add " + address + "/32 dev " + link);
        vpc.settings("conf." + link + ".proxy_arp=1", "neigh." + link + ".proxy_delay=0");
        own.ip(
                "addr add " + address + "/" + subnet.cidr().bits() + " dev eth0",
                "link set eth0 up",
                "route add default via " + subnet.gateway());
        vpc.firewall(Firewall.join(link, group, group.launchTemplate().online(subnet)));
    }

    /**
     * Takes a machine's namespace and link away, and with them what was cut of it; as a member of its groups it is only
     * forgotten with all of them.
     */
    public void disconnect(String machine) {
        mend(machine);
        // A namespace lives on for a moment after it is deleted, and its link with it: the name has to be free at once.
        vpc.ip("link delete " + link(machine));
        machine(machine).delete();
    }

    /** Nothing passes from the one machine to the other any more, connections that they have included. */
    public void cut(String from, String to) {
        new Cuts(vpc).cut(link(from), link(to));
    }

    /** Nothing passes from this machine to any other, also to those that are launched later; it still hears them. */
    public void mute(String machine) {
        new Cuts(vpc).mute(link(machine));
    }

    /** Nothing passes to this machine from any other. */
    public void deafen(String machine) {
        new Cuts(vpc).deafen(link(machine));
    }

    /** Whatever was cut of this machine passes again. */
    public void mend(String machine) {
        new Cuts(vpc).mend(link(machine));
    }

    /** Whatever was cut passes again. */
    public void mend() {
        new Cuts(vpc).mend();
    }

    /** Deletes every namespace of this rehearsal, and with them all links, routes and rules. */
    public static void unmake(String prefix) {
        for (String line : Command.of("ip", "netns", "list").run().split("\n")) {
            String name = line.split(" ")[0];
            if (name.startsWith(prefix + "-")) {
                new Namespace(name).delete();
            }
        }
        HANDLES.release();
    }

    private void makeVpc(Vpc site, String balancerAddress) {
        Set<String> own = new LinkedHashSet<>(List.of(site.resolver(), METADATA, API));
        site.subnets().forEach(subnet -> own.add(subnet.gateway()));
        List<String> lines = new ArrayList<>();
        own.forEach(address -> lines.add("addr add " + address + "/32 dev lo"));
        lines.addAll(List.of(
                "link add lb type veth peer name vpc netns " + balancer.name(),
                "link add igw type veth peer name vpc netns " + internet.name(),
                "link set lb up",
                "link set igw up",
                "addr add " + VPC_SIDE + "/30 dev igw",
                "route add default via " + INTERNET_GATEWAY,
                "route add " + balancerAddress + "/32 dev lb",
                "rule add fwmark 1 lookup 100"));
        vpc.ip(lines.toArray(String[]::new));
    }

    private void makeBalancer(Site site, String inVpc) {
        String gateway = site.balancer().subnets().get(0).gateway();
        balancer.ip(
                "addr add " + inVpc + "/32 dev vpc",
                "link set vpc up",
                "route add " + gateway + "/32 dev vpc",
                "route add " + site.vpc().cidr() + " via " + gateway + " dev vpc",
                "rule add iif vpc lookup 100",
                "route add local default dev lo table 100",
                "link add net type veth peer name lb netns " + internet.name(),
                "link set net up",
                "route add default via " + BACKBONE + " dev net onlink");
        balancerAddresses(site).forEach(address -> balancer.ip("addr add " + address + "/32 dev net"));
        vpc.ip("route add default via " + inVpc + " dev lb onlink table 100");
    }

    private void makeInternet(Site site) {
        List<String> lines = new ArrayList<>();
        for (String address : List.of(BACKBONE, VISITOR, AUTHORITY, REGISTRY, RESOLVER)) {
            lines.add("addr add " + address + "/32 dev lo");
        }
        lines.addAll(List.of(
                "addr add " + INTERNET_GATEWAY + "/30 dev vpc",
                "link set vpc up",
                "link set lb up",
                "route add " + site.vpc().cidr() + " via " + VPC_SIDE + " src " + VISITOR));
        balancerAddresses(site).forEach(address -> lines.add("route add " + address + "/32 dev lb src " + VISITOR));
        internet.ip(lines.toArray(String[]::new));
        internet.firewall(Firewall.ofInternet(REGISTRY));
    }

    private static String link(String machine) {
        return "m-" + machine;
    }
}
