# What keeps a stack from having converged: one line for each service, "failed: …" where waiting is of no use. Nothing when all run what they were told to.
# $before: by service, the state and start of the last update before this release, so that an old failure is not taken for a new one.
($nodes[0] | map(select(.Status.State == "ready" and .Spec.Availability == "active" and .Description.Engine.Labels["twinhost.role"] == "host")) | length) as $hosts
| $services[0][]
| . as $service
| .Spec.Name as $name
| [$tasks[0][] | select(.ServiceID == $service.ID)] as $all
| [$all[] | select(.DesiredState == "running")] as $wanted
| [$wanted[] | select(.Status.State == "running" and .Spec.ContainerSpec == $service.Spec.TaskTemplate.ContainerSpec)] as $running
| (if .Spec.Mode.Global then $hosts else .Spec.Mode.Replicated.Replicas end) as $number
| ([$all[] | select(.Status.Err)] | sort_by(.Status.Timestamp) | last | .Status.Err // "") as $error
| (.UpdateStatus // {}) as $update
| if ($update.State // "" | IN("paused", "rollback_paused", "rollback_completed")) and [$update.State, $update.StartedAt] != $before[$name] then
    "failed: \($name) \($update.State | gsub("_"; " ")): \($update.Message)\(if $error == "" then "" else "; \($error)" end)"
  elif ($update.State // "" | IN("updating", "rollback_started")) then
    "\($name) \($update.State | gsub("_"; " ")), \($running | length) of \($number)\(if $error == "" then "" else "; last error: \($error)" end)"
  elif ($running | length) != $number or ($wanted | length) != $number then
    "\($name) \($running | length) of \($number)\(if $error == "" then "" else "; last error: \($error)" end)"
  else empty end
