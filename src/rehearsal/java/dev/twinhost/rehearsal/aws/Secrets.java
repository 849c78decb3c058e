package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Secrets Manager: whatever secret somebody asks for exists, with a value that is made up when it is first asked for.
 * It is a file in the state folder; who writes another value there has changed the secret.
 */
public final class Secrets {
    private final StateFolder state;

    public Secrets(StateFolder state) {
        this.state = state;
    }

    /** The current value. */
    public synchronized String value(String arn) {
        Path file = file(arn);
        if (!Files.exists(file)) {
            change(arn, "rehearsed-" + UUID.randomUUID());
        }
        return Folders.read(file);
    }

    /** The same value is the same version. */
    String version(String arn) {
        return UUID.nameUUIDFromBytes(value(arn).getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    public synchronized void change(String arn, String value) {
        Folders.write(file(arn), value);
    }

    private Path file(String arn) {
        if (!arn.matches("arn:aws:secretsmanager:[^:]+:[0-9]+:secret:[^:]+")) {
            throw new AwsError(400, "ResourceNotFoundException", "This is not the ARN of a secret: " + arn);
        }
        return state.secrets().resolve(arn.replaceAll("[^A-Za-z0-9.-]", "_"));
    }
}
