package dev.twinhost.settings;

/** One line: {@code key: what is wrong, got …, want …}. */
record Fault(String key, String problem, Object got, String want) {
    /** Stands for a value that may be a secret, written where its ARN belongs: reports end up in logs. */
    static final Object HIDDEN = new Object() {
        @Override
        public String toString() {
            return "a value that is not shown";
        }
    };

    @Override
    public String toString() {
        return key + ": " + problem + ", got " + shown() + ", want " + want;
    }

    private String shown() {
        if (got == null) {
            return "nothing";
        }
        if (!(got instanceof String text)) {
            return got.toString();
        }
        // One line each: a line break in the value must not break the report.
        return '"' + text.replace("\n", "\\n").replace("\r", "\\r") + '"';
    }
}
