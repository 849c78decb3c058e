package dev.twinhost;

import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Writes {@code export NAME='value'} lines for a POSIX shell: how values travel from the app to a host.
 * A value arrives as it is, whatever quotes, spaces or dollar signs it holds. One value is one line, so that
 * the lines can also be read one by one; a value with a line break or another control character is refused.
 */
final class ShellExports {
    private static final Pattern NAME = Pattern.compile("[A-Z][A-Z0-9_]*");

    private ShellExports() {}

    static String of(Map<String, String> variables) {
        return variables.entrySet().stream()
                .map(variable -> line(variable.getKey(), variable.getValue()))
                .collect(Collectors.joining());
    }

    private static String line(String name, String value) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("Not the name of a shell variable: " + name);
        }
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("A control character in the value of " + name);
        }
        return "export " + name + "='" + value.replace("'", "'\\''") + "'\n";
    }
}
