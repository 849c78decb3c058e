package dev.twinhost.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Two things of the same row whose ratio counts, round by round.
 *
 * @param others of those that were measured, the one with the greatest median counts
 * @param goal empty where the ratio is only for people to see
 */
public record Comparison(String row, String name, List<String> others, Optional<Goal> goal) {
    public static Comparison of(String row, String name, String... others) {
        return new Comparison(row, name, List.of(others), Optional.empty());
    }

    public Comparison with(Goal wanted) {
        return new Comparison(row, name, others, Optional.of(wanted));
    }

    /** Whether both sides were measured. */
    public boolean measured(Figures figures) {
        return figures.has(row, name) && others.stream().anyMatch(other -> figures.has(row, other));
    }

    /** The one that it is put beside. */
    public String beside(Figures figures) {
        return others.stream()
                .filter(other -> figures.has(row, other))
                .max(Comparator.comparingDouble(other -> figures.of(row, other).median()))
                .orElseThrow();
    }

    public Samples ratios(Figures figures) {
        return figures.of(row, name).over(figures.of(row, beside(figures)));
    }
}
