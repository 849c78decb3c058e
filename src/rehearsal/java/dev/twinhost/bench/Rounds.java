package dev.twinhost.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** In which order things are measured that are measured round by round. */
public final class Rounds {
    private Rounds() {}

    /** Each of them once; each round begins with another one, and every second one goes backwards, so that none always follows the same. */
    public static <T> List<T> order(List<T> all, int round) {
        List<T> order = new ArrayList<>(all);
        Collections.rotate(order, -round);
        if (round % 2 == 1) {
            Collections.reverse(order);
        }
        return order;
    }
}
