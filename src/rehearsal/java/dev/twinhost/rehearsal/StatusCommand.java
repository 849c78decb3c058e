package dev.twinhost.rehearsal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What there is and how it does. */
@Command(
        name = "status",
        description = "Shows machines, their signals, their health as targets and the certificate that they serve.",
        mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
    @Option(names = "--json", description = "For programs.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        Status status = Status.of(Rehearse.running());
        System.out.println(
                json ? new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(status) : status.text());
        return status.complete() ? 0 : 1;
    }
}
