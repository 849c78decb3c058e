package dev.twinhost;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Stands in for the edge of a machine of the tests: answers its handshake, and leaves everything else to the real openssl. */
final class Edge {
    private static final String OWN = "var/lib/twinhost/tls/current/fullchain.pem";

    private Edge() {}

    /** An edge that serves what this machine has, until it is told otherwise. */
    static void standIn(Shell shell) {
        show(shell, "$TWINHOST_ROOT/" + OWN);
    }

    /** An edge that serves a certificate that it has signed itself. */
    static void serves(Shell shell, int days, String... names) {
        String alternatives = Arrays.stream(names).map(name -> "DNS:" + name).collect(Collectors.joining(","));
        Shell.Result made =
                shell.bash("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days " + days
                        + " -subj '/CN=Some CA' -addext subjectAltName=" + alternatives
                        + " -keyout /dev/null -out served.pem 2>/dev/null");
        if (made.status() != 0) {
            throw new IllegalStateException(made.output());
        }
        show(shell, "$TWINHOST_ROOT/served.pem");
    }

    /** An edge that does not answer. */
    static void silent(Shell shell) {
        show(shell, "/nowhere");
    }

    private static void show(Shell shell, String file) {
        shell.standIn("openssl", """
                [[ $1 == s_client ]] || { PATH=${PATH#*:} && exec openssl "$@"; }
                printf '%s\\n' "$*" >>"$TWINHOST_ROOT/handshakes"
                echo CONNECTED
                exec cat "FILE"
                """.replace("FILE", file));
    }
}
