package dev.twinhost.settings;

/** One line: {@code key: what is wrong, got …, want …}. */
record Fault(String key, String problem, Object got, String want) {
    /** As much of a value as is shown. */
    private static final int LONGEST = 200;

    /** Stands for a value that may be a secret, written where its ARN belongs: reports end up in logs. */
    static final Object HIDDEN = new Object() {
        @Override
        public String toString() {
            return "a value that is not shown";
        }
    };

    @Override
    public String toString() {
        return plain(key) + ": " + problem + ", got " + shown() + ", want " + plain(want);
    }

    private String shown() {
        if (got == null) {
            return "nothing";
        }
        String text = got.toString();
        String shortened = plain(text.substring(0, Math.min(text.length(), LONGEST)));
        String rest = text.length() > LONGEST ? "… (" + text.length() + " characters)" : "";
        return got instanceof String ? '"' + shortened + '"' + rest : shortened + rest;
    }

    /** One line each: neither a line break nor what a terminal obeys, or does not show, may be in the report. */
    private static String plain(String text) {
        StringBuilder plain = new StringBuilder();
        text.codePoints().forEach(c -> {
            int type = Character.getType(c);
            if (c == '\n') {
                plain.append("\\n");
            } else if (c == '\r') {
                plain.append("\\r");
            } else if (type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.SURROGATE
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR) {
                plain.append("\\u%04x".formatted(c));
            } else {
                plain.appendCodePoint(c);
            }
        });
        return plain.toString();
    }
}
