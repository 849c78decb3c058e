package dev.twinhost.rehearsal.site;

/** A range of IPv4 addresses, for instance 10.42.0.0/16. */
public record Cidr(long base, int bits) {
    public static Cidr of(String text) {
        String[] parts = text.split("/");
        long base = 0;
        for (String octet : parts[0].split("\\.")) {
            base = base << 8 | Integer.parseInt(octet);
        }
        return new Cidr(base, Integer.parseInt(parts[1]));
    }

    /** The address that stands so many places after the first one. */
    public String address(int offset) {
        long address = base + offset;
        return (address >> 24 & 255) + "." + (address >> 16 & 255) + "." + (address >> 8 & 255) + "." + (address & 255);
    }

    public int size() {
        return 1 << 32 - bits;
    }

    @Override
    public String toString() {
        return address(0) + "/" + bits;
    }
}
