package dev.twinhost.rehearsal.registry;

import dev.twinhost.rehearsal.system.Folders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.UUID;

/** The login to Amazon ECR: a password that is made up, which the stand-in for AWS gives to machines and the registry wants of them. */
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
public record EcrLogin(Path folder) {
    /** Makes up a new password, as after the twelve hours for which one is good. */
    void renew() {
        Folders.write(file(), UUID.randomUUID().toString());
    }

    /** User and password, as HTTP takes them and as GetAuthorizationToken gives them. */
    public String token() {
        String login = "AWS:" + Folders.read(file());
        return Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }

    private Path file() {
        return folder.resolve("ecr-password");
    }
}
