package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The working copy that is rehearsed. Its owner, not root, runs what writes into it. */
public final class Checkout {
    private final Path root;

    private Checkout(Path root) {
        this.root = root;
    }

    public static Checkout at(Path folder) {
        try {
            return new Checkout(folder.toRealPath());
        } catch (IOException e) {
            throw new Failure("No such folder: " + folder, e);
        }
    }

    public Path root() {
        return root;
    }

    Path script(String path) {
        return root.resolve("src/rehearsal").resolve(path);
    }

    /** What tells this working copy's rehearsal from all others on the machine. */
    String id() {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(root.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Synthesises the app into a folder, as the owner of the working copy, who knows no AWS account. */
    void synthesise(Path output, List<String> context) {
        String owner = owner();
        Command.of("chown", owner, output.toString()).run();
        List<String> words = new ArrayList<>();
        if (!owner.equals("root")) {
            words.addAll(List.of("runuser", "-u", owner, "--"));
        }
        // A release is synthesised while the machines serve, which on AWS they do elsewhere.
        words.addAll(List.of("nice", "-n", "10"));
        // Credentials would make CDK look up an account, and the network would decide what is rehearsed.
        words.addAll(List.of("env", "-u", "AWS_PROFILE", "-u", "AWS_ACCESS_KEY_ID", "-u", "AWS_SECRET_ACCESS_KEY"));
        words.addAll(List.of("AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"));
        words.add("AWS_EC2_METADATA_DISABLED=true");
        if (!owner.equals("root")) {
            words.add("HOME=" + Command.of("getent", "passwd", owner).run().split(":")[5]);
        }
        words.add("PATH=" + root.resolve("node_modules/.bin") + ":" + System.getenv("PATH"));
        words.addAll(List.of("cdk", "synth", "-q", "-o", output.toString()));
        context.forEach(pair -> words.addAll(List.of("-c", pair)));
        if (Command.of(words).in(root).attached() != 0) {
            throw new Failure("The template cannot be synthesised, for the reason above.");
        }
    }

    private String owner() {
        try {
            return Files.getOwner(root).getName();
        } catch (IOException e) {
            throw new Failure("No such folder: " + root, e);
        }
    }
}
