package dev.twinhost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/** What was measured of one thing: a figure for each round, in the order of the rounds. */
public record Samples(List<Double> figures) {
    public Samples {
        figures = List.copyOf(figures);
        if (figures.isEmpty() || !figures.stream().allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("No figures: " + figures);
        }
    }

    public static Samples of(double... figures) {
        return new Samples(DoubleStream.of(figures).boxed().toList());
    }

    public double median() {
        List<Double> sorted = figures.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    public double least() {
        return figures.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    public double most() {
        return figures.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    /** The ratio of each round: what slows a round slows both. */
    public Samples over(Samples others) {
        if (figures.size() != others.figures.size()) {
            throw new IllegalArgumentException(
                    figures.size() + " rounds cannot be put beside " + others.figures.size());
        }
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < figures.size(); round++) {
            ratios.add(figures.get(round) / others.figures.get(round));
        }
        return new Samples(ratios);
    }
}
