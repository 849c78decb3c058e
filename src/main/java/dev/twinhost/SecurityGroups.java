package dev.twinhost;

import java.util.List;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.constructs.Construct;

/**
 * Who may talk to whom:
 * <pre>
 *   the world    80, 443/tcp                                  → balancer
 *   balancer     80, 443/tcp                                  → hosts
 *   machines     2377/tcp, 7946/tcp+udp, 4789/udp             → machines (hosts and the witness)
 *   machines     2049/tcp                                     → storage
 * </pre>
 * and ICMP "fragmentation needed" wherever packets from the internet go, or large ones would vanish silently.
 * The machines may reach everything, the balancer nothing but the hosts, the storage nothing.
 * Nobody reaches SSH: Session Manager needs no open port.
 *
 * <p>The overlay network over which an edge asks the application on the other host is not encrypted: that is plain HTTP within
 * the VPC. Swarm's {@code encrypted} option would need protocol 50 (ESP) among the machines as well:
 * https://docs.docker.com/engine/network/drivers/overlay/.
 */
final class SecurityGroups extends Construct {
    private static final List<Integer> WEB = List.of(80, 443);

    private final SecurityGroup balancer;
    private final SecurityGroup hosts;
    private final SecurityGroup machines;
    private final SecurityGroup storage;

    SecurityGroups(Construct scope, String id, IVpc vpc) {
        super(scope, id);
        balancer = create("Balancer", vpc, "The load balancer: 80 and 443 from the world", false);
        hosts = create("Hosts", vpc, "The hosts: 80 and 443 from the load balancer", false);
        machines = create("Machines", vpc, "The machines of the Swarm: its own ports among themselves", true);
        storage = create("Storage", vpc, "The shared storage: NFS from the machines", false);
        allowWeb();
        allowSwarm();
        storage.addIngressRule(machines, Port.tcp(2049), "NFS from the machines");
    }

    private SecurityGroup create(String id, IVpc vpc, String description, boolean mayReachEverything) {
        return SecurityGroup.Builder.create(this, id)
                .vpc(vpc)
                .description(description)
                .allowAllOutbound(mayReachEverything)
                .build();
    }

    private void allowWeb() {
        for (int port : WEB) {
            balancer.addIngressRule(Peer.anyIpv4(), Port.tcp(port), "The world to " + port);
            balancer.addEgressRule(hosts, Port.tcp(port), "To " + port + " of the hosts");
            hosts.addIngressRule(balancer, Port.tcp(port), "The load balancer to " + port);
        }
        Port fragmentationNeeded = Port.icmpTypeAndCode(3, 4);
        balancer.addIngressRule(Peer.anyIpv4(), fragmentationNeeded, "Path MTU discovery");
        balancer.addEgressRule(hosts, fragmentationNeeded, "Path MTU discovery");
        machines.addIngressRule(Peer.anyIpv4(), fragmentationNeeded, "Path MTU discovery");
    }

    private void allowSwarm() {
        machines.addIngressRule(machines, Port.tcp(2377), "Swarm management");
        machines.addIngressRule(machines, Port.tcp(7946), "Swarm gossip");
        machines.addIngressRule(machines, Port.udp(7946), "Swarm gossip");
        machines.addIngressRule(machines, Port.udp(4789), "Swarm overlay networks");
    }

    ISecurityGroup balancer() {
        return balancer;
    }

    ISecurityGroup hosts() {
        return hosts;
    }

    ISecurityGroup machines() {
        return machines;
    }

    ISecurityGroup storage() {
        return storage;
    }
}
