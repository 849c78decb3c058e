package dev.twinhost.rehearsal.scaling;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Subnet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Hosts i-1, i-2 … and witnesses i-w1 … that do at once what they are told, and note it with the state that their group had then. */
final class FakeFleet implements Fleet {
    private final Map<String, Machine> machines = new ConcurrentHashMap<>();
    private final Map<String, String> ends = new ConcurrentHashMap<>();
    private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
    private final Groups groups;
    private final Map<String, Integer> launched = new ConcurrentHashMap<>();

    FakeFleet(Groups groups) {
        this.groups = groups;
    }

    /** From now on it is off, and this is how that came. */
    void end(String id, String how) {
        ends.put(id, how);
    }

    /** A group has no machines any more: nobody waits for one. */
    void forgetAll(String group) {
        groups.get(group).instances().forEach(instance -> groups.change(group, now -> now.without(instance.id())));
    }

    /** It is not there any more. */
    void lose(String id) {
        machines.remove(id);
    }

    private record Call(String id, String what, long at) {}

    List<String> said(String id) {
        synchronized (calls) {
            return calls.stream()
                    .filter(call -> call.id.equals(id))
                    .map(Call::what)
                    .toList();
        }
    }

    /** Milliseconds from one call to another. */
    long since(String first, String second) {
        return at(second) - at(first);
    }

    private long at(String what) {
        synchronized (calls) {
            return calls.stream()
                    .filter(call -> call.what.equals(what))
                    .findFirst()
                    .orElseThrow()
                    .at;
        }
    }

    private void note(Machine machine, String what) {
        String state = groups.get(machine.group())
                .instance(machine.instanceId())
                .map(Instance::lifecycle)
                .filter(lifecycle -> !lifecycle.counts())
                .map(lifecycle -> " " + lifecycle.word())
                .orElse("");
        calls.add(new Call(machine.instanceId(), what + state, System.currentTimeMillis()));
    }

    @Override
    public Optional<Machine> machine(String instanceId) {
        return Optional.ofNullable(machines.get(instanceId));
    }

    @Override
    public Machine launch(MachineGroup group, Collection<String> passing) {
        int number = launched.merge(group.id(), 1, Integer::sum);
        String id = "i-" + (group.serves() ? "" : "w") + number;
        Subnet subnet = group.subnets().stream()
                .min(Comparator.comparing(candidate -> machines.values().stream()
                        .filter(machine -> machine.group().equals(group.id()))
                        .filter(machine -> machine.subnet().equals(candidate.id()))
                        .filter(machine -> !passing.contains(machine.instanceId()))
                        .count()))
                .orElseThrow();
        Machine machine =
                new Machine(String.valueOf(number), id, group.id(), "10.0.0." + number, subnet.id(), subnet.zone());
        machines.put(machine.instanceId(), machine);
        note(machine, "launch");
        return machine;
    }

    @Override
    public void boot(Machine machine) {
        note(machine, "boot");
    }

    @Override
    public void start(Machine machine) {
        ends.remove(machine.instanceId());
        note(machine, "start");
    }

    @Override
    public boolean running(Machine machine) {
        return !ends.containsKey(machine.instanceId());
    }

    @Override
    public boolean rebooted(Machine machine) {
        return "rebooted".equals(ends.get(machine.instanceId()));
    }

    @Override
    public boolean poweredOff(Machine machine) {
        return "powered off".equals(ends.get(machine.instanceId()));
    }

    @Override
    public void drain(Machine machine) {
        note(machine, "drain");
    }

    @Override
    public void deregister(Machine machine) {
        note(machine, "deregister");
    }

    @Override
    public void shutDown(Machine machine) {
        ends.put(machine.instanceId(), "powered off");
        note(machine, "shutDown");
    }

    @Override
    public void remove(Machine machine) {
        note(machine, "remove");
        machines.remove(machine.instanceId());
    }
}
