package dev.twinhost.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One resource of a diff: {@code [~] AWS::EC2::VPC Network/Vpc NetworkVpc7FB7348F replace}.
 *
 * @param sign what the command line has in brackets
 * @param name the construct's path, which may have blanks, and the logical id
 * @param properties what of it changes: the outermost names in the lines below, such as {@code └─ [~] CidrBlock}
 */
record ResourceChange(char sign, String type, String name, Impact impact, Set<String> properties) {
    private static final Pattern LINE = Pattern.compile(
            "\\[(.)] ([A-Za-z0-9]+(?:::[A-Za-z0-9]+)+) (.+?)(?: (replace|may be replaced|destroy|orphan|import))?(?: \\(OR move .*)?");

    private static final Pattern PROPERTY = Pattern.compile(" [├└]─ \\[.] (\\w+).*");

    /** All resources of a diff, in its order. */
    static List<ResourceChange> readAll(String text) {
        List<ResourceChange> changes = new ArrayList<>();
        for (String line : text.lines().toList()) {
            Matcher resource = LINE.matcher(line);
            Matcher property = PROPERTY.matcher(line);
            if (resource.matches()) {
                changes.add(new ResourceChange(
                        resource.group(1).charAt(0),
                        resource.group(2),
                        resource.group(3),
                        impact(resource.group(4)),
                        new TreeSet<>()));
            } else if (property.matches() && !changes.isEmpty()) {
                changes.get(changes.size() - 1).properties().add(property.group(1));
            }
        }
        return List.copyOf(changes);
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
