# What the leader of the Swarm does next, from what it sees: one object.
#   nodes ($nodes), the auto scaling groups ($groups; null when they cannot be asked), targets ($targets, as target_health prints them),
#   and since when each node is down and each instance is missing in the Swarm ($since), on this machine's own clock ($now).
# gone: nodes to remove; wanted: whether anything should be replaced, then targets are needed; replace: an instance that its group shall replace; wait: why nothing is replaced though something should be;
# since: what to give to the next look.
include "targets";

def listed: [$groups[]?.instances[]];
# ended: whether its group has ended it, or will: an unhealthy one waits only until its successor has warmed up
def ended($instance): [listed[] | select(.id == $instance)] | length == 0 or any(.[]; (.state | startswith("Terminat")) or .health == "Unhealthy");
[$nodes[0][] | {id: .ID, name: .Description.Hostname, instance: (.Description.Engine.Labels["twinhost.instance"] // "unknown"),
  down: (.Status.State == "down"), ready: (.Status.State == "ready")}] as $nodes
| [$nodes[] | select(.ready) | .instance] as $alive
| ([$nodes[] | select(.down) | {key: .id, value: ($since.down[.id] // $now)}] | from_entries) as $down
| ([listed[] | select(.state == "InService") | .id | select([.] - [$nodes[].instance] != []) | {key: ., value: ($since.missing[.] // $now)}] | from_entries) as $missing
# a list without this very machine was not asked rightly, and proves nothing of others
| ($groups != null and any(listed[]; .id == $self)) as $asked
# of a node that does not say which machine it is nothing is known, so nothing is done about it
| [$nodes[] | select(.down and .instance != "unknown") | . as $node
    | if $alive | index($node.instance) then . + {why: "its machine is in the Swarm as another node"}
      elif $asked and ended($node.instance) then . + {ended: true, why: "its instance \($node.instance) is gone"}
      else empty end] as $gone
| [ ($nodes[] | select(.down) | select(.instance != "unknown" and [.id] - [$gone[].id] != []) | select($now - $down[.id] >= $limits.down)
      | {instance, why: "Swarm has called \(.name) down for \($now - $down[.id]) s"}),
    ($missing | to_entries[] | select($now - .value >= $limits.missing)
      | {instance: .key, why: "it has not been in the Swarm for \($now - .value) s"})]
  # one that visitors are served by comes last
  | sort_by(.instance as $id | serves($id)) as $wanted
| (if ($wanted | length) == 0 then null
   elif $asked | not then "the auto scaling groups cannot be asked"
   elif any($groups[]; .suspended | index("ReplaceUnhealthy") or index("HealthCheck")) then "the groups are being updated"
   elif any(listed[]; .state != "InService" or .health != "Healthy") then "another machine is being replaced"
   elif any($groups[]; (.instances | length) < .desired) then "another machine is being launched"
   elif targets == [] then "the balancer cannot be asked"
   elif spare($wanted[0].instance; [listed[].id]) | not then "it is the last one that the balancer calls healthy"
   else null end) as $wait
| {
    since: {down: $down, missing: $missing},
    gone: $gone,
    wanted: ($wanted != []),
    replace: (if $wait == null then $wanted[0] // null else null end),
    wait: (if $wait == null then "" else "\($wanted[0].instance) should be replaced, because \($wanted[0].why), but \($wait)" end)
  }
