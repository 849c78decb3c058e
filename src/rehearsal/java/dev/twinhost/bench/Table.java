package dev.twinhost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The figures of a run for people: medians with what lies between the least and the greatest of the rounds, ratios and goals. */
public final class Table {
    private static final List<String> FIGURES = List.of("", "median", "least", "most");
    private static final List<String> RATIOS = List.of("", "beside", "median", "least", "most", "goal", "");

    private Table() {}

    public static String of(Figures figures, List<Comparison> comparisons) {
        StringBuilder text = new StringBuilder();
        for (String row : figures.rows()) {
            text.append(row).append('\n');
            List<List<String>> lines = new ArrayList<>(List.of(FIGURES));
            for (String name : figures.names(row)) {
                lines.add(line(name, figures.of(row, name)));
            }
            text.append(columns(lines));
            List<List<String>> ratios = new ArrayList<>(List.of(RATIOS));
            for (Comparison comparison : comparisons) {
                if (comparison.row().equals(row) && comparison.measured(figures)) {
                    ratios.add(line(comparison, figures));
                }
            }
            text.append(ratios.size() > 1 ? "\n" + columns(ratios) : "").append('\n');
        }
        return text.toString();
    }

    private static List<String> line(String name, Samples samples) {
        return List.of(name, text(samples.median()), text(samples.least()), text(samples.most()));
    }

    private static List<String> line(Comparison comparison, Figures figures) {
        Samples ratios = comparison.ratios(figures);
        List<String> line = new ArrayList<>(line(comparison.name(), ratios));
        line.add(1, comparison.beside(figures));
        line.add(comparison.goal().map(Goal::toString).orElse(""));
        line.add(comparison.goal().map(goal -> goal.verdict(ratios)).orElse(""));
        return line;
    }

    /** Three digits that count, and no more than two behind the point. */
    private static String text(double figure) {
        return String.format(Locale.ROOT, figure >= 100 ? "%,.0f" : figure >= 10 ? "%.1f" : "%.2f", figure);
    }

    /** Text to the left, what begins with a digit to the right. */
    private static String columns(List<List<String>> lines) {
        List<Integer> widths = IntStream.range(0, lines.get(0).size())
                .mapToObj(column -> lines.stream()
                        .mapToInt(line -> line.get(column).length())
                        .max()
                        .orElseThrow())
                .toList();
        return lines.stream()
                .map(line -> IntStream.range(0, line.size())
                        .mapToObj(column -> pad(line.get(column), widths.get(column), right(lines, column)))
                        .collect(Collectors.joining("  ", "  ", ""))
                        .stripTrailing())
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static boolean right(List<List<String>> lines, int column) {
        return column > 0 && Character.isDigit((lines.get(1).get(column) + " ").charAt(0));
    }

    private static String pad(String text, int width, boolean right) {
        return " ".repeat(right ? width - text.length() : 0) + text + " ".repeat(right ? 0 : width - text.length());
    }
}
