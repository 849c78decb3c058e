package dev.twinhost.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RoundsTest {
    private static final List<String> ALL = List.of("A", "B", "C", "D");

    @Test
    void shouldMeasureEachOnceInEveryRound() {
        assertThat(IntStream.range(0, 9).mapToObj(round -> Rounds.order(ALL, round)))
                .allSatisfy(order -> assertThat(order).containsExactlyInAnyOrderElementsOf(ALL));
    }

    @Test
    void shouldLetEachBeginAndChangeWhatFollowsWhat() {
        assertThat(IntStream.range(0, 4)
                        .mapToObj(round -> Rounds.order(ALL, round).get(0)))
                .hasSize(4)
                .doesNotHaveDuplicates();
        assertThat(Rounds.order(ALL, 0)).containsExactly("A", "B", "C", "D");
        assertThat(Rounds.order(ALL, 1)).containsExactly("B", "A", "D", "C");
    }
}
