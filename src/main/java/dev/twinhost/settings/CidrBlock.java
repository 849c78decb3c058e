package dev.twinhost.settings;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A block of IPv4 addresses. */
record CidrBlock(long address, int prefix) {
    private static final String OCTET = "(0|[1-9][0-9]{0,2})";
    private static final Pattern FORM =
            Pattern.compile(OCTET + "\\." + OCTET + "\\." + OCTET + "\\." + OCTET + "/(0|[1-9][0-9]?)");

    static Optional<CidrBlock> of(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long address = 0;
        for (int group = 1; group <= 4; group++) {
            int octet = Integer.parseInt(matcher.group(group));
            if (octet > 255) {
                return Optional.empty();
            }
            address = address << 8 | octet;
        }
        int prefix = Integer.parseInt(matcher.group(5));
        return prefix > 32 ? Optional.empty() : Optional.of(new CidrBlock(address, prefix));
    }

    /** The block that holds this address and starts where a block of this size may. */
    CidrBlock network() {
        return new CidrBlock(address & mask(prefix), prefix);
    }

    boolean meets(CidrBlock other) {
        long mask = mask(Math.min(prefix, other.prefix));
        return (address & mask) == (other.address & mask);
    }

    @Override
    public String toString() {
        return "%d.%d.%d.%d/%d"
                .formatted(address >> 24 & 255, address >> 16 & 255, address >> 8 & 255, address & 255, prefix);
    }

    private static long mask(int prefix) {
        return 0xffffffffL << 32 - prefix & 0xffffffffL;
    }
}
