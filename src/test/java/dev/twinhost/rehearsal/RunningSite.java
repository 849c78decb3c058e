package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.balancer.TargetHealth;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A site that {@code up} has started for tests, and what they ask it and its machines. */
class RunningSite implements AutoCloseable {
    static final Duration WHOLE = Duration.ofSeconds(240);
    /** Between two looks at what machines say of themselves: each costs them many processes. */
    static final Duration LOOK = Duration.ofSeconds(2);

    private static final Pattern TARGET = Pattern.compile(" calls (i-\\w+) ");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Commands commands;
    private final Rehearsal rehearsal;
    private final List<String> words = new ArrayList<>(List.of("up"));

    /**
     * @param letter tells it from the sites of other tests
     * @param options of {@code up}
     */
    RunningSite(char letter, String... options) {
        commands = new Commands(Path.of(""), letter);
        rehearsal = commands.rehearsal();
        words.addAll(Arrays.asList(options));
    }

    /** Begins anew, whatever was there before. */
    final void start() throws Exception {
        commands.run("down");
        Commands.Run up = commands.run(words.toArray(String[]::new));
        assertThat(up.output()).contains("The site is up on 1 at ");
        assertThat(up.status()).isZero();
    }

    final Commands commands() {
        return commands;
    }

    final Rehearsal rehearsal() {
        return rehearsal;
    }

    /** Those that their groups do not end. */
    final List<Machine> machines() {
        return rehearsal.machines().all().stream()
                .filter(machine -> rehearsal
                        .instance(machine)
                        .filter(instance -> instance.healthy() && !instance.leaves())
                        .isPresent())
                .toList();
    }

    final List<Machine> hosts() {
        return machines().stream()
                .filter(machine ->
                        rehearsal.site().machineGroup(machine.group()).serves())
                .toList();
    }

    final List<Machine> runningHosts() {
        return hosts().stream().filter(host -> rehearsal.script(host).running()).toList();
    }

    final Machine witness() {
        return machines().stream()
                .filter(machine -> !hosts().contains(machine))
                .findFirst()
                .orElseThrow();
    }

    final Machine other(Machine host) {
        return hosts().stream()
                .filter(candidate -> !candidate.equals(host))
                .findFirst()
                .orElseThrow();
    }

    /** Output of a command inside a machine. */
    final String inside(Machine machine, String... words) {
        return rehearsal.inside(machine, Arrays.asList(words)).run().strip();
    }

    /** The same, with its status; it may fail. */
    final Command.Result attempt(Machine machine, String... words) {
        return rehearsal.inside(machine, Arrays.asList(words)).result();
    }

    /** curl as a visitor. */
    final String visit(String... arguments) {
        List<String> words = new ArrayList<>(List.of("curl", "-sS", "-m", "10"));
        words.addAll(Arrays.asList(arguments));
        return rehearsal.asVisitor(words).run();
    }

    /** curl to one host at its own address, from where the balancer stands. */
    final Command.Result visitHost(Machine host, String path) {
        String name = rehearsal.site().mainName();
        return rehearsal
                .curlAtBalancer(List.of(
                        "-sS",
                        "-m",
                        "10",
                        "--cacert",
                        "/mnt/ca.pem",
                        "--resolve",
                        name + ":443:" + host.address(),
                        "https://" + name + path))
                .result();
    }

    /** What the target groups say of a host. */
    final List<String> health(Machine host) {
        return rehearsal.site().balancer().targetGroups().stream()
                .flatMap(group -> rehearsal.health(group).stream())
                .filter(target -> target.instanceId().equals(host.instanceId()))
                .map(TargetHealth::state)
                .toList();
    }

    /** The certificate that a host shows. */
    final X509Certificate served(Machine host) {
        return new ServedCertificate(rehearsal, host, rehearsal.site().mainName())
                .certificate()
                .orElseThrow(() -> new AssertionError("Host " + host.name() + " shows no certificate"));
    }

    /** Has the certificate renewed before its time on the host that runs certbot; returns when that one serves it. */
    final void renew(Machine host) {
        new Renewal(rehearsal, host).run(List.of(host));
    }

    /** Since when it has been running, by its PID 1. */
    final Duration uptime(Machine machine) {
        return Duration.ofSeconds(Long.parseLong(inside(machine, "ps", "-o", "etimes=", "-p", "1")));
    }

