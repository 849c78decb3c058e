package dev.twinhost;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Stands in for what a machine asks when machines come and go: the nodes of its Swarm, the auto scaling groups, the
 * balancer and the metadata service. The machine itself is the node {@code n-a}; {@code i-0b} is the other host.
 */
final class ClusterStandIn {
    static final String OTHER = "i-0b";
    static final String WITNESS = "i-0c";

    private final Shell shell;
    private final EngineStandIn engine;
    private final Map<String, String> nodes = new LinkedHashMap<>();
    private final Map<String, String> hosts = new LinkedHashMap<>();
    private final Map<String, String> witnesses = new LinkedHashMap<>();
    private final Map<String, String> targets = new LinkedHashMap<>();
    private String suspended = "";
    private String impaired = "";
    private String leader = "";

    ClusterStandIn(Shell shell, EngineStandIn engine) {
        this.shell = shell;
        this.engine = engine;
        shell.standIn("aws", """
                printf 'aws %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
                case $2 in
                  describe-auto-scaling-groups) cat "$TWINHOST_ROOT/groups" ;;
                  describe-target-health) cat "$TWINHOST_ROOT/health" ;;
                  get-secret-value) cat "$TWINHOST_ROOT/secret.json" ;;
                  set-instance-health | complete-lifecycle-action) ;;
                  *) exit 1 ;;
                esac""");
        engine.answer("GET", "/nodes/node-1", "{\"ManagerStatus\":{\"Leader\":true}}");
        node("n-a", Machine.INSTANCE, "host", "ready");
        node("n-b", OTHER, "host", "ready");
        node("n-c", WITNESS, "witness", "ready");
        instance(Machine.INSTANCE, "InService");
        instance(OTHER, "InService");
        instance(WITNESS, "InService");
        target(Machine.INSTANCE, "healthy");
        target(OTHER, "healthy");
        lifecycle("InService");
        engine.answer("GET", "/tasks", "[]");
        engine.refuse("GET", "/services/twinhost_app", "no such service");
    }

    ClusterStandIn node(String id, String instance, String role, String state) {
        nodes.put(id, """
                {"ID":"%s","CreatedAt":"2026-01-02T03:04:05Z","Spec":{"Role":"manager","Availability":"%s"},"Status":{"State":"%s"},"ManagerStatus":{"Addr":"x"},
                 "Description":{"Hostname":"%s","Engine":{"Labels":{"twinhost.instance":"%s","twinhost.role":"%s"}}}}""".formatted(id, role.equals("host") ? "active" : "drain", state, id, instance, role));
        return writeNodes();
    }

    ClusterStandIn noNode(String id) {
        nodes.remove(id);
        return writeNodes();
    }

    /** That node has been in the Swarm for longer than any other. */
    ClusterStandIn oldest(String id) {
        nodes.computeIfPresent(id, (key, node) -> node.replace("2026-", "2025-"));
        return writeNodes();
    }

    /** Another node than this machine's is the Raft leader. */
    ClusterStandIn leader(String id) {
        leader = id;
        return writeNodes();
    }

    ClusterStandIn instance(String id, String state) {
        (id.equals(WITNESS) ? witnesses : hosts).put(id, state);
        return writeGroups();
    }

    /** EC2 has found it impaired, and its group waits only for a successor. */
    ClusterStandIn impaired(String id) {
        impaired = id;
        return writeGroups();
    }

    /** The instance has ended; its group does not name it any more. */
    ClusterStandIn noInstance(String id) {
        hosts.remove(id);
        witnesses.remove(id);
        return writeGroups();
    }

    ClusterStandIn suspend(String process) {
        suspended = "{\"ProcessName\":\"" + process + "\"}";
        return writeGroups();
    }

    ClusterStandIn target(String instance, String state) {
        targets.put(instance, state);
        shell.write(
                "health",
                targets.entrySet().stream()
                        .map(target -> "{\"Target\":{\"Id\":\"" + target.getKey() + "\"},\"TargetHealth\":{\"State\":\""
                                + target.getValue() + "\"}}")
                        .collect(Collectors.joining(",", "{\"TargetHealthDescriptions\":[", "]}")));
        return this;
    }

    /** Nothing comes of asking the balancer. */
    ClusterStandIn noTargets() {
        shell.bash("rm health");
        return this;
    }

    /** What the metadata service says that the group wants of this machine. */
    ClusterStandIn lifecycle(String state) {
        shell.write("metadata/autoscaling_target-lifecycle-state", state);
        return this;
    }

    private ClusterStandIn writeNodes() {
        engine.answer(
                "GET",
                "/nodes",
                nodes.entrySet().stream()
                        .map(node -> node.getKey().equals(leader)
                                ? node.getValue().replace("{\"Addr\":\"x\"}", "{\"Leader\":true}")
                                : node.getValue())
                        .collect(Collectors.joining(",", "[", "]")));
        return this;
    }

    private ClusterStandIn writeGroups() {
        shell.write(
                "groups",
                "{\"AutoScalingGroups\":[" + group("hosts", "host", 2, hosts) + ","
                        + group("witnesses", "witness", 1, witnesses) + "]}");
        return this;
    }

    private String group(String name, String role, int desired, Map<String, String> instances) {
        return "{\"AutoScalingGroupName\":\"" + name + "\",\"DesiredCapacity\":" + desired
                + ",\"SuspendedProcesses\":[" + suspended + "],\"Tags\":[{\"Key\":\"twinhost:role\",\"Value\":\"" + role
                + "\"}],\"Instances\":["
                + instances.entrySet().stream()
                        .map(instance -> "{\"InstanceId\":\"" + instance.getKey() + "\",\"LifecycleState\":\""
                                + instance.getValue() + "\",\"HealthStatus\":\""
                                + (instance.getKey().equals(impaired) ? "Unhealthy" : "Healthy") + "\"}")
                        .collect(Collectors.joining(","))
                + "]}";
    }
}
