package dev.twinhost.rehearsal.scaling;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The auto scaling groups of a rehearsal, a file each. Commands, the stand-in for AWS and the groups' own process all
 * change them: each change is made of what the file says at that moment, while no other process changes it.
 */
public final class Groups {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final StateFolder state;

    public Groups(StateFolder state) {
        this.state = state;
    }

    /** Makes a group, where it is not there yet. */
    public void create(MachineGroup group) {
        locked(() -> {
            if (!Files.exists(file(group.id()))) {
                write(group.id(), Group.of(group));
            }
        });
    }

    public Optional<Group> find(String id) {
        return Files.exists(file(id)) ? Optional.of(read(id)) : Optional.empty();
    }

    /** A group that has been made. */
    public Group get(String id) {
        return find(id).orElseThrow();
    }

    public void change(String id, UnaryOperator<Group> change) {
        locked(() -> write(id, change.apply(read(id))));
    }

    private Group read(String id) {
        try {
            return JSON.readValue(file(id).toFile(), Group.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(String id, Group group) {
        try {
            Folders.write(file(id), JSON.writeValueAsString(group));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path file(String id) {
        return state.groups().resolve(id + ".json");
    }

    /** A file's lock belongs to the process: among the threads of this one, the monitor decides. */
    private void locked(Runnable work) {
        Path lock = state.groups().resolve("lock");
        synchronized (Groups.class) {
            try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = channel.lock()) {
                work.run();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
