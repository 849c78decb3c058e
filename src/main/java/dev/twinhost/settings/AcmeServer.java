package dev.twinhost.settings;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/**
 * A certificate authority that speaks ACME.
 *
 * @param name the folder of its account and certificates on the shared storage: staging never leaks into production
 * @param directory the URL where its protocol starts
 */
public record AcmeServer(String name, String directory) {
    private static final AcmeServer PRODUCTION =
            new AcmeServer("production", "https://acme-v02.api.letsencrypt.org/directory");
    private static final AcmeServer STAGING =
            new AcmeServer("staging", "https://acme-staging-v02.api.letsencrypt.org/directory");

    /** So that its folder's name is one that a file system takes, however much of it has to be escaped. */
    private static final int LONGEST = 80;

    boolean isLetsEncrypt() {
        return equals(PRODUCTION) || equals(STAGING);
    }

    /** {@code production}, {@code staging} or a directory URL; nothing where it is none of these. */
    static Optional<AcmeServer> of(String setting) {
        for (AcmeServer known : new AcmeServer[] {PRODUCTION, STAGING}) {
            if (setting.equals(known.name) || setting.equals(known.directory)) {
                return Optional.of(known);
            }
        }
        try {
            URI uri = new URI(setting);
            boolean plain = "https".equals(uri.getScheme())
                    && uri.getHost() != null
                    && setting.length() <= LONGEST
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null;
            return plain ? Optional.of(new AcmeServer(folder(uri), setting)) : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /** Host, port and path as one file name: two URLs never share one, nor does any take a name from above. */
    private static String folder(URI uri) {
        String authority = uri.getRawAuthority().toLowerCase(Locale.ROOT);
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        StringBuilder name = new StringBuilder();
        for (char c : (authority + path).toCharArray()) {
            if (c == '/') {
                name.append('_');
            } else if (c == '.' || c == '-' || c < 128 && Character.isLetterOrDigit(c)) {
                name.append(c);
            } else {
                name.append('=').append(Integer.toHexString(c));
            }
        }
        return name.toString();
    }
}
