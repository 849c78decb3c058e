package dev.twinhost.rehearsal.balancer;

import dev.twinhost.rehearsal.site.TargetGroup;
import dev.twinhost.rehearsal.system.RuntimeSocket;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The balancer while it runs: its targets, named by instance id, through HAProxy's runtime socket. */
public final class RunningBalancer {
    private final RuntimeSocket socket;

    public RunningBalancer(Path folder) {
        socket = new RuntimeSocket("The balancer", folder.resolve(BalancerConfiguration.SOCKET));
    }

    public boolean answers() {
        return socket.answers();
    }

    /** Makes an instance a target; it gets visitors as soon as a check has passed. */
    public void register(TargetGroup group, String instanceId, String address) {
        String checked = BalancerConfiguration.backend(group) + "/" + instanceId;
        String open = BalancerConfiguration.open(BalancerConfiguration.backend(group)) + "/" + instanceId;
        socket.demand(
                "add server " + checked + " " + BalancerConfiguration.checked(group, address),
                "New server registered.");
        socket.demand(
                "add server " + open + " " + BalancerConfiguration.unchecked(group, address), "New server registered.");
        socket.demand("enable health " + checked, "");
        socket.demand("enable server " + checked, "");
        socket.demand("enable server " + open, "");
    }

    /** No new connections for this target; those that it has go on. */
    public void drain(TargetGroup group, String instanceId) {
        state(group, instanceId, "drain");
    }

    public void undrain(TargetGroup group, String instanceId) {
        state(group, instanceId, "ready");
    }

    /** The end of a deregistration: it is no target any more. What it still has goes on, unless the group cuts that. */
    public void release(TargetGroup group, String instanceId) {
        state(group, instanceId, "maint");
        if (group.endsDeregisteredConnections()) {
            backends(group)
                    .forEach(backend -> socket.demand("shutdown sessions server " + backend + "/" + instanceId, ""));
        }
    }

    /** Forgets a machine, if it is known, and cuts what it still has. */
    public void forget(TargetGroup group, String instanceId) {
        for (String backend : backends(group)) {
            if (rows(backend).stream().noneMatch(row -> row.get("svname").equals(instanceId))) {
                continue;
            }
            String server = backend + "/" + instanceId;
            socket.demand("set server " + server + " state maint", "");
            socket.demand("shutdown sessions server " + server, "");
            socket.demand("wait 5s srv-removable " + server, "Done.");
            socket.demand("del server " + server, "Server deleted.");
        }
    }

    public List<TargetHealth> health(TargetGroup group) {
        return rows(BalancerConfiguration.backend(group)).stream()
                .filter(row -> !row.get("status").startsWith("MAINT"))
                .map(row -> health(group, row))
                .toList();
    }

    /** How many connections a target has been given so far. */
    public long connections(TargetGroup group, String instanceId) {
        return backends(group).stream()
                .flatMap(backend -> rows(backend).stream())
                .filter(row -> row.get("svname").equals(instanceId))
                .mapToLong(row -> row.number("stot"))
                .sum();
    }

    /** The statistics of the servers of a backend. */
    private List<Row> rows(String backend) {
        String[] lines = socket.ask("show stat " + backend + " 4 -1").split("\n");
        List<String> names = Arrays.asList(lines[0].replaceFirst("^# ", "").split(","));
        return Arrays.stream(lines)
                .skip(1)
                .map(line -> new Row(names, line.split(",", -1)))
                .toList();
    }

    private static TargetHealth health(TargetGroup group, Row row) {
        String status = row.get("status");
        String id = row.get("svname");
        if (status.startsWith("DRAIN")) {
            return new TargetHealth(
                    id,
                    group.port(),
                    "draining",
                    "Target.DeregistrationInProgress",
                    "Target deregistration is in progress");
        }
        if (status.startsWith("UP") || status.startsWith("no check")) {
            return new TargetHealth(id, group.port(), "healthy", "", "");
        }
        boolean everUp = row.number("chkdown") > 0;
        if (row.get("check_status").equals("INI") || !everUp && row.number("lastchg") < secondsToFail(group)) {
            return new TargetHealth(
                    id, group.port(), "initial", "Elb.InitialHealthChecking", "Initial health checks in progress");
        }
        boolean draining = everUp && row.number("lastchg") < group.drainingSeconds();
        return new TargetHealth(
                id,
                group.port(),
                draining ? "unhealthy.draining" : "unhealthy",
                "Target.FailedHealthChecks",
                "Health checks failed" + (row.get("last_chk").isEmpty() ? "" : ": " + row.get("last_chk")));
    }

    /** After how long without success a new target is no longer called initial. */
    private static int secondsToFail(TargetGroup group) {
        return group.check().fall() * (group.check().interval() + group.check().timeout());
    }

    private void state(TargetGroup group, String instanceId, String state) {
        for (String backend : backends(group)) {
            socket.demand("set server " + backend + "/" + instanceId + " state " + state, "");
        }
    }

    private static List<String> backends(TargetGroup group) {
        String checked = BalancerConfiguration.backend(group);
        return List.of(checked, BalancerConfiguration.open(checked));
    }

    private record Row(List<String> names, String[] values) {
        String get(String name) {
            return values[names.indexOf(name)];
        }

        int number(String name) {
            String value = get(name);
            return value.isEmpty() ? 0 : Integer.parseInt(value);
        }
    }
}
