package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Await;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A renewal of the certificate before its time: certbot orders it where it runs, and each host takes it over by itself. */
final class Renewal {
    /** From the new certificate on the shared storage until every host serves it. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    private final Rehearsal rehearsal;
    private final Machine host;
    private final String container;

    /** On a host that runs certbot. */
    Renewal(Rehearsal rehearsal, Machine host) {
        this.rehearsal = rehearsal;
        this.host = host;
        container = container(rehearsal, host)
                .orElseThrow(() -> new Failure("Host " + host.name() + " does not run certbot now"));
    }

    /** On the host that runs certbot, whichever it is. */
    static Renewal of(Rehearsal rehearsal) {
        return hosts(rehearsal).stream()
                .filter(host -> container(rehearsal, host).isPresent())
                .findFirst()
                .map(host -> new Renewal(rehearsal, host))
                .orElseThrow(() ->
                        new Failure("No host runs certbot now; see why with bin/rehearse exec 1 twinhost status"));
    }

    Machine host() {
        return host;
    }

    /** Has certbot order it; its end is that of the order. It may fail. */
    Command.Result order() {
        return rehearsal
                .inside(
                        host,
                        List.of(
                                "docker",
                                "exec",
                                container,
                                "sh",
                                "-c",
                                // without --no-random-sleep-on-renew it sleeps up to eight minutes where nobody watches
                                "exec certbot renew -n --force-renewal --no-random-sleep-on-renew"
                                        + " --config-dir \"/srv/letsencrypt/$TWINHOST_ACME_NAME\""
                                        + " --work-dir /tmp/renewal/work --logs-dir /tmp/renewal/logs"))
                .result();
    }

    /** Orders it and waits until all of these hosts serve it; says within what time, counted from its being on the shared storage. */
    Map<Machine, Duration> run(List<Machine> servers) {
        Map<Machine, Optional<X509Certificate>> old = new HashMap<>();
        servers.forEach(server -> old.put(server, served(server)));
        Command.Result order = order();
        if (order.status() != 0) {
            throw new Failure("certbot does not renew on host " + host.name() + ":\n"
                    + order.output().strip() + "\n" + order.error().strip());
        }
        long begin = System.nanoTime();
        Map<Machine, Duration> times = new LinkedHashMap<>();
        for (Machine server : servers) {
            Await.that(
                    "the renewed certificate on host " + server.name(),
                    LIMIT,
                    () -> served(server)
                            .filter(now -> !old.get(server).equals(Optional.of(now)))
                            .isPresent());
            times.put(server, Duration.ofNanos(System.nanoTime() - begin));
        }
        return times;
    }

    /** The hosts that run. */
    static List<Machine> hosts(Rehearsal rehearsal) {
        return rehearsal.machines().all().stream()
                .filter(machine ->
                        rehearsal.site().machineGroup(machine.group()).serves())
                .filter(machine -> rehearsal.script(machine).running())
                .toList();
    }

    private static Optional<String> container(Rehearsal rehearsal, Machine host) {
        return rehearsal
                .inside(
                        host,
                        List.of("docker", "ps", "-q", "-f", "label=com.docker.swarm.service.name=twinhost_certbot"))
                .result()
                .output()
                .lines()
                .findFirst();
    }

    private Optional<X509Certificate> served(Machine server) {
        return new ServedCertificate(rehearsal, server, rehearsal.site().mainName()).certificate();
    }
}
