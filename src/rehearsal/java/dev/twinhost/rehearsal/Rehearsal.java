package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.authority.Authority;
import dev.twinhost.rehearsal.authority.RunningAuthority;
import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.balancer.TargetHealth;
import dev.twinhost.rehearsal.dns.DnsConfiguration;
import dev.twinhost.rehearsal.load.Load;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.MachineScript;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.registry.RunningRegistry;
import dev.twinhost.rehearsal.release.MachineRelease;
import dev.twinhost.rehearsal.scaling.AutoScaling;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.scaling.Launchers;
import dev.twinhost.rehearsal.scaling.StackUpdate;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.TargetGroup;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Cgroup;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.StateFolder;
import dev.twinhost.rehearsal.system.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A rehearsal of one working copy: the machines of its template, and around them what AWS would give. It lives in
 * processes, namespaces and files, not in this object: any process may make one to act on it.
 */
public final class Rehearsal {
    static final Path CACHE = Path.of("/var/cache/twinhost-rehearsal");

    private final Checkout checkout;
    private final StateFolder state;
    private final Path cache;
    private final Fabric fabric;
    private final String id;
    private final String prefix;
    private final Machines machines;
    private final Groups groups;
    private final RunningBalancer balancer;
    private Site site;

    public Rehearsal(Checkout checkout, String id, Path cache) {
        if (!id.matches("[a-zA-Z0-9]{1,12}")) {
            throw new Failure("TWINHOST_REHEARSAL=" + id + ": want at most 12 letters and digits.");
        }
        this.checkout = checkout;
        this.id = id;
        this.cache = cache;
        prefix = "th-" + id;
        state = StateFolder.of(id);
        fabric = new Fabric(prefix);
        machines = new Machines(state);
        groups = new Groups(state);
        balancer = new RunningBalancer(state.root().resolve("balancer"));
    }

    /** The rehearsal of a working copy, as the environment names it and its cache. */
    public static Rehearsal of(Checkout checkout) {
        Map<String, String> environment = System.getenv();
        return new Rehearsal(
                checkout,
                environment.getOrDefault("TWINHOST_REHEARSAL", checkout.id()),
                Path.of(environment.getOrDefault("TWINHOST_REHEARSAL_CACHE", CACHE.toString())));
    }

    public StateFolder state() {
        return state;
    }

    public Machines machines() {
        return machines;
    }

    public Site site() {
        if (site == null) {
            demandStarted();
            site = Site.read(state.assembly());
        }
        return site;
    }

    /** Fails where there is nothing that a command could act on. */
    void demandStarted() {
        if (!Files.exists(state.assembly().resolve("manifest.json"))) {
            throw new Failure("No rehearsal is up here; type: sudo bin/rehearse up");
        }
    }

    /** Whether {@code up} has ended well and this machine has not been switched off since. */
    public boolean complete() {
        return Files.exists(state.complete()) && cgroup().populated();
    }

    void markComplete() {
        Folders.write(state.complete(), "");
    }

    Cgroup cgroup() {
        return Cgroup.named(prefix);
    }

