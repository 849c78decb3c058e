package dev.twinhost.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
    private static final String SMALL = "1 KB, requests/s";
    private static final String CACHE = "from the cache, requests/s";

    private final Figures figures = new Figures();

    @Test
    void shouldPrintFiguresRatiosAndGoals() {
        measure(SMALL, "edge", 12_000, 13_500, 13_000);
        measure(SMALL, "nginx", 15_000, 15_000, 13_000);
        measure(SMALL, "Caddy", 99.94, 12.34, 1.234);
        measure(CACHE, "edge", 18_000, 18_000, 16_900);
        measure(CACHE, "nginx", 15_000, 15_000, 13_000);

        assertThat(Table.of(
                        figures,
                        List.of(
                                Comparison.of(SMALL, "edge", "nginx").with(Goal.atLeast(0.95)),
                                Comparison.of(SMALL, "edge", "HAProxy").with(Goal.atLeast(1)),
                                Comparison.of(SMALL, "Caddy", "nginx"),
                                Comparison.of(CACHE, "edge", "nginx").with(Goal.atLeast(1.2)))))
                .isEqualTo("""
                        1 KB, requests/s
                                 median   least    most
                          edge   13,000  12,000  13,500
                          nginx  15,000  13,000  15,000
                          Caddy    12.3    1.23    99.9

                                 beside  median  least  most  goal
                          edge   nginx     0.90   0.80  1.00  at least 0.95  noise
                          Caddy  nginx     0.00   0.00  0.01

                        from the cache, requests/s
                                 median   least    most
                          edge   18,000  16,900  18,000
                          nginx  15,000  13,000  15,000

                                beside  median  least  most  goal
                          edge  nginx     1.20   1.20  1.30  at least 1.20  met

                        """);
    }

    @Test
    void shouldPutItBesideTheBestOfAll() {
        measure(SMALL, "edge", 3, 3, 3);
        measure(SMALL, "without cache", 9, 9, 9);
        measure(SMALL, "nginx", 1, 4, 4);
        measure(SMALL, "Caddy", 2, 2, 5);
        Comparison comparison = Comparison.of(SMALL, "edge", "nginx", "Caddy", "HAProxy");

        assertThat(comparison.measured(figures)).isTrue();
        assertThat(comparison.beside(figures)).isEqualTo("nginx");
        assertThat(comparison.ratios(figures).figures()).containsExactly(3.0, 0.75, 0.75);
    }

    private void measure(String row, String name, double... rounds) {
        for (double figure : rounds) {
            figures.add(row, name, figure);
        }
    }
}
