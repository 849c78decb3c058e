package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.system.Failure;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of the rehearsal; {@code bin/rehearse} starts it. */
@Command(
        name = "bin/rehearse",
        description =
                "Runs the machines of the synthesised template on this machine, behind stand-ins for what AWS gives.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            StatusCommand.class,
            ClientCommand.class,
            ExecCommand.class,
            CutCommand.class,
            MendCommand.class,
            LoadCommand.class,
            ReleaseCommand.class,
            PushCommand.class,
            KillCommand.class,
            StartCommand.class,
            ReplaceCommand.class,
            RollCommand.class,
            RenewCommand.class,
            DownCommand.class
        })
final class Rehearse {
    private Rehearse() {}

    public static void main(String[] arguments) {
        CommandLine line = new CommandLine(new Rehearse());
        // What follows a command's own words belongs to the command that it runs.
        line.getSubcommands().get("client").setStopAtPositional(true);
        line.getSubcommands().get("exec").setStopAtPositional(true);
        line.setExecutionExceptionHandler((exception, failed, result) -> {
            if (!(exception instanceof Failure)) {
                throw exception;
            }
            System.err.println(exception.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        });
        System.exit(line.execute(arguments));
    }

    /** The rehearsal of the working copy that the command belongs to. */
    static Rehearsal rehearsal() {
        return Rehearsal.of(Checkout.at(Path.of(System.getProperty("twinhost.checkout", ""))));
    }

    /** The same, where one has been started. */
    static Rehearsal running() {
        Rehearsal rehearsal = rehearsal();
        rehearsal.demandStarted();
        return rehearsal;
    }
}
