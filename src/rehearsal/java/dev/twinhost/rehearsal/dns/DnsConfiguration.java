package dev.twinhost.rehearsal.dns;

import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.site.DnsRecord;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Failure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * dnsmasq with the template's records, the balancer's own name, the names of the CA and, within the VPC, those that
 * Amazon's resolver makes of addresses. Every other name does not exist.
 */
public final class DnsConfiguration {
    /** The names under which the CA of the rehearsal answers. */
    public static final List<String> AUTHORITIES =
            List.of("acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org");

    /** The folder beside a server's configuration from which it reads hosts files as soon as they change. */
    public static final String CHANGING = "hosts.d";

    private final Map<String, List<String>> addresses = new LinkedHashMap<>();
    private final Map<String, String> aliases = new LinkedHashMap<>();
    private final List<String> authorities = new ArrayList<>();

    public DnsConfiguration(Site site, List<String> balancerAddresses) {
        addresses.put(site.balancer().dnsName(), balancerAddresses);
        AUTHORITIES.forEach(name -> addresses.put(name, List.of(Fabric.AUTHORITY)));
        for (DnsRecord record : site.records()) {
            switch (record.kind()) {
                case ADDRESS -> addresses.put(record.name(), record.values());
                case ALIAS -> addresses.put(record.name(), addressesOf(record));
                case CNAME -> {
                    addressesOf(record);
                    aliases.put(record.name(), record.values().get(0));
                }
                case CAA ->
                    record.values()
                            .forEach(value -> authorities.add("caa-record=" + record.name() + ','
                                    + value.replace("\"", "").replace(' ', ',')));
            }
        }
    }

    /** For a server that answers at this address; what every server has is in dnsmasq.conf. */
    public String text(String address, List<String> more) {
        List<String> lines = new ArrayList<>(List.of("listen-address=" + address));
        aliases.forEach((name, target) -> lines.add("cname=" + name + "," + target));
        lines.addAll(authorities);
        lines.addAll(more);
        lines.add("");
        return String.join("\n", lines);
    }

    /** The name ip-10-42-0-10.REGION.compute.internal and its like. */
    public static List<String> privateNames(Site site) {
        return List.of("synth-domain=" + site.place().region() + ".compute.internal,"
                + site.vpc().cidr() + ",ip-");
    }

    public String hosts() {
        StringBuilder text = new StringBuilder();
        addresses.forEach((name, values) -> values.forEach(
                value -> text.append(value).append(' ').append(name).append('\n')));
        return text.toString();
    }

    private List<String> addressesOf(DnsRecord record) {
        String target = record.values().get(0);
        return addresses.entrySet().stream()
                .filter(entry -> entry.getKey().equalsIgnoreCase(target))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> new Failure("AWS::Route53::RecordSet " + record.name()
                        + ": the rehearsal cannot play a record that leads to " + target + ", which it does not know"));
    }
}