    /** Makes the state folder, which nobody else can make as well: from here on this rehearsal is taken. */
    public void claim() {
        try {
            Folders.make(StateFolder.ALL);
            Files.createDirectory(state.root());
        } catch (FileAlreadyExistsException e) {
            throw new Failure(
                    complete()
                            ? "A rehearsal of this working copy is up already: see it with bin/rehearse status, end it"
                                    + " with bin/rehearse down."
                            : "A rehearsal of this working copy is being started, or was left by a start that did not end:"
                                    + " end it with bin/rehearse down.");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Gives it back, while nothing has been started yet. */
    void abandon() {
        cgroup().leave();
        cgroup().end();
        Folders.delete(state.root());
    }

    /** Synthesises and reads the template; what the rehearsal cannot play is refused here. */
    public void synthesise(List<String> context) {
        // Its owner has to reach the folder that he synthesises into; everything else of the state is root's.
        open(StateFolder.ALL);
        open(state.root());
        checkout.synthesise(Folders.make(state.assembly()), context);
        Folders.write(state.context(), String.join("\n", context));
        site = Site.read(state.assembly());
    }

    /** Gives every machine that is launched from now on a disk of this size. */
    void limitDisks(int mebibytes) {
        Folders.write(state.diskSize(), String.valueOf(mebibytes));
    }

    /** Makes or refreshes the root file systems, which takes minutes the first time. */
    public void buildRootFileSystems() {
        int status = Command.of(checkout.script("machine/rootfs.sh").toString())
                .with("TWINHOST_REHEARSAL_CACHE", cache.toString())
                .attached();
        if (status != 0) {
            throw new Failure("The root file systems cannot be made, for the reason above.");
        }
    }

    public void makeNetwork() {
        fabric.make(site());
    }

    /** Starts what is around the machines: DNS, the balancer, the CA, the registry and the stand-in for AWS. */
    public void startSurroundings() {
        surroundings().start();
        nameRegistry(site());
    }

    /** Launches the machines that these groups want, all at once: boots them and makes them targets of their groups. */
    public List<Machine> launch(List<MachineGroup> wanted) {
        AutoScaling scaling = autoScaling(line -> {});
        List<Machine> launched = new ArrayList<>();
        for (MachineGroup group : wanted) {
            groups.create(group);
            for (int i = 0; i < group.size(); i++) {
                launched.add(scaling.launch(group));
            }
        }
        atOnce(launched, scaling::bringIntoService);
        return launched;
    }

    /** Starts the process that keeps the groups at the size that they want, and replaces what is unhealthy. */
    public void startAutoScaling() {
        surroundings().startAutoScaling(checkout.root(), id);
    }

    /** The groups' process itself. */
    AutoScaling autoScaling(Consumer<String> log) {
        return new AutoScaling(site(), groups, ec2(), log);
    }

    public Groups groups() {
        return groups;
    }

    /** Ends machines for good, all at once: power, disk, network, their places as targets and what is known of them. */
    public void remove(List<Machine> old) {
        atOnce(old, ec2()::remove);
        old.forEach(machine -> groups.change(machine.group(), group -> group.without(machine.instanceId())));
    }

    /** A power cut: its network is gone, then its processes; its disk stays. Nobody is told. */
    public void kill(Machine machine) {
        if (!script(machine).running()) {
            throw new Failure("Machine " + machine.name() + " is off already.");
        }
        script(machine).kill();
    }

    /** Power again: it boots from the same disk. */
    public void start(Machine machine) {
        if (script(machine).running()) {
            throw new Failure("Machine " + machine.name() + " is on already.");
        }
        if (instance(machine).filter(Instance::leaves).isPresent()) {
            throw new Failure("Machine " + machine.name() + " is being replaced: EC2 starts it no more.");
        }
        script(machine).start();
    }

    /** Calls it unhealthy, as EC2 does with a machine that is impaired: its group replaces it. Returns at once. */
    public void replace(Machine machine) {
        if (instance(machine).filter(Instance::leaves).isPresent()) {
            throw new Failure("Machine " + machine.name() + " is being replaced already.");
        }
        groups.change(machine.group(), group -> group.marking(machine.instanceId(), false));
    }

    /**
     * CloudFormation's rolling update of groups; returns when the last old machine is gone.
     *
     * @param launcher what the new machines run at their first boot; none: what the template says
     */
    void roll(Progress progress, List<MachineGroup> some, Optional<String> launcher) {
        StackUpdate update =
                new StackUpdate(groups, new Launchers(state), machines::withId, new BootWatch(this), progress::say);
        machines.beginCount();
        List<Machine> old = update.roll(some, launcher);
        progress.say("The update is complete; what was replaced takes its leave");
        for (Machine machine : old) {
            Await.that(
                    "the end of " + machine.described(),
                    departure(site().machineGroup(machine.group())),
                    () -> instance(machine).isEmpty());
            progress.say("  " + machine.described() + " is gone");
        }
        progress.say("At most " + machines.most()
                + " machines existed at the same time; the quota has to have room for them.");
    }

    /** Has every group take a new machine for ready after this time, for those who cannot wait for the template's. */
    public void shortenWarmup(Duration warmup) {
        site().machineGroups().forEach(group -> groups.change(group.id(), now -> now.warmingUp(warmup.toSeconds())));
    }

    /** How long the end of an unhealthy machine takes at most. */
    Duration departure(MachineGroup group) {
        return Duration.ofSeconds(groups.get(group.id()).warmup())
                .plus(autoScaling(line -> {}).departure(group))
                .plusMinutes(1);
    }

    /** It is gone at once, without a goodbye, as when EC2 has lost it. Its group launches another one. */
    public void terminate(Machine machine) {
        remove(List.of(machine));
    }

    /** A machine as its auto scaling group sees it. */
    public Optional<Instance> instance(Machine machine) {
        return groups.find(machine.group()).flatMap(group -> group.instance(machine.instanceId()));
    }

    /**
     * Applies the working copy as it is now, with the settings of its start and these in addition, to one machine after
     * the other.
     */
    public List<MachineRelease> release(Map<String, String> context) {
        ReleaseRun run = releaseRun();
        return run.apply(run.publish(context), result -> {});
    }

    ReleaseRun releaseRun() {
        return new ReleaseRun(this, checkout);
    }

    /** Deletes everything on the shared storage, while no machine runs. */
    public void emptyStorage() {
        Folders.delete(state.storage(site().fileSystem()));
    }

    /** Takes a machine out of the rotation: no new connections, in no target group. */
    public void drain(Machine machine) {
        ec2().drain(machine);
    }

    /** Puts a drained machine back. */
    public void undrain(Machine machine) {
        ec2().undrain(machine);
    }

    /** How many connections the balancer has given to a machine so far. */
    public long connections(Machine machine) {
        return ec2().targetGroups(machine).stream()
                .mapToLong(group -> balancer.connections(group, machine.instanceId()))
                .sum();
    }

    /** Nothing that the one machine sends reaches the other any more, connections that they have included. */
    public void cut(Machine from, Machine to) {
        fabric.cut(from.name(), to.name());
    }

    public void cutBoth(Machine one, Machine other) {
        cut(one, other);
        cut(other, one);
    }

    /** Nothing that this machine sends reaches any other, those that are launched later included. */
    public void mute(Machine machine) {
        fabric.mute(machine.name());
    }

    /** Nothing passes between this machine and any other; its ways to AWS, storage, balancer and internet stay. */
    public void isolate(Machine machine) {
        fabric.mute(machine.name());
        fabric.deafen(machine.name());
    }

    /** The shared storage hangs for this machine alone until it is mended, also when it boots again meanwhile. */
    public void stall(Machine machine) {
        storage(machine).begin();
    }

    public void unstall(Machine machine) {
        storage(machine).end();
    }

    /** Undoes everything that was cut of this machine, its storage included. */
    public void mend(Machine machine) {
        fabric.mend(machine.name());
        unstall(machine);
    }

    /** Undoes everything that was cut, and the trouble of the CA and of the registry. */
    public void mend() {
        fabric.mend();
        authority().mend();
        registry().mend();
        machines.all().forEach(this::unstall);
    }

    /** Where every process of a machine is. */
    Path cgroupOf(Machine machine) {
        return cgroup().folder().resolve("machine-" + machine.name());
    }

    public MachineScript script(Machine machine) {
        return new MachineScript(checkout.script("machine/machine.sh"), machines.folder(machine));
    }

    /** A command inside a machine. */
    public Command inside(Machine machine, List<String> words) {
        return script(machine).inside(words);
    }

    /** A command with the network, DNS and trust of a visitor. */
    public Command asVisitor(List<String> words) {
        return tools().asVisitor(fabric.internet(), state.visitor(), words);
    }

    /** Visitors who come at a steady rate, one new TLS connection for each request, until the load is stopped. */
    public Load startLoad(int rate) {
        return startLoad(rate, Duration.ZERO);
    }

    /** The same for a time; zero: until it is stopped. */
    public Load startLoad(int rate, Duration time) {
        String name = "load-" + System.nanoTime();
        Path file = state.loads().resolve(name);
        String url = "https://" + site().mainName() + "/whoami";
        List<String> generator = Load.generator(state.classes(), url, rate, time.toSeconds(), file);
        Load load = new Load(
                tools().visitorDaemon(name, fabric.internet(), state.visitor(), generator),
                rate,
                file,
                tools().log(Surroundings.BALANCER),
                machines::all);
        load.awaitBegin();
        return load;
    }

    /** curl of the tools where only the balancer stands; /mnt is the visitor's folder. */
    Command curlAtBalancer(List<String> arguments) {
        return curl(fabric.balancer(), arguments);
    }

    /** curl of the tools inside any namespace of this rehearsal. */
    public Command curl(Namespace where, List<String> arguments) {
        List<String> words = new ArrayList<>(List.of("curl"));
        words.addAll(arguments);
        return tools().command(where, state.visitor(), words.toArray(String[]::new));
    }

    public Fabric fabric() {
        return fabric;
    }

    public List<TargetHealth> health(TargetGroup group) {
        return balancer.health(group);
    }

    /** The CA, as it runs. */
    public RunningAuthority authority() {
        return new RunningAuthority(state.authority(), tools().log(Authority.FRONT));
    }

    /** The registry of images, as it runs. */
    public RunningRegistry registry() {
        List<Path> dns = Stream.of("vpc", "internet")
                .map(server -> state.dns().resolve(server).resolve(DnsConfiguration.CHANGING))
                .toList();
        return new RunningRegistry(checkout.script(""), cache, state.registry(), dns, fabric.internet(), tools());
    }

    /** Has the registry answer as the one from which this site's application comes. */
    void nameRegistry(Site wanted) {
        wanted.release().appImage().ifPresent(image -> registry().answerAs(List.of(image.host())));
    }

    public Optional<Signal> signal(Machine machine) {
        return machines.signal(machine);
    }

    /** Whether anything of it is there: processes, namespaces or files. */
    public boolean exists() {
        return state.exists() || cgroup().populated() || fabric.vpc().exists();
    }

    /** Ends all of it. What is not there any more, or not yet, is passed over. */
    public void end() {
        cgroup().end();
        Fabric.unmake(prefix);
        if (state.exists()) {
            Folders.delete(state.root());
        }
    }

    private static void atOnce(List<Machine> machines, Consumer<Machine> work) {
        List<CompletableFuture<Void>> running = machines.stream()
                .map(machine ->
                        CompletableFuture.runAsync(() -> work.accept(machine), task -> new Thread(task).start()))
                .toList();
        try {
            running.forEach(CompletableFuture::join);
        } catch (CompletionException e) {
            throw e.getCause() instanceof Failure failure ? failure : e;
        }
    }

    private StalledStorage storage(Machine machine) {
        return new StalledStorage(machines.folder(machine), Cgroup.at(cgroupOf(machine)));
    }

    private Ec2 ec2() {
        return new Ec2(this, machines, new Launchers(state), balancer, cache);
    }

    private Surroundings surroundings() {
        return new Surroundings(checkout, cache, state, fabric, site(), tools());
    }

    private Tools tools() {
        return new Tools(checkout.script("tools/enter.sh"), cache.resolve("tools"), cgroup(), state.logs());
    }

    private static void open(Path folder) {
        try {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
