package dev.twinhost.rehearsal;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.TargetGroup;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** How a rehearsal stands. */
record Status(
        @JsonProperty("complete") boolean complete,
        @JsonProperty("url") String url,
        @JsonProperty("machines") List<MachineStatus> machines) {
    static Status of(Rehearsal rehearsal) {
        List<MachineStatus> machines = new ArrayList<>();
        for (Machine machine : rehearsal.machines().all()) {
            machines.add(MachineStatus.of(rehearsal, machine));
        }
        return new Status(rehearsal.complete(), "https://" + rehearsal.site().mainName() + "/", machines);
    }

    String text() {
        List<String> lines = new ArrayList<>();
        lines.add(url + " is " + (complete ? "up" : "not up"));
        lines.add(MachineStatus.HEADER);
        machines.forEach(machine -> lines.add(machine.text()));
        return String.join("\n", lines);
    }

    /** How one machine stands; a machine that serves nobody has no targets and no certificate. */
    record MachineStatus(
            @JsonProperty("name") String name,
            @JsonProperty("instance") String instance,
            @JsonProperty("address") String address,
            @JsonProperty("zone") String zone,
            @JsonProperty("lifecycle") String lifecycle,
            @JsonProperty("health") String health,
            @JsonProperty("running") boolean running,
            @JsonProperty("signal") String signal,
            @JsonProperty("targets") Map<String, String> targets,
            @JsonProperty("certificate") Certificate certificate) {
        private static final String FORMAT = "%-8s %-19s %-12s %-14s %-19s %-6s %-8s %-12s %s";
        private static final String HEADER = FORMAT.formatted(
                "machine", "instance", "address", "zone", "lifecycle", "power", "signal", "targets", "certificate");

        private static MachineStatus of(Rehearsal rehearsal, Machine machine) {
            boolean running = rehearsal.script(machine).running();
            MachineGroup group = rehearsal.site().machineGroup(machine.group());
            Map<String, String> targets = new LinkedHashMap<>();
            for (TargetGroup target : rehearsal.site().balancer().targetGroups()) {
                rehearsal.health(target).stream()
                        .filter(health -> health.instanceId().equals(machine.instanceId()))
                        .forEach(health -> targets.put(String.valueOf(target.port()), health.state()));
            }
            Optional<Instance> instance = rehearsal.instance(machine);
            return new MachineStatus(
                    machine.name(),
                    machine.instanceId(),
                    machine.address(),
                    machine.zone(),
                    instance.map(known -> known.lifecycle().word()).orElse("none"),
                    instance.map(known -> known.healthy() ? "Healthy" : "Unhealthy")
                            .orElse("none"),
                    running,
                    rehearsal.signal(machine).map(Signal::name).orElse("none"),
                    targets,
                    running && group.serves()
                            ? Certificate.of(rehearsal, machine).orElse(null)
                            : null);
        }

        /** One word where all targets agree. */
        private String targetsText() {
            return targets.values().stream().distinct().count() == 1
                    ? targets.values().iterator().next()
                    : targets.toString().replaceAll("[{}]", "");
        }

        private String text() {
            return FORMAT.formatted(
                            name,
                            instance,
                            address,
                            zone,
                            lifecycle.equals("InService") && !health.equals("Healthy") ? health : lifecycle,
                            running ? "on" : "off",
                            signal.toLowerCase(Locale.ROOT),
                            targets.isEmpty() ? "-" : targetsText(),
                            certificate == null ? "-" : certificate.text())
                    .stripTrailing();
        }
    }

    /** The certificate that a host shows for the first name of the site. */
    record Certificate(
            @JsonProperty("names") List<String> names,
            @JsonProperty("issuer") String issuer,
            @JsonProperty("end") String end,
            @JsonProperty("trusted") boolean trusted) {
        private static Optional<Certificate> of(Rehearsal rehearsal, Machine machine) {
            ServedCertificate served = new ServedCertificate(
                    rehearsal, machine, rehearsal.site().names().get(0));
            return served.certificate()
                    .map(certificate -> new Certificate(
                            names(certificate),
                            certificate.getIssuerX500Principal().getName(),
                            Instant.ofEpochMilli(certificate.getNotAfter().getTime())
                                    .toString(),
                            served.trusted()));
        }

        private String text() {
            return String.join(", ", names) + " until " + end.substring(0, 10) + ", " + issuer
                    + (trusted ? "" : " (not trusted)");
        }

        private static List<String> names(X509Certificate certificate) {
            try {
                return certificate.getSubjectAlternativeNames() == null
                        ? List.of()
                        : certificate.getSubjectAlternativeNames().stream()
                                .map(name -> name.get(1).toString())
                                .sorted()
                                .toList();
            } catch (CertificateParsingException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
