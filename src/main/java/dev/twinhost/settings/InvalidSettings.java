package dev.twinhost.settings;

import java.util.List;
import java.util.stream.Collectors;

/** Settings that were refused: every fault, one line each, in the words of the person who wrote them. */
public final class InvalidSettings extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Fault> faults;

    InvalidSettings(List<Fault> faults) {
        super(faults.stream().map(Fault::toString).collect(Collectors.joining("\n")));
        this.faults = List.copyOf(faults);
    }

    /** A fault that only the account can show: what is looked up there does not fit the settings. */
    public static InvalidSettings of(String key, String problem, Object got, String want) {
        return new InvalidSettings(List.of(new Fault(key, problem, got, want)));
    }

    List<Fault> faults() {
        return faults;
    }
}
