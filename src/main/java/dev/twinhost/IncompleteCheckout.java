package dev.twinhost;

/** A file or folder that belongs to the app is not there, or is not what it has to be. */
final class IncompleteCheckout extends RuntimeException {
    private static final long serialVersionUID = 1L;

    IncompleteCheckout(String path, String problem, String remedy) {
        super(path + ": " + problem + "; " + remedy);
    }
}
