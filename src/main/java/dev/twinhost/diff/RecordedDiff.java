package dev.twinhost.diff;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What {@code cdk diff STACK --fail-on=destructive --ci --no-color} of aws-cdk 2.1148.1 has written, both streams in one. It
 * has no other form than this text; the counts that it writes itself show whether it was read right.
 *
 * @param text the diff alone, as it stands there
 * @param counted how many resources the command line calls destroyed, replaced or left behind
 */
record RecordedDiff(String stack, String text, List<ResourceChange> changes, int differing, int counted) {
    private static final Pattern STACK = Pattern.compile("(?m)^Stack (\\S+).*$");
    private static final Pattern END = Pattern.compile("(?m)^.*Number of stacks with differences: (\\d+).*$");
    private static final Pattern COUNT = Pattern.compile("Found (\\d+) destructive change");

    /** Empty where the record does not reach from a stack's name to the end of the diff: then the command line has failed. */
    static Optional<RecordedDiff> read(String record) {
        Matcher stack = STACK.matcher(record);
        Matcher end = END.matcher(record);
        if (!stack.find() || !end.find(stack.end())) {
            return Optional.empty();
        }
        String text = record.substring(stack.end(), end.start()).strip();
        Matcher count = COUNT.matcher(record);
        return Optional.of(new RecordedDiff(
                stack.group(1),
                text,
                ResourceChange.readAll(text),
                Integer.parseInt(end.group(1)),
                count.find() ? Integer.parseInt(count.group(1)) : 0));
    }

    boolean isEmpty() {
        return differing == 0 && changes.isEmpty();
    }

    List<ResourceChange> destructive() {
        return changes.stream()
                .filter(change -> change.impact().isDestructive())
                .toList();
    }

    /** Whether what was read here agrees with what the command line says of it. */
    boolean isUnderstood() {
        return destructive().size() == counted;
    }

    /** How many resources there are of each kind of change, in words; without what every release makes anew. */
    String counts() {
        Map<String, Long> counts = changes.stream()
                .filter(change -> !Loss.isOfARelease(change.type()))
                .collect(Collectors.groupingBy(ResourceChange::participle, TreeMap::new, Collectors.counting()));
        return counts.entrySet().stream()
                .map(count -> count.getValue() + " " + count.getKey())
                .collect(Collectors.joining(", "));
    }

    String names(List<ResourceChange> some, int most) {
        return some.stream()
                        .limit(most)
                        .map(change -> '`' + change.path().replace('`', '\'') + '`')
                        .collect(Collectors.joining(", "))
                + (some.size() > most ? " and " + (some.size() - most) + " more" : "");
    }
}
