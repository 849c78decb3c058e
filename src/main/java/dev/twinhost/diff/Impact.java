package dev.twinhost.diff;

/** What a change does to a resource, with the word of the CDK command line for it and ours. */
enum Impact {
    REPLACE("replace", "replaced"),
    MAY_REPLACE("may be replaced", "perhaps replaced"),
    DESTROY("destroy", "deleted"),
    ORPHAN("orphan", "left behind and forgotten by the stack"),
    KEEP("", "kept");

    private final String word;
    private final String participle;

    Impact(String word, String participle) {
        this.word = word;
        this.participle = participle;
    }

    /** Whether the resource that is there now is not part of the site afterwards. */
    boolean isDestructive() {
        return this != KEEP;
    }

    String word() {
        return word;
    }

    String participle() {
        return participle;
    }
}