    /** What {@code twinhost status --json} says there; nothing where the machine or its engine does not answer. */
    final Optional<JsonNode> status(Machine machine) {
        try {
            String output = attempt(machine, "timeout", "20", "twinhost", "status", "--json")
                    .output();
            return output.isBlank() ? Optional.empty() : Optional.of(JSON.readTree(output));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** The running containers of a service on a machine. */
    final List<String> containers(Machine machine, String service) {
        return attempt(machine, "docker", "ps", "-q", "-f", "label=com.docker.swarm.service.name=twinhost_" + service)
                .output()
                .lines()
                .toList();
    }

    final Optional<Machine> leader() {
        return machines().stream()
                .filter(machine -> rehearsal.script(machine).running())
                .filter(machine -> attempt(
                                machine,
                                "timeout",
                                "5",
                                "docker",
                                "node",
                                "inspect",
                                "self",
                                "--format",
                                "{{.ManagerStatus.Leader}}")
                        .output()
                        .strip()
                        .equals("true"))
                .findFirst();
    }

    /** Makes all others workers and managers again; what runs goes on running. */
    final void makeLeader(Machine wanted) {
        List<String> others = machines().stream()
                .filter(machine -> !machine.equals(wanted))
                .map(Machine::hostname)
                .toList();
        for (String verb : List.of("demote", "promote")) {
            for (String other : others) {
                Await.that(
                        "to " + verb + " " + other,
                        Duration.ofSeconds(60),
                        () -> attempt(wanted, "timeout", "20", "docker", "node", verb, other)
                                        .status()
                                == 0);
            }
            int managers = verb.equals("demote") ? 1 : others.size() + 1;
            Await.that(
                    "the Swarm to have " + managers + " managers",
                    Duration.ofSeconds(60),
                    () -> managers(wanted) == managers);
        }
        assertThat(leader()).contains(wanted);
    }

    private long managers(Machine machine) {
        return attempt(machine, "docker", "node", "ls", "--format", "{{.ManagerStatus}}")
                .output()
                .lines()
                .filter(line -> line.equals("Leader") || line.equals("Reachable"))
                .count();
    }

    final Machine hostOf(String service) {
        return runningHosts().stream()
                .filter(host -> !containers(host, service).isEmpty())
                .findFirst()
                .orElseThrow(() -> new AssertionError(service + " runs nowhere"));
    }

    /** What is missing until the site is as after its start; empty when nothing is. */
    final String missing() {
        List<Machine> hosts = runningHosts();
        int wanted = rehearsal.site().machineGroups().stream()
                .mapToInt(group -> group.size())
                .sum();
        if (machines().size() != wanted) {
            return machines().size() + " machines";
        }
        for (Machine machine : machines()) {
            if (!rehearsal.script(machine).running()) {
                return "machine " + machine.name() + " is off";
            }
        }
        Optional<JsonNode> status = status(hosts.get(0));
        if (status.isEmpty()) {
            return "no status";
        }
        if (status.get().path("nodes").size() != wanted) {
            return "nodes " + status.get().path("nodes");
        }
        List<String> living = machines().stream().map(Machine::instanceId).toList();
        for (JsonNode wrong : status.get().path("wrong")) {
            // A machine that is about to end stays a target for minutes; nobody has to wait for that.
            Matcher target = TARGET.matcher(wrong.asText());
            if (!target.find() || living.contains(target.group(1))) {
                return wrong.asText();
            }
        }
        for (Machine host : hosts) {
            if (containers(host, "app").size() != 1) {
                return "containers of the application on host " + host.name() + ": "
                        + containers(host, "app").size();
            }
        }
        return "";
    }

    /** Waits until three machines are one Swarm again, everything is healthy, and each host runs a replica. */
    final void awaitWhole() {
        String[] last = {""};
        try {
            Await.that("the site to be whole", WHOLE, LOOK, () -> {
                last[0] = missing();
                return last[0].isEmpty();
            });
        } catch (RuntimeException e) {
            throw new AssertionError(e.getMessage() + "; missing: " + last[0] + "\n" + logs(), e);
        }
    }

    /** The last lines of every machine's log: what a person would look at first. */
    final String logs() {
        StringBuilder text = new StringBuilder();
        for (Machine machine : machines()) {
            text.append("--- ")
                    .append(machine.name())
                    .append(' ')
                    .append(machine.address())
                    .append('\n');
            if (rehearsal.script(machine).running()) {
                text.append(attempt(machine, "sh", "-c", "tail -n 25 /var/log/twinhost.log; timeout 5 docker node ls")
                        .output());
            }
        }
        return text.toString();
    }

    /** Shortens what {@code heal} waits for on every machine that there is now; names as in TWINHOST_LIMIT_…. */
    final void limit(String... pairs) {
        String lines = Stream.of(pairs)
                .map(pair -> "export TWINHOST_LIMIT_" + pair)
                .reduce("", (all, line) -> all + line + "\n");
        machines().stream()
                .filter(machine -> rehearsal.script(machine).running())
                .forEach(machine ->
                        inside(machine, "sh", "-c", "printf '%s' '" + lines + "' >/etc/twinhost/limits.env"));
    }

    @Override
    public final void close() throws Exception {
        commands.run("down");
    }
}
