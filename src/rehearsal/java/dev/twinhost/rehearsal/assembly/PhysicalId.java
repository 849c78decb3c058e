package dev.twinhost.rehearsal.assembly;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.UUID;

/** Ids in the forms that AWS gives them, made from names alone, so that every process of a rehearsal finds the same ones. */
final class PhysicalId {
    private PhysicalId() {}

    /** For instance {@code vpc-0} and 16 hexadecimal digits. */
    static String resource(String prefix, String name) {
        return prefix + "-0" + digits(name, 16);
    }

    static String digits(String name, int count) {
        return sha256(name).substring(0, count);
    }

    static String suffix(String name) {
        return digits(name, 12).toUpperCase(Locale.ROOT);
    }

    static String uuid(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
    }

    private static String sha256(String name) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(name.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
