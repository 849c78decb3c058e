package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.authority.Authority;
import dev.twinhost.rehearsal.aws.AwsStandIn;
import dev.twinhost.rehearsal.balancer.BalancerConfiguration;
import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.dns.DnsConfiguration;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.registry.Registry;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.Namespace;
import dev.twinhost.rehearsal.system.StateFolder;
import dev.twinhost.rehearsal.system.Tools;
import dev.twinhost.rehearsal.system.Tools.Daemon;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The daemons around the machines: DNS within the VPC and outside, the balancer, the CA, the registry and the stand-in for AWS. */
final class Surroundings {
    static final String BALANCER = "balancer";

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final Path workingCopy;
    private final Path scripts;
    private final Path cache;
    private final StateFolder state;
    private final Fabric fabric;
    private final Site site;
    private final Tools tools;

    Surroundings(Checkout checkout, Path cache, StateFolder state, Fabric fabric, Site site, Tools tools) {
        workingCopy = checkout.root();
        scripts = checkout.script("");
        this.cache = cache;
        this.state = state;
        this.fabric = fabric;
        this.site = site;
        this.tools = tools;
    }

    /** Starts all of them and returns when each answers. */
    void start() {
        Daemon aws = startAws();
        Daemon inVpc = startDns("vpc", fabric.vpc(), site.vpc().resolver(), DnsConfiguration.privateNames(site));
        Daemon outside = startDns("internet", fabric.internet(), Fabric.RESOLVER, List.of());
        Daemon balancer = startBalancer();
        Authority authority = new Authority(scripts, state.authority(), fabric.internet(), tools, cache);
        authority.start();
        Folders.write(state.trust(), authority.root());
        new Registry(scripts, cache, state.registry(), fabric.internet(), tools).start();
        // browsers ask again within a second or two; the C library alone would wait for five
        Folders.write(
                state.visitor().resolve("resolv.conf"),
                "nameserver " + Fabric.RESOLVER + "\noptions timeout:1 attempts:4\n");
        RunningBalancer running = new RunningBalancer(state.balancer());
        Await.that("the balancer", LIMIT, () -> balancer.running() && running.answers());
        Path ready = state.root().resolve(AwsStandIn.READY);
        Await.that("the stand-in for AWS", LIMIT, () -> aws.running() && Files.exists(ready));
        Await.that("DNS", LIMIT, () -> inVpc.running() && outside.running() && inVpc.spoke() && outside.spoke());
    }

    private Daemon startDns(String name, Namespace where, String address, List<String> more) {
        DnsConfiguration configuration = new DnsConfiguration(site, Fabric.balancerAddresses(site));
        Path folder = Folders.make(state.dns().resolve(name));
        copy("dnsmasq.conf", folder);
        Folders.make(folder.resolve(DnsConfiguration.CHANGING));
        Folders.write(folder.resolve("site.conf"), configuration.text(address, more));
        Folders.write(folder.resolve("hosts"), configuration.hosts());
        return tools.daemon(
                "dns-" + name, where, folder, "dnsmasq", "-C", "/mnt/dnsmasq.conf", "--conf-file=/mnt/site.conf");
    }

    private Daemon startBalancer() {
        Path folder = state.balancer();
        copy("balancer.cfg", folder);
        Folders.write(
                folder.resolve("site.cfg"),
                new BalancerConfiguration(site.balancer(), Fabric.balancerAddresses(site)).text());
        return tools.daemon(
                BALANCER,
                fabric.balancer(),
                folder,
                "haproxy",
                "-db",
                "-f",
                "/mnt/balancer.cfg",
                "-f",
                "/mnt/site.cfg");
    }

    private Daemon startAws() {
        return tools.ownDaemon(
                "aws", fabric.vpc(), java(AwsStandIn.class, state.root().toString(), workingCopy.toString()));
    }

    /** Starts the groups' process, which makes namespaces and therefore lives outside of all. */
    void startAutoScaling(Path checkout, String id) {
        Daemon scaling = tools.outsideDaemon(
                "auto-scaling", java(AutoScalingProcess.class, checkout.toString(), id, cache.toString()));
        Await.that("auto scaling", LIMIT, () -> scaling.running() && scaling.spoke());
    }

    /** A class of the rehearsal as a program: from a copy, as the working copy may be compiled anew while it runs. */
    private List<String> java(Class<?> main, String... arguments) {
        Path classes = state.classes();
        Path packages = classes.resolve("dev/twinhost");
        boolean copied = Files.isDirectory(packages);
        Folders.make(packages);
        List<String> path = new ArrayList<>(List.of(classes.toString()));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path own = Path.of(entry, "dev/twinhost/rehearsal");
            if (Files.isDirectory(own) && !copied) {
                Command.of("cp", "-r", own.toString(), packages.toString()).run();
            } else if (entry.contains("jackson-")) {
                path.add(entry);
            }
        }
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-cp",
                String.join(File.pathSeparator, path),
                main.getName()));
        words.addAll(List.of(arguments));
        return words;
    }

    private void copy(String file, Path folder) {
        Folders.write(
                folder.resolve(file), Folders.read(scripts.resolve("tools").resolve(file)));
    }
}
