package dev.twinhost.settings;

import java.net.IDN;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** A host name that the public DNS can hold: ASCII, lower case, at least two labels. */
final class HostName {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern TOP_LABEL = Pattern.compile("[a-z]{2,63}|xn--[a-z0-9-]{1,59}");
    private static final int LONGEST = 253;

    // https://www.iana.org/assignments/special-use-domain-names
    private static final Set<String> NEVER_PUBLIC =
            Set.of("alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test");

    // java.net.IDN follows IDNA 2003, which turns these into other letters or drops them; registries follow
    // IDNA 2008, which keeps them: the name would silently become another one.
    private static final Pattern READ_IN_TWO_WAYS = Pattern.compile("[\u00df\u1e9e\u03c2\u200c\u200d]");

    private HostName() {}

    /** Why a name that {@link #of} does not take is none. */
    static String problem(String name) {
        return READ_IN_TWO_WAYS.matcher(name).find()
                ? "holds a letter (ß, ς or a joiner) that IDNA 2003 and IDNA 2008 read as two names; write it as its registry"
                        + " does, in xn-- letters"
                : "is not a public host name";
    }

    /** The name in lower-case ASCII (IDNA), or nothing where it is no public host name. */
    static Optional<String> of(String name) {
        if (READ_IN_TWO_WAYS.matcher(name).find()) {
            return Optional.empty();
        }
        String ascii;
        try {
            ascii = IDN.toASCII(name, IDN.USE_STD3_ASCII_RULES).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        List<String> labels = List.of(ascii.split("\\.", -1));
        String top = labels.get(labels.size() - 1);
        boolean valid = ascii.length() <= LONGEST
                && labels.size() >= 2
                && labels.stream().allMatch(label -> LABEL.matcher(label).matches())
                && TOP_LABEL.matcher(top).matches()
                && !NEVER_PUBLIC.contains(top);
        return valid ? Optional.of(ascii) : Optional.empty();
    }
}
