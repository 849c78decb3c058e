package dev.twinhost.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a run has measured so far, by row and by what was measured. */
public final class Figures {
    private final Map<String, Map<String, List<Double>>> rows = new LinkedHashMap<>();

    public void add(String row, String name, double figure) {
        rows.computeIfAbsent(row, key -> new LinkedHashMap<>())
                .computeIfAbsent(name, key -> new ArrayList<>())
                .add(figure);
    }

    public Set<String> rows() {
        return rows.keySet();
    }

    public boolean has(String row, String name) {
        return rows.getOrDefault(row, Map.of()).containsKey(name);
    }

    /** What was measured in this row, in the order of the first round. */
    public Set<String> names(String row) {
        return rows.get(row).keySet();
    }

    public Samples of(String row, String name) {
        return new Samples(rows.get(row).get(name));
    }
}
