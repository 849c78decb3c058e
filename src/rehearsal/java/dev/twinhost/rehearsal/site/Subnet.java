package dev.twinhost.rehearsal.site;

/**
 * A subnet of the VPC.
 *
 * @param routed whether its route table leads to an internet gateway
 * @param translated whether its route table leads to a NAT gateway that reaches the internet
 * @param publicAddresses whether machines in it get a public address, without which that route leads nowhere
 */
public record Subnet(String id, Cidr cidr, String zone, boolean routed, boolean translated, boolean publicAddresses) {
    public String gateway() {
        return cidr.address(1);
    }
}
