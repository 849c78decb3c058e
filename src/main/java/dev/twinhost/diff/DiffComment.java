package dev.twinhost.diff;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Makes of a recorded diff what stands under a pull request, in Markdown: first what would be lost and what that means for the
 * site, then what happens, then the diff itself, cut where it is too long. Prints it; {@code bin/diff} calls it. Status 1 where
 * the record is no whole diff, 2 where it cannot be read.
 */
public final class DiffComment {
    // GitHub takes 65536 characters: https://github.com/google/go-github/pull/440,
    // https://github.com/danger/danger/issues/424.
    // The rest is for what bin/diff and bin/comment add.
    static final int LIMIT = 64_000;
    private static final int MOST_NAMES = 20;
    private static final int A_FEW_NAMES = 5;
    private static final Pattern BACKTICKS = Pattern.compile("`{3,}");

    private DiffComment() {}

    public static void main(String[] arguments) {
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        if (arguments.length != 1) {
            refuse(2, "wants one file, got " + arguments.length + "; type: bin/diff");
        }
        try {
            String record = Files.readString(Path.of(arguments[0]));
            RecordedDiff.read(record)
                    .ifPresentOrElse(
                            diff -> output.print(of(diff)),
                            () -> refuse(
                                    1,
                                    arguments[0]
                                            + ": is no whole diff, want one from \"Stack\" to \"Number of stacks with"
                                            + " differences\"; type: bin/diff"));
        } catch (IOException e) {
            refuse(2, arguments[0] + ": cannot be read (" + e + "); type: bin/diff");
        }
    }

    private static void refuse(int status, String message) {
        System.err.println("DiffComment: " + message);
        System.exit(status);
    }

    static String of(RecordedDiff diff) {
        String head = "### What a merge changes in " + diff.stack() + "\n\n";
        if (diff.isEmpty()) {
            return head + "Nothing: what is deployed is what this says.\n";
        }
        head += alarm(diff) + doubt(diff) + summary(diff);
        return head + whole(diff.text(), LIMIT - head.length());
    }

    private static String alarm(RecordedDiff diff) {
        Map<String, List<ResourceChange>> losses = diff.destructive().stream()
                .filter(change -> !Loss.isNone(change.type()))
                .collect(Collectors.groupingBy(
                        change -> change.impact() + " " + change.type(), LinkedHashMap::new, Collectors.toList()));
        if (losses.isEmpty()) {
            return "";
        }
        StringBuilder alarm = new StringBuilder(
                "> [!CAUTION]\n> **What holds state is replaced or deleted. Merge only if you mean it:**\n");
        losses.values()
                .forEach(same -> alarm.append("> - **").append(loss(diff, same)).append('\n'));
        return alarm.append('\n').toString();
    }

    private static String loss(RecordedDiff diff, List<ResourceChange> same) {
        ResourceChange one = same.get(0);
        return one.impact().participle() + ":** " + diff.names(same, MOST_NAMES) + " (" + one.type() + "): "
                + Loss.of(one.type()) + ".";
    }

    /** Where the command line counts otherwise, nobody may rely on what was read here. */
    private static String doubt(RecordedDiff diff) {
        return diff.isUnderstood()
                ? ""
                : "> [!CAUTION]\n> **The command line counts " + diff.counted()
                        + " resources that are replaced, deleted or left"
                        + " behind, and " + diff.destructive().size()
                        + " were read here.** The list above may lack one: read the diff itself.\n\n";
    }

    private static String summary(RecordedDiff diff) {
        List<String> lines = new ArrayList<>();
        if (!diff.counts().isEmpty()) {
            lines.add("Resources: " + diff.counts() + ".");
        }
        if (diff.changes().stream().anyMatch(change -> Loss.isOfARelease(change.type()))) {
            lines.add("A release: it reaches the machines in place, one after the other.");
        }
        List<ResourceChange> rolling = Machines.replacedBy(diff.changes());
        List<ResourceChange> behind = Machines.perhapsReplacedBy(diff.changes());
        if (!rolling.isEmpty()) {
            lines.add("**Machines are replaced**, one after the other, because of " + diff.names(rolling, A_FEW_NAMES)
                    + ".");
        } else if (!behind.isEmpty()) {
            lines.add("**Machines are replaced**, one after the other, where they use "
                    + diff.names(behind, A_FEW_NAMES) + ".");
        }
        List<ResourceChange> others = diff.destructive().stream()
                .filter(change -> Loss.isNone(change.type()) && !Loss.isOfARelease(change.type()))
                .toList();
        if (!others.isEmpty()) {
            lines.add("Replaced or deleted as well, but holding nothing: " + diff.names(others, A_FEW_NAMES) + ".");
        }
        if (lines.isEmpty()) {
            lines.add("No resource: outputs, parameters or conditions alone.");
        }
        return String.join("\n", lines) + "\n\n";
    }

    private static String whole(String text, int room) {
        String fence = "`".repeat(longestRun(text) + 1);
        String before = "<details><summary>The whole diff</summary>\n\n" + fence + "text\n";
        String after = "\n" + fence + "\n\n</details>\n";
        int left = room - before.length() - after.length();
        if (text.length() <= left) {
            return before + text + after;
        }
        String note =
                "\n\nCut: %d of %d lines are shown. The whole diff is in the log of the run; or type: `npx cdk diff`\n";
        int end = text.lastIndexOf(
                '\n',
                left - note.length() - 2 * String.valueOf(Integer.MAX_VALUE).length());
        String shown = text.substring(0, Math.max(end, 0));
        return before
                + shown
                + after
                + note.formatted(shown.lines().count(), text.lines().count());
    }

    private static int longestRun(String text) {
        Matcher runs = BACKTICKS.matcher(text);
        return runs.results().mapToInt(run -> run.group().length()).max().orElse(2);
    }
}
