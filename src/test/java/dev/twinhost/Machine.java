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

    /** A host of the recorded cluster {@code cluster-a}, to which every release that is named is on the disk already. */
    static Shell inACluster(Shell shell) {
        host(shell).pace(30);
        shell.record("claim", "1", INSTANCE, ADDRESS);
        shell.record("found", "1", "cluster-a");
        shell.write("var/lib/twinhost/cluster-id", "cluster-a\n");
        shell.write("run/twinhost/bootstrap.lock", "");
        shell.write("parameter", Release.JSON);
        shell.standIn("aws", "cat \"$TWINHOST_ROOT/parameter\"");
        shell.standIn("systemctl", "printf 'systemctl %s\\n' \"$*\" >>\"$TWINHOST_ROOT/commands\"");
        return shell;
    }

    /** Sets the clock of the shared storage, which gives its time to what is touched there, in seconds since 1970. */
    static void storageClock(Shell shell, long seconds) {
        shell.standIn("touch", "PATH=${PATH#*:} && exec touch -d @" + seconds + " \"$@\"");
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
        shell.write("var/log/keep", "");
        MetadataStandIn.serve(shell);
        shell.write("dev/shm/keep", "");
        return shell;
    }
}
