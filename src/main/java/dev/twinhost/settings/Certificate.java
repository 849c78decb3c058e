package dev.twinhost.settings;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What the certificate is asked for: checks of its further names, its profile and the record that binds the CA. */
final class Certificate {
    static final String WANTED_NAMES = "names that lead to the site, such as example.net";
    static final String WANTED_PROFILE = "the name of a profile of the CA, such as tlsserver";

    private static final Pattern PROFILE = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?");

    // https://letsencrypt.org/docs/profiles/ (of 2026-07-14): "Max Names" of classic, and of the two others
    private static final int MOST_NAMES = 100;
    private static final int MOST_NAMES_OF_SMALL_ONES = 25;
    private static final Set<String> SMALL_ONES = Set.of("tlsserver", "shortlived");

    private Certificate() {}

    static void check(
            List<Fault> faults,
            Optional<String> domain,
            List<String> extra,
            Optional<AcmeServer> server,
            Optional<String> profile) {
        checkNames(faults, domain, extra);
        checkNumber(faults, 2 + extra.size(), server, profile);
        profile.filter(name -> !PROFILE.matcher(name).matches())
                .ifPresent(name ->
                        faults.add(new Fault("acmeProfile", "is not the name of a profile", name, WANTED_PROFILE)));
    }

    /** The CAA record names Let's Encrypt alone, and only a stack that owns the zone's records may make it. */
    static void checkCaa(List<Fault> faults, boolean caa, Dns dns, Optional<AcmeServer> server) {
        if (caa && dns != Dns.ALL) {
            faults.add(new Fault("caa", "is a record, and the stack makes none", true, "false, or dns: all"));
        } else if (caa && server.filter(ca -> !ca.isLetsEncrypt()).isPresent()) {
            faults.add(new Fault(
                    "caa", "would forbid the CA of acmeServer", true, "false, or an acmeServer of Let's Encrypt"));
        }
    }

    private static void checkNames(List<Fault> faults, Optional<String> domain, List<String> extra) {
        Set<String> seen = new HashSet<>();
        domain.ifPresent(apex -> seen.addAll(List.of(apex, "www." + apex)));
        Set<String> own = Set.copyOf(seen);
        for (String written : extra) {
            Optional<String> name = HostName.of(written);
            if (name.isEmpty()) {
                faults.add(new Fault("extraDomains", HostName.problem(written), written, WANTED_NAMES));
            } else if (own.contains(name.get())) {
                faults.add(new Fault("extraDomains", "is on the certificate anyhow", written, "other names, or none"));
            } else if (!seen.add(name.get())) {
                faults.add(new Fault("extraDomains", "is there twice", written, "each name once"));
            }
        }
    }

    private static void checkNumber(
            List<Fault> faults, int names, Optional<AcmeServer> server, Optional<String> profile) {
        boolean small = profile.filter(SMALL_ONES::contains).isPresent();
        int most = small ? MOST_NAMES_OF_SMALL_ONES : MOST_NAMES;
        if (names > most && server.filter(AcmeServer::isLetsEncrypt).isPresent()) {
            String wanted = "at most " + (most - 2) + ": with the domain and www that is all Let's Encrypt takes"
                    + (small ? " in this acmeProfile" : "");
            faults.add(new Fault("extraDomains", "are too many names", names - 2, wanted));
        }
    }
}
