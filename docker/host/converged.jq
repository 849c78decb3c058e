# What keeps a stack from having converged: one line for each service; nothing when all run what they were told to.
# "goes back: …" says why Swarm rolls back, while it does; "failed: …" that waiting is of no use.
# A port of the host that the old edge still holds is no error, it is the way of a stop-first update.
# $besides: a service that nobody waits for.
# $before: by service, the state and start of the last update before this release, so that an old failure is not taken for a new one.
($nodes[0] | map(select(.Status.State == "ready" and .Spec.Availability == "active" and .Description.Engine.Labels["twinhost.role"] == "host")) | length) as $hosts
| $services[0][]
| . as $service
| .Spec.Name as $name
| select($name != $besides)
| [$tasks[0][] | select(.ServiceID == $service.ID)] as $all
| [$all[] | select(.DesiredState == "running")] as $wanted
| [$wanted[] | select(.Status.State == "running" and .Spec.ContainerSpec == $service.Spec.TaskTemplate.ContainerSpec)] as $running
| (if .Spec.Mode.Global then $hosts else .Spec.Mode.Replicated.Replicas end) as $number
| ([$all[] | select(.Status.Err) | select(.Status.Err | startswith("host-mode port already in use") | not)] | sort_by(.Status.Timestamp) | last | .Status.Err // "") as $error
| (.UpdateStatus // {}) as $update
| (if $error == "" then "" else "; last error: \($error)" end) as $last
| if ($update.State // "" | IN("paused", "rollback_paused", "rollback_completed")) and [$update.State, $update.StartedAt] != $before[$name] then
    "failed: \($name): \($update.Message)\($last)"
  elif $update.State == "rollback_started" then
    "goes back: \($name): \($update.Message)\(
      ($update.Message | capture("task (?<id>[0-9a-z]+)").id) as $id | $tasks[0][] | select(.ID == $id) | .Status
      | ": \(.Err // "it ended (status \(.ContainerStatus.ExitCode // "unknown")) or was ended because it did not become healthy")")"
  elif $update.State == "updating" then
    "\($name) is updated, \($running | length) of \($number)\($last)"
  elif ($running | length) != $number or ($wanted | length) != $number then
    "\($name) \($running | length) of \($number)\($last)"
  else empty end
