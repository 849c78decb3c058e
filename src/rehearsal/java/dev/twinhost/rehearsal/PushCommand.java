package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.registry.ImageSource;
import dev.twinhost.rehearsal.registry.Reference;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.system.Failure;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A new image for the application. */
@Command(
        name = "push",
        description =
                "Puts an image into the registry from which the machines take the application's; a release brings it"
                        + " to them.",
        mixinStandardHelpOptions = true)
final class PushCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "FILE",
            description = "What docker save has written, or an OCI archive or folder.")
    private Path file;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "REFERENCE",
            description = "What it is called there, as in example/shop:2; appImage where it is left out.")
    private String reference;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        ImageSource image = image(spec, "FILE", file);
        Rehearsal rehearsal = Rehearse.running();
        Reference wanted = reference == null ? appImage(rehearsal) : given();
        System.out.println(wanted + " is now " + rehearsal.registry().push(image, wanted)
                + "; bring it to the machines with bin/rehearse release"
                + (reference == null ? "" : " -c appImage=" + wanted));
        return 0;
    }

    /** An image that a command is given; whoever types it learns at once what is wrong with it. */
    static ImageSource image(CommandSpec spec, String name, Path file) {
        try {
            return ImageSource.of(file);
        } catch (Failure e) {
            throw new ParameterException(spec.commandLine(), name + ": " + e.getMessage(), e);
        }
    }

    private Reference given() {
        try {
            return Reference.of(reference);
        } catch (Failure e) {
            throw new ParameterException(spec.commandLine(), "REFERENCE: " + e.getMessage(), e);
        }
    }

    private static Reference appImage(Rehearsal rehearsal) {
        return new Published(rehearsal.state())
                .current()
                .release()
                .appImage()
                .orElseThrow(() -> new Failure(
                        "The site has no appImage: say after FILE what the image is called, as in example/shop:1"));
    }
}
