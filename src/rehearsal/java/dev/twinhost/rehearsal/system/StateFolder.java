package dev.twinhost.rehearsal.system;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a rehearsal keeps everything that its processes share. Commands, and the stand-in for AWS, know of each other
 * only through these files.
 */
public record StateFolder(Path root) {
    public static final Path ALL = Path.of("/var/lib/twinhost-rehearsal");

    public static StateFolder of(String id) {
        return new StateFolder(ALL.resolve(id));
    }

    public boolean exists() {
        return Files.isDirectory(root);
    }

    /** The synthesised cloud assembly. */
    public Path assembly() {
        return root.resolve("assembly");
    }

    /** The settings that it was synthesised with beside those of the working copy: lines KEY=VALUE. */
    public Path context() {
        return root.resolve("context");
    }

    /** One assembly for each release since. */
    public Path releases() {
        return make("releases");
    }

    /** What machines have answered to the deploys that wait. */
    public Path answers() {
        return make("answers");
    }

    /** One folder per machine that has been launched. */
    public Path machines() {
        return root.resolve("machines");
    }

    /** How many machines there have been at the same time. */
    public Path mostMachines() {
        return root.resolve("most-machines");
    }

    /** One file per auto scaling group. */
    public Path groups() {
        return make("groups");
    }

    /** One file per auto scaling group whose launcher has been changed. */
    public Path launchers() {
        return make("launchers");
    }

    /** One folder per auto scaling group, in it one file per instance that has signalled. */
    public Path signals() {
        return root.resolve("signals");
    }

    /** Logs of the daemons, and of the machines that are gone. */
    public Path logs() {
        return make("logs");
    }

    public Path awsCalls() {
        return logs().resolve("aws-calls.log");
    }

    /** The classes that daemons of this rehearsal run from. */
    public Path classes() {
        return root.resolve("classes");
    }

    /** One file per secret of the application that has been asked for. */
    public Path secrets() {
        return make("secrets");
    }

    /** What loads have written down. */
    public Path loads() {
        return make("loads");
    }

    public Path balancer() {
        return make("balancer");
    }

    public Path dns() {
        return make("dns");
    }

    public Path authority() {
        return make("authority");
    }

    public Path registry() {
        return make("registry");
    }

    /** What a visitor has: resolv.conf and the certificates that he trusts. */
    public Path visitor() {
        return make("visitor");
    }

    /** The root under which the CA issues: what visitors and machines trust. */
    public Path trust() {
        return visitor().resolve("ca.pem");
    }

    /** The files of the shared storage. */
    public Path storage(String fileSystem) {
        return make("storage").resolve(fileSystem);
    }

    /** There where machines have disks of a size, in MiB. */
    public Path diskSize() {
        return root.resolve("disk-size");
    }

    /** There when {@code up} has ended well. */
    public Path complete() {
        return root.resolve("complete");
    }

    private Path make(String name) {
        return Folders.make(root.resolve(name));
    }
}
