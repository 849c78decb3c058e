package dev.twinhost.bench;

import java.util.Locale;

/** What a ratio has to reach. */
public record Goal(double figure, boolean least) {
    /** With fewer there is no spread to speak of. */
    private static final int ROUNDS = 3;

    public static Goal atLeast(double figure) {
        return new Goal(figure, true);
    }

    public static Goal atMost(double figure) {
        return new Goal(figure, false);
    }

    /**
     * {@code met}, {@code missed}, or {@code noise}: the ratios of the rounds spread further towards the goal than their
     * median is away from it, so that another run might say the opposite.
     */
    public String verdict(Samples ratios) {
        boolean met = least ? ratios.median() >= figure : ratios.median() <= figure;
        boolean spread = met == least ? ratios.least() < figure : ratios.most() > figure;
        return spread || ratios.figures().size() < ROUNDS ? "noise" : met ? "met" : "missed";
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "at %s %.2f", least ? "least" : "most", figure);
    }
}
