package dev.twinhost.bench;

import java.util.List;
import java.util.stream.IntStream;

/** In which order things are measured that are measured round by round. */
public final class Rounds {
    private Rounds() {}

    /** Each of them once; each round begins with the next one, and every second one goes backwards, so that none always follows the same. */
    public static <T> List<T> order(List<T> all, int round) {
        int step = round % 2 == 0 ? 1 : -1;
        return IntStream.range(0, all.size())
                .mapToObj(place -> all.get(Math.floorMod(round + step * place, all.size())))
                .toList();
    }
}
