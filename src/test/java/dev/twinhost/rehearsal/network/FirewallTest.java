package dev.twinhost.rehearsal.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.SecurityGroup;
import dev.twinhost.rehearsal.site.Site;
import org.junit.jupiter.api.Test;

class FirewallTest {
    private final Site site = new SmallAssembly().read();

    @Test
    void shouldTakeSecurityGroupsByTheLinksOfTheirMembers() {
        assertThat(new Firewall(site)
                        .ofVpc()
                        .replace(set("BalancerGroup"), "BALANCER")
                        .replace(set("HostsGroup"), "HOSTS"))
                .isEqualTo("""
                        table ip vpc {
                          set machines { type ifname; }
                          set online { type ifname; }
                          set cut { type ifname . ifname; }
                          set mute { type ifname; }
                          set deaf { type ifname; }
                          set metadata_hops_1 { type ifname; }
                          set BALANCER { type ifname; }
                          set HOSTS { type ifname; }
                          chain answers {
                            type filter hook prerouting priority mangle; policy accept;
                            iifname "lb" ct state new ct mark set 1
                            ct direction reply ct mark 1 meta mark set 1
                          }
                          chain forward {
                            type filter hook forward priority filter; policy drop;
                            iifname . oifname @cut drop
                            iifname @mute oifname @machines drop
                            oifname @deaf iifname @machines drop
                            ct state established,related accept
                            jump egress
                            iifname @online oifname "igw" accept
                            jump ingress
                          }
                          chain egress {
                            iifname "igw" return
                            iifname @BALANCER oifname @HOSTS tcp dport 443 return
                            iifname @HOSTS ip daddr 0.0.0.0/0 return
                            drop
                          }
                          chain ingress {
                            oifname @BALANCER ip saddr 0.0.0.0/0 tcp dport 443 accept
                            oifname @HOSTS iifname @BALANCER tcp dport 443 accept
                            oifname @HOSTS ip saddr 10.42.0.0/16 ip protocol icmp icmp type 3 icmp code 4 accept
                          }
                          chain input {
                            type filter hook input priority filter; policy drop;
                            iifname "lo" accept
                            ct state established,related accept
                            iifname @machines ip daddr 10.42.0.2 udp dport 53 accept
                            iifname @machines ip daddr 10.42.0.2 tcp dport 53 accept
                            iifname @machines ip daddr 169.254.169.254 tcp dport 80 accept
                            iifname @online ip daddr 169.254.169.252 tcp dport 80 accept
                          }
                          chain output {
                            type filter hook output priority filter; policy accept;
                            icmp type destination-unreachable icmp code { net-unreachable, host-unreachable } drop
                            oifname @metadata_hops_1 ip saddr 169.254.169.254 ip ttl set 1
                          }
                        }
                        """);
    }

    @Test
    void shouldLetVisitorsReachOnlyTheBalancersOpenPorts() {
        assertThat(new Firewall(site).ofBalancer()).isEqualTo("""
                table ip lb {
                  chain input {
                    type filter hook input priority filter; policy drop;
                    iifname "lo" accept
                    ct state established,related accept
                    iifname "net" ip saddr 0.0.0.0/0 tcp dport 443 accept
                  }
                }
                """);
    }

    @Test
    void shouldMakeAMachineAMemberOfItsGroups() {
        assertThat(Firewall.join("m-1", site.machineGroup("Hosts"), false).replace(set("HostsGroup"), "HOSTS"))
                .isEqualTo("""
                        add element ip vpc machines { "m-1" }
                        add element ip vpc metadata_hops_1 { "m-1" }
                        add element ip vpc HOSTS { "m-1" }
                        """);
    }

    private String set(String name) {
        return site.securityGroups().stream()
                .filter(group -> group.name().equals(name))
                .map(SecurityGroup::id)
                .findFirst()
                .orElseThrow()
                .replace('-', '_');
    }

    @Test
    void shouldLeadEveryPortOfTheRegistryToItsFront() {
        assertThat(Firewall.ofInternet("198.51.100.15")).isEqualTo("""
                table ip internet {
                  chain ports {
                    type nat hook prerouting priority dstnat; policy accept;
                    ip daddr 198.51.100.15 tcp dport != 443 dnat to 198.51.100.15:443
                  }
                }
                """);
    }
}
