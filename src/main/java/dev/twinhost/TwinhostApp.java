package dev.twinhost;

import software.amazon.awscdk.App;

/** Reads the settings and synthesises one stack per site. */
public final class TwinhostApp {
    private TwinhostApp() {}

    public static void main(String[] args) {
        App app = new App();
        app.synth();
    }
}
