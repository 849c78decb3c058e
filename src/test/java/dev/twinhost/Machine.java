package dev.twinhost;

/** What the launcher and the metadata service have left on the disk of a machine of the tests. */
final class Machine {
    static final String INSTANCE = "i-0a";
    static final String ADDRESS = "10.0.0.10";

    private Machine() {}

    static Shell host(Shell shell) {
        return of(shell, "host");
    }

    static Shell witness(Shell shell) {
        return of(shell, "witness");
    }

    private static Shell of(Shell shell, String role) {
        shell.write(
                "etc/twinhost/machine.env",
                "export TWINHOST_ROLE=" + role
                        + "\nexport TWINHOST_RELEASE_PARAMETER=/site/release\nexport TWINHOST_STACK=Site\n");
        shell.write(
                "var/lib/twinhost/instance.env",
                "export TWINHOST_INSTANCE=" + INSTANCE + "\nexport TWINHOST_ADDRESS=" + ADDRESS + "\n");
        shell.write("run/twinhost/keep", "");
        return shell;
    }
}
