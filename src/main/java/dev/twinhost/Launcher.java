package dev.twinhost;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awscdk.services.ec2.UserData;

/** What a machine runs at its first boot: {@code user-data.sh}, byte for byte, after the variables that it needs. */
final class Launcher {
    private static final String SCRIPT = "user-data.sh";
    private static final String PATH = "src/main/resources/dev/twinhost/" + SCRIPT;

    private Launcher() {}

    static UserData userData(Map<String, String> variables) {
        return UserData.custom("#!/bin/bash\n" + ShellExports.of(variables) + script());
    }

    private static String script() {
        try (InputStream script = Launcher.class.getResourceAsStream(SCRIPT)) {
            if (script == null) {
                throw new IncompleteCheckout(PATH, "is missing", "run cdk in a complete checkout of Twinhost");
            }
            return text(script.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The script itself, where its line ends are those of the machines. */
    static String text(byte[] script) {
        LineEnds.check(new TreeMap<>(Map.of(PATH, script)));
        return new String(script, StandardCharsets.UTF_8);
    }
}
