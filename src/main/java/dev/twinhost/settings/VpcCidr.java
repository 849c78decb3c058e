package dev.twinhost.settings;

import java.util.List;
import java.util.Optional;

/** Which blocks of addresses a VPC of this site can have. */
final class VpcCidr {
    static final String WANTED = "a block such as 10.42.0.0/16";

    // The hosts' own: Docker's bridges and the Swarm's address pools are set there.
    private static final CidrBlock DOCKERS = CidrBlock.of("172.16.0.0/12").orElseThrow();

    // https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    private static final int LARGEST = 16;
    private static final int SMALLEST = 28;
    private static final int SMALLEST_SUBNET = 28;
    private static final int USUAL_SUBNET = 24;
    private static final int ZONE_BITS = 2;
    /** The private subnets share the quarter that three public ones leave, so these stay where they are. */
    private static final int PRIVATE_BITS = 2 * ZONE_BITS;

    private static final List<CidrBlock> NEVER = List.of(
            CidrBlock.of("0.0.0.0/8").orElseThrow(),
            CidrBlock.of("127.0.0.0/8").orElseThrow(),
            CidrBlock.of("169.254.0.0/16").orElseThrow(),
            CidrBlock.of("224.0.0.0/3").orElseThrow());

    private VpcCidr() {}

    /** @param privateSubnets whether the VPC needs a private subnet in each zone, too */
    static Optional<Fault> fault(String text, boolean privateSubnets) {
        Optional<CidrBlock> parsed = CidrBlock.of(text);
        if (parsed.isEmpty()) {
            return fault("is not a block of IPv4 addresses", text, WANTED);
        }
        CidrBlock block = parsed.get();
        if (!block.equals(block.network())) {
            return fault(
                    "does not start at its own first address",
                    text,
                    block.network().toString());
        }
        if (block.prefix() < LARGEST || block.prefix() > SMALLEST) {
            return fault("has a size that no VPC may have", text, "/16 to /28, as 10.42.0.0/16");
        }
        if (block.meets(DOCKERS)) {
            return fault("meets " + DOCKERS + ", which Docker uses on the hosts", text, WANTED);
        }
        if (NEVER.stream().anyMatch(block::meets)) {
            return fault("is a block that no VPC may have", text, WANTED);
        }
        if (subnetPrefix(block) > SMALLEST_SUBNET) {
            String wanted = "at least /" + (SMALLEST_SUBNET - ZONE_BITS) + ", as 10.42.0.0/16";
            return fault("is too small for a subnet in each of three zones", text, wanted);
        }
        if (privateSubnets && privateSubnetPrefix(block) > SMALLEST_SUBNET) {
            String wanted = "at least /" + (SMALLEST_SUBNET - PRIVATE_BITS) + ", as 10.42.0.0/16, or natGateways 0";
            return fault("is too small for a public and a private subnet in each of three zones", text, wanted);
        }
        return Optional.empty();
    }

    /**
     * The prefix length of the public subnets: 24 where the block has room for it, as much as it has otherwise. With two zones
     * the same as with three, so that changing their number moves no subnet.
     */
    static int subnetPrefix(CidrBlock block) {
        return Math.max(USUAL_SUBNET, block.prefix() + ZONE_BITS);
    }

    static int privateSubnetPrefix(CidrBlock block) {
        return Math.max(USUAL_SUBNET, block.prefix() + PRIVATE_BITS);
    }

    private static Optional<Fault> fault(String problem, String got, String want) {
        return Optional.of(new Fault("vpcCidr", problem, got, want));
    }
}
