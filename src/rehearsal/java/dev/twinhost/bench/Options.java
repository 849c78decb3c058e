package dev.twinhost.bench;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What the measurements' options have in common. */
public final class Options {
    private Options() {}

    /** Refuses a number that is not within these limits. */
    public static void check(CommandSpec command, String option, int number, int least, int most) {
        if (number < least || number > most) {
            throw new ParameterException(
                    command.commandLine(), option + ": wants " + least + " to " + most + ", got " + number);
        }
    }

    /** How often something is measured. */
    public static void checkRounds(CommandSpec command, int rounds) {
        check(command, "--rounds", rounds, 1, 99);
    }
}
