package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.MachineScript;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.scaling.Fleet;
import dev.twinhost.rehearsal.scaling.Launchers;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.TargetGroup;
import dev.twinhost.rehearsal.system.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Plays EC2 with the machines of a rehearsal, and Elastic Load Balancing with their places as targets. */
final class Ec2 implements Fleet {
    private final Rehearsal rehearsal;
    private final Machines machines;
    private final Launchers launchers;
    private final RunningBalancer balancer;
    private final Path cache;

    Ec2(Rehearsal rehearsal, Machines machines, Launchers launchers, RunningBalancer balancer, Path cache) {
        this.rehearsal = rehearsal;
        this.machines = machines;
        this.launchers = launchers;
        this.balancer = balancer;
        this.cache = cache;
    }

    @Override
    public Optional<Machine> machine(String instanceId) {
        return machines.withId(instanceId);
    }

    @Override
    public Machine launch(MachineGroup group, Collection<String> passing) {
        Machine machine = machines.launch(group, passing);
        try {
            rehearsal
                    .fabric()
                    .connect(
                            machine.name(),
                            machine.address(),
                            rehearsal.site().vpc().subnet(machine.subnet()),
                            group);
        } catch (RuntimeException e) {
            machines.forget(machine);
            throw e;
        }
        return machine;
    }

    @Override
    public void boot(Machine machine) {
        MachineGroup group = rehearsal.site().machineGroup(machine.group());
        script(machine).prepare(environment(machine), launchers.userData(group));
        script(machine).start();
        targetGroups(machine).forEach(target -> balancer.register(target, machine.instanceId(), machine.address()));
    }

    @Override
    public void start(Machine machine) {
        script(machine).start();
    }

    @Override
    public boolean running(Machine machine) {
        return script(machine).running();
    }

    @Override
    public boolean rebooted(Machine machine) {
        return script(machine).rebooted();
    }

    @Override
    public boolean poweredOff(Machine machine) {
        return script(machine).poweredOff();
    }

    @Override
    public void drain(Machine machine) {
        targetGroups(machine).forEach(group -> balancer.drain(group, machine.instanceId()));
    }

    /** Puts a drained machine back. */
    void undrain(Machine machine) {
        targetGroups(machine).forEach(group -> balancer.undrain(group, machine.instanceId()));
    }

    @Override
    public void deregister(Machine machine) {
        targetGroups(machine).forEach(group -> balancer.release(group, machine.instanceId()));
    }

    @Override
    public void shutDown(Machine machine) {
        script(machine).shutDown();
    }

    @Override
    public void remove(Machine machine) {
        script(machine).kill();
        keepLogs(machine);
        script(machine).remove();
        targetGroups(machine).forEach(group -> balancer.forget(group, machine.instanceId()));
        rehearsal.fabric().disconnect(machine.name());
        machines.forget(machine);
    }

    List<TargetGroup> targetGroups(Machine machine) {
        List<String> arns = rehearsal.site().machineGroup(machine.group()).targetGroupArns();
        return rehearsal.site().balancer().targetGroups().stream()
                .filter(group -> arns.contains(group.arn()))
                .toList();
    }

    /** What its log group would still have when the machine is gone. */
    private void keepLogs(Machine machine) {
        String prefix = machine.instanceId() + "-" + machine.name() + "-";
        for (Path log : List.of(
                script(machine).diskFile("/var/log/twinhost.log"),
                script(machine).console())) {
            if (Files.exists(log)) {
                Folders.write(rehearsal.state().logs().resolve(prefix + log.getFileName()), Folders.read(log));
            }
        }
    }

    private Map<String, String> environment(Machine machine) {
        Site site = rehearsal.site();
        Path storage = rehearsal.state().storage(site.fileSystem());
        Map<String, String> environment = new HashMap<>();
        environment.put("NAME", machine.name());
        environment.put("HOSTNAME", machine.hostname());
        environment.put("INSTANCE_ID", machine.instanceId());
        environment.put("NETNS", rehearsal.fabric().machine(machine.name()).name());
        environment.put("CGROUP", rehearsal.cgroupOf(machine).toString());
        environment.put("CACHE", cache.toString());
        environment.put("EFS", Folders.make(storage).toString());
        environment.put("DNS", site.vpc().resolver());
        environment.put("TRUST", rehearsal.state().trust().toString());
        Path disk = rehearsal.state().diskSize();
        if (Files.exists(disk)) {
            environment.put("DISK", Folders.read(disk));
        }
        return environment;
    }

    private MachineScript script(Machine machine) {
        return rehearsal.script(machine);
    }
}
