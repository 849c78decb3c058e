package dev.twinhost.rehearsal.site;

import java.util.List;

/** A record of the site's zone: an alias or a CNAME to another name, addresses, or authorities. Names have no final dot. */
public record DnsRecord(String name, Kind kind, List<String> values) {
    /** What it says. */
    public enum Kind {
        ALIAS,
        CNAME,
        ADDRESS,
        CAA
    }
}
