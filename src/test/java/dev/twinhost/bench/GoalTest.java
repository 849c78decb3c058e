package dev.twinhost.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Medians, ratios and what is said of a goal. */
class GoalTest {
    @Test
    void shouldTakeTheMiddleOfTheRounds() {
        assertThat(Samples.of(3, 1, 100).median()).isEqualTo(3);
        assertThat(Samples.of(3, 1, 100, 5).median()).isEqualTo(4);
    }

    @Test
    void shouldPutRoundBesideRound() {
        Samples ratios = Samples.of(90, 45, 10).over(Samples.of(100, 50, 20));

        assertThat(ratios.figures()).containsExactly(0.9, 0.9, 0.5);
        assertThat(ratios.median()).isEqualTo(0.9);
        assertThat(ratios.least()).isEqualTo(0.5);
        assertThat(ratios.most()).isEqualTo(0.9);
    }

    @Test
    void shouldNotPutDifferentNumbersOfRoundsBesideEachOther() {
        assertThatThrownBy(() -> Samples.of(1, 2).over(Samples.of(1, 2, 3)))
                .hasMessage("2 rounds cannot be put beside 3");
    }

    @Test
    void shouldTakeNoFigureThatIsNone() {
        assertThatThrownBy(() -> Samples.of(1, 0).over(Samples.of(0, 0))).hasMessageStartingWith("No figures: [");
        assertThatThrownBy(Samples::of).hasMessage("No figures: []");
    }

    @Test
    void shouldCallAGoalMetWhereEveryRoundReachesIt() {
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.96, 0.99, 0.97))).isEqualTo("met");
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.95, 0.95, 0.95))).isEqualTo("met");
        assertThat(Goal.atMost(1.2).verdict(Samples.of(1.1, 0.7, 1.2))).isEqualTo("met");
    }

    @Test
    void shouldCallAGoalMissedWhereNoRoundReachesIt() {
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.9, 0.94, 0.8))).isEqualTo("missed");
        assertThat(Goal.atMost(1.2).verdict(Samples.of(1.21, 1.3, 5))).isEqualTo("missed");
    }

    @Test
    void shouldCallItNoiseWhereTheRoundsDisagree() {
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.96, 0.94, 0.97))).isEqualTo("noise");
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.9, 0.94, 0.97))).isEqualTo("noise");
        assertThat(Goal.atMost(1.2).verdict(Samples.of(1.1, 1.1, 1.3))).isEqualTo("noise");
        assertThat(Goal.atMost(1.2).verdict(Samples.of(1.1, 1.3, 1.3))).isEqualTo("noise");
    }

    @Test
    void shouldCallItNoiseWhereTooFewRoundsShowNoSpread() {
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(2, 2))).isEqualTo("noise");
        assertThat(Goal.atLeast(0.95).verdict(Samples.of(0.1))).isEqualTo("noise");
    }
}
