package dev.twinhost.rehearsal.site;

import java.util.List;

/** A security group: what may come in and what may go out. */
public record SecurityGroup(String id, String name, List<Rule> ingress, List<Rule> egress) {
    /**
     * One permission.
     *
     * @param protocol tcp, udp, icmp or all
     * @param from first port, or the ICMP type; -1 for any
     * @param to last port, or the ICMP code; -1 for any
     * @param peer a range of addresses, or the id of a security group
     */
    public record Rule(String protocol, int from, int to, String peer) {
        public boolean peerIsGroup() {
            return peer.startsWith("sg-");
        }
    }
}
