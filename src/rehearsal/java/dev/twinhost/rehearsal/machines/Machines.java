package dev.twinhost.rehearsal.machines;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Subnet;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The machines of a rehearsal and their signals, as its state folder has them. */
public final class Machines {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FIRST_ADDRESS = 10;
    private static final String FILE = "machine.json";
    private static final String DENIED = "denied";

    private final StateFolder state;

    public Machines(StateFolder state) {
        this.state = state;
    }

    public List<Machine> all() {
        return Folders.list(state.machines()).stream()
                .map(folder -> folder.resolve(FILE))
                .flatMap(file -> read(file).stream())
                .toList();
    }

    public Machine named(String name) {
        return all().stream()
                .filter(machine -> machine.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new Failure("There is no machine " + name + "; there are: "
                        + all().stream().map(Machine::name).collect(Collectors.joining(", "))));
    }

    public Optional<Machine> withId(String instanceId) {
        return all().stream()
                .filter(machine -> machine.instanceId().equals(instanceId))
                .findFirst();
    }

    public Optional<Machine> at(String address) {
        return all().stream()
                .filter(machine -> machine.address().equals(address))
                .findFirst();
    }

    public Path folder(Machine machine) {
        return state.machines().resolve(machine.name());
    }

    /** The next machine of a group: in the subnet that has the fewest of it, without those that pass. */
    public Machine launch(MachineGroup group, Collection<String> passing) {
        List<Machine> existing = all();
        Subnet subnet = group.subnets().stream()
                .min(Comparator.comparingLong(candidate -> existing.stream()
                        .filter(machine -> machine.group().equals(group.id()))
                        .filter(machine -> machine.subnet().equals(candidate.id()))
                        .filter(machine -> !passing.contains(machine.instanceId()))
                        .count()))
                .orElseThrow(() -> new Failure("The group " + group.id() + " has no subnet."));
        Machine machine = new Machine(
                name(group, existing), instanceId(), group.id(), address(subnet, existing), subnet.id(), subnet.zone());
        save(machine);
        count(Math.max(most(), all().size()));
        return machine;
    }

    /** Begins anew to count how many there are at the same time. */
    public void beginCount() {
        count(all().size());
    }

    /** How many there have been at the same time at most, those that were on their way out among them. */
    public int most() {
        Path file = state.mostMachines();
        return Files.exists(file) ? Integer.parseInt(Folders.read(file)) : 0;
    }

    private void count(int machines) {
        Folders.write(state.mostMachines(), String.valueOf(machines));
    }

    /** Its name and address are free at once; what it leaves behind goes meanwhile. */
    public void forget(Machine machine) {
        Path gone = state.root().resolve("gone-" + machine.instanceId());
        try {
            Files.move(folder(machine), gone, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Folders.delete(gone);
    }

    public void signal(Machine machine, Signal signal) {
        Folders.make(state.signals().resolve(machine.group()));
        Folders.write(signalFile(machine), signal.name());
    }

    public Optional<Signal> signal(Machine machine) {
        Path file = signalFile(machine);
        return Files.exists(file) ? Optional.of(Signal.valueOf(Folders.read(file))) : Optional.empty();
    }

    /** Writes down what IAM last said to a machine that may not do what it asked for. */
    public void deny(Machine machine, String message) {
        if (Files.isDirectory(folder(machine))) {
            Folders.write(folder(machine).resolve(DENIED), message);
        }
    }

    public Optional<String> denial(Machine machine) {
        Path file = folder(machine).resolve(DENIED);
        return Files.exists(file) ? Optional.of(Folders.read(file)) : Optional.empty();
    }

    private Path signalFile(Machine machine) {
        return state.signals().resolve(machine.group()).resolve(machine.instanceId());
    }

    private void save(Machine machine) {
        Folders.make(folder(machine));
        try {
            Folders.write(folder(machine).resolve(FILE), JSON.writeValueAsString(machine));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing where there is none, or none any more. */
    private static Optional<Machine> read(Path file) {
        try {
            return Optional.of(JSON.readValue(Files.readString(file), Machine.class));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hosts are numbered from 1 on; a group that serves no visitors is the witness's. */
    private static String name(MachineGroup group, List<Machine> existing) {
        Set<String> taken = existing.stream().map(Machine::name).collect(Collectors.toSet());
        String base = group.serves() ? "" : "witness";
        for (int number = 1; ; number++) {
            String name = number == 1 && !base.isEmpty() ? base : base + number;
            if (!taken.contains(name)) {
                return name;
            }
        }
    }

    private static String address(Subnet subnet, List<Machine> existing) {
        Set<String> taken = existing.stream().map(Machine::address).collect(Collectors.toSet());
        for (int offset = FIRST_ADDRESS; ; offset++) {
            String address = subnet.cidr().address(offset);
            if (!taken.contains(address)) {
                return address;
            }
        }
    }

    private static String instanceId() {
        byte[] bytes = new byte[8];
        new SecureRandom().nextBytes(bytes);
        return "i-0" + HexFormat.of().formatHex(bytes);
    }
}
