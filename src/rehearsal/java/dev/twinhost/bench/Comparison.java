package dev.twinhost.bench;

import java.util.Comparator;
import java.util.Optional;

/**
 * Two things whose ratio counts, round by round.
 *
 * @param row that of {@code name}
 * @param otherRow that of {@code other}; usually the same
 * @param other empty for the one with the greatest median of that row but for {@code name}
 * @param goal empty where the ratio is only for people to see
 */
public record Comparison(String row, String name, String otherRow, Optional<String> other, Optional<Goal> goal) {
    public static Comparison of(String row, String name, String other) {
        return new Comparison(row, name, row, Optional.of(other), Optional.empty());
    }

    public Comparison with(Goal wanted) {
        return new Comparison(row, name, otherRow, other, Optional.of(wanted));
    }

    /** Whether both were measured. */
    public boolean in(Figures figures) {
        return figures.has(row, name)
                && (other.isPresent()
                        ? figures.has(otherRow, other.get())
                        : figures.rows().contains(otherRow) && figures.names(otherRow).size() > 1);
    }

    /** The one that it is put beside. */
    public String beside(Figures figures) {
        return other.orElseGet(() -> figures.names(otherRow).stream()
                .filter(candidate -> !candidate.equals(name))
                .max(Comparator.comparingDouble(
                        candidate -> figures.of(otherRow, candidate).median()))
                .orElseThrow());
    }

    public Samples ratios(Figures figures) {
        return figures.of(row, name).over(figures.of(otherRow, beside(figures)));
    }
}
