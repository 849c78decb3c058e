# What `twinhost status` knows, as one object; `wrong` says in words what is not as it should be.
include "targets";

$info[0] as $info | $nodes[0] as $nodes | $services[0] as $services | $tasks[0] as $tasks | $noted[0] as $noted | $meant[0] as $meant
# the replicas of a service that run; Swarm goes on counting what ran on a node that is down
| def running: .ID as $service | [$tasks[]? | select(.ServiceID == $service and .DesiredState == "running" and .Status.State == "running") | . as $task
    | $nodes[]? | select(.ID == $task.NodeID and .Status.State == "ready") | {node: .Description.Hostname, image: $task.Spec.ContainerSpec.Image}];
def digest: split("@")[1];
# a reference as one reads it, with the beginning of its digest
def short: if test("@sha256:[0-9a-f]{64}$") then .[:-52] else . end;
def updates: .UpdateStatus.State? | IN("updating", "rollback_started");

(first($services[]? | select(.Spec.Name == "twinhost_app")) // null) as $app
# who applies a release holds this config: take_turn in release.sh
| (first($turn[0][]? | select(.Spec.Name == "twinhost_release") | .Spec.Labels["twinhost.instance"] // "?") // "") as $releases
| {
    site: $site,
    maintenance: $maintenance,
    machine: {instance: $instance, role: $role, address: $address, release: $release, swarm: ($info.Swarm?.LocalNodeState? // "unknown"),
      diskPercent: $disk, mayAct: ($why == ""), mayNotActBecause: $why},
    record: (if $record then {generation: $record.generation, founder: $record.founder, cluster: $record.cluster, converged: $record.release,
      readSecondsAgo: ($now - $record.read), managers: $record.managers} else null end),
    nodes: (if $nodes then [$nodes[] | {name: .Description.Hostname, instance: (.Description.Engine.Labels["twinhost.instance"] // "?"),
      role: (.Description.Engine.Labels["twinhost.role"] // "?"), state: .Status.State, availability: .Spec.Availability,
      manager: (if .ManagerStatus.Leader? then "leader" elif .ManagerStatus then .ManagerStatus.Reachability else "none" end)}] | sort_by(.role, .name) else null end),
    services: (if $services then [$services[] | . as $service | [running[].node] as $on
      | {name: (.Spec.Name | ltrimstr("twinhost_")), running: ($on | length), wanted: .ServiceStatus.DesiredTasks, update: (.UpdateStatus.State? // "none"),
      # what a task last failed with; the port that an edge still holds is the way of a stop-first update
      error: ([$tasks[]? | select(.ServiceID == $service.ID and .Status.Err) | select(.Status.Err | startswith("host-mode port already in use") | not)]
        | sort_by(.Status.Timestamp) | last | .Status.Err // ""),
      nodes: $on}]
      | sort_by(.name) else null end),
    # what each host runs, what is noted with the release that converged last, and what the tag means to its registry now
    application: ($app | if . then {image: .Spec.TaskTemplate.ContainerSpec.Image, noted: $noted, tag: $meant,
      running: [running[] | select(.image | type == "string") | . + {version: (.image | short)}] | unique} else null end),
    targets: targets,
    certificate: $certificate,
    healed: $healed
  }
| . + {notes: [
    (if $releases == "" then empty else "\($releases) applies a release" end),
    ($meant | select(. and .why) | "the registry could not be asked what the tag \(.tag) means now: \(.why)"),
    ($meant | select(. and .digest and .digest != ($app.Spec.TaskTemplate.ContainerSpec.Image | digest))
      | "the tag \(.tag) has moved: twinhost release --resolve takes what it means now")
  ]}
| . + {wrong: [
    (if .nodes == null then "this machine sees no leader of the Swarm: nothing is scheduled, what runs goes on" else empty end),
    (.nodes[]? | select(.state != "ready") | "the node \(.name) (\(.instance)) is \(.state)"),
    (.nodes[]? | select(.manager == "unreachable") | "the manager \(.name) (\(.instance)) is unreachable"),
    (if .nodes then [.nodes[] | select(.manager != "none" and .manager != "unreachable")] | length | select(. < $managers) | "\(.) of \($managers) managers are reachable" else empty end),
    (if .nodes and ([.nodes[] | select(.role == "host" and .state == "ready")] | length) < 2 then "fewer than two hosts are ready" else empty end),
    (.services[]? | select(.running < .wanted) | "the service \(.name) runs \(.running) of \(.wanted)\(if .error == "" then "" else ": \(.error)" end)"),
    (.services[]? | select(.update | IN("paused", "rollback_paused", "rollback_completed")) | "the last update of \(.name): \(.update | gsub("_"; " "))"),
    (.application | select(. != null and ($app | updates | not)) | [.running[].version] as $versions
      | if .running | map(.image) | unique | length > 1 then "the hosts run different images of the application: \(.running | map("\(.node) \(.version)") | join(", "))"
        elif .noted and $versions != [] and $releases == "" and (.running[0].image | digest) != (.noted | digest)
          then "the application runs \($versions[0]), the release that converged last ran \(.noted | short)"
        else empty end),
    (if $disk >= 90 then "the disk of this machine is \($disk) % full: Docker may start nothing here" else empty end),
    (if .services == [] then "no release is deployed" else empty end),
    (if .targets == [] then "the balancer names no target, or cannot be asked" else empty end),
    (.targets[] | select(.state != "healthy") | "\(.group) calls \(.instance) \(.state)"),
    (if .record == null then "the cluster record was never read" elif .machine.mayAct then empty else "this machine may not act: \(.machine.mayNotActBecause)" end),
    (if $role == "witness" then empty elif .certificate == null then "there is no certificate" elif .certificate.placeholder then "a placeholder is served\(if .certificate.certbot == "" then "" else "; certbot: \(.certificate.certbot)" end)"
      elif .certificate.daysLeft < 14 then "the certificate ends in \(.certificate.daysLeft) days\(if .certificate.certbot == "" then "" else "; certbot: \(.certificate.certbot)" end)" else empty end),
    (.certificate | select($role != "witness" and . != null)
      | (select(.served | not) | "the edge of this machine shows no certificate"),
        (select(.own | not) | "the edge serves another certificate than the one on this machine"),
        (select(.missing != []) | "the certificate is not for \(.missing | join(", "))")),
    (if .record and .record.converged != "" and .record.converged != .machine.release then "this machine runs with release \(.machine.release[0:12]), \(.record.converged[0:12]) converged last" else empty end)
  ]}
