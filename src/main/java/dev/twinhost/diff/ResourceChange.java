package dev.twinhost.diff;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One resource of a diff: {@code [~] AWS::EC2::VPC Network/Vpc NetworkVpc7FB7348F replace}.
 *
 * @param sign what the command line has in brackets
 * @param name the construct's path, which may have blanks, and the logical id
 */
record ResourceChange(char sign, String type, String name, Impact impact) {
    private static final Pattern LINE = Pattern.compile(
            "\\[(.)] ([A-Za-z0-9]+(?:::[A-Za-z0-9]+)+) (.+?)(?: (replace|may be replaced|destroy|orphan|import))?(?: \\(OR move .*)?");

    static Optional<ResourceChange> read(String line) {
        Matcher matcher = LINE.matcher(line);
        return matcher.matches()
                ? Optional.of(new ResourceChange(
                        matcher.group(1).charAt(0), matcher.group(2), matcher.group(3), impact(matcher.group(4))))
                : Optional.empty();
    }

    private static Impact impact(String word) {
        for (Impact impact : Impact.values()) {
            if (impact.word().equals(word)) {
                return impact;
            }
        }
        return Impact.KEEP;
    }

    String participle() {
        if (impact.isDestructive()) {
            return impact.participle();
        }
        return sign == '+' ? "added" : "changed";
    }

    /** The path, where it has one: people know it by that. */
    String path() {
        int last = name.lastIndexOf(' ');
        return last < 0 ? name : name.substring(0, last);
    }
}
