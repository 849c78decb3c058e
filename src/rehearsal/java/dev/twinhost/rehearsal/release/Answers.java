package dev.twinhost.rehearsal.release;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.site.WaitCondition;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/** Everything that machines have answered to the deploys that wait, a line of JSON for each answer. */
public final class Answers {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;

    public Answers(StateFolder state) {
        folder = state.answers();
    }

    public synchronized void add(WaitCondition condition, JsonNode answer) {
        try {
            Files.writeString(file(condition), answer + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Each one in the order in which they came. */
    public List<Answer> to(WaitCondition condition) {
        Path file = file(condition);
        return Files.exists(file)
                ? Folders.read(file).lines().map(Answers::read).toList()
                : List.of();
    }

    /** The one that decides: one is waited for. */
    public Optional<Answer> first(WaitCondition condition) {
        return to(condition).stream().findFirst();
    }

    private Path file(WaitCondition condition) {
        return folder.resolve(condition.deploy() + "-" + condition.id());
    }

    private static Answer read(String line) {
        try {
            JsonNode answer = JSON.readTree(line);
            return new Answer(
                    answer.path("Status").asText().equals("SUCCESS"),
                    answer.path("Reason").asText(),
                    answer.path("UniqueId").asText());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
