package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.scaling.AutoScaling;
import java.nio.file.Path;

/** The process that plays EC2 Auto Scaling, as long as the rehearsal lives. Its output is its log. */
final class AutoScalingProcess {
    private AutoScalingProcess() {}

    /** The arguments are the working copy, the rehearsal's id and the cache. */
    public static void main(String[] arguments) {
        AutoScaling scaling = new Rehearsal(Checkout.at(Path.of(arguments[0])), arguments[1], Path.of(arguments[2]))
                .autoScaling(System.out::println);
        System.out.println("Auto scaling begins");
        scaling.run();
    }
}
