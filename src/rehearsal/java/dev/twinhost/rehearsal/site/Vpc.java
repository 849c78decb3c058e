package dev.twinhost.rehearsal.site;

import java.util.List;

/** The VPC and its subnets, in the template's order. */
public record Vpc(Cidr cidr, List<Subnet> subnets) {
    /** Where Amazon's resolver answers: the VPC's base plus two. */
    public String resolver() {
        return cidr.address(2);
    }

    public Subnet subnet(String id) {
        return subnets.stream()
                .filter(subnet -> subnet.id().equals(id))
                .findFirst()
                .orElseThrow();
    }
}
