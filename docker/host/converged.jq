# Whether a stack has converged. Prints the one word "converged" where each of the services $names, with spaces between, is there and runs what it was told to; in any other
# case one line for each service that does not, and what cannot be read is an error. So nothing but that word means yes.
# "goes back: …" says why Swarm rolls back, while it does; "failed: …" that waiting is of no use.
# A port of the host that the old edge still holds is no error, it is the way of a stop-first update.
# $nodes, $services, $tasks: the answers of Docker's API.
# $before: by service, the state and start of the last update before this release, so that an old failure is not taken for a new one.
# $new: a service of which no task has ever served. Where three of them have ended, waiting is of no use: Swarm itself does not give up.
# $optional: a service whose image may be out of reach. It holds nothing up and fails nothing while its image cannot be had, nor, $late, while it is on
# its way; and, at $boot, not at all.
def list(name): if type == "array" then . else error("\(name) is no list") end;
($nodes[0] | list("nodes")) as $nodes | ($services[0] | list("services")) as $services | ($tasks[0] | list("tasks")) as $tasks
| ($nodes | map(select(.Status.State == "ready" and .Spec.Availability == "active" and .Description.Engine.Labels["twinhost.role"] == "host")) | length) as $hosts
| ($names | split(" ") - if $boot then [$optional] else [] end) as $names
| [if $hosts == 0 then "no host is ready and active" else empty end,
  ($names - [$services[].Spec.Name] | .[] | "\(.) does not exist"),
  ($services[]
  | . as $service
  | .Spec.Name as $name
  | select($boot and $name == $optional | not)
  | [$tasks[] | select(.ServiceID == $service.ID)] as $all
  | [$all[] | select(.DesiredState == "running")] as $wanted
  | [$wanted[] | select(.Status.State == "running" and .Spec.ContainerSpec == $service.Spec.TaskTemplate.ContainerSpec)] as $running
  | (if .Spec.Mode.Global then $hosts else .Spec.Mode.Replicated.Replicas end) as $number
  | ([$all[] | select(.Status.Err) | select(.Status.Err | startswith("host-mode port already in use") | not)] | sort_by(.Status.Timestamp) | last | .Status.Err // "") as $error
  | (.UpdateStatus // {}) as $update
  | ([$update.State, $update.StartedAt] == $before[$name]) as $old
  # of a task that is refused, its manager says no more than this; pulling is a part of preparing
  # https://github.com/moby/moby/blob/v25.0.0/daemon/cluster/executor/container/controller.go
  | select($name == $optional and (($error | startswith("No such image"))
      or ($late and $error == "" and ($wanted | any(.Status.State == "preparing")))) | not)
  | (if $error == "" then "" else "; last error: \($error)" end) as $last
  | [$all[] | select(.Spec.ContainerSpec == $service.Spec.TaskTemplate.ContainerSpec and (.Status.State | IN("failed", "complete")))] as $ended
  | if $name == $new and ($running | length) < $number and ($ended | length) >= 3 then
      "failed: \($name): \($ended | length) containers have ended one after the other"
    elif ($update.State | IN("paused", "rollback_paused", "rollback_completed")) and ($old | not) then
      "failed: \($name): \($update.Message)\($last)"
    elif $update.State == "rollback_started" then
      "goes back: \($name): \($update.Message)\(
        [($update.Message // "" | capture("task (?<id>[0-9a-z]+)").id) as $id | $tasks[] | select(.ID == $id) | .Status
        | ": \(.Err // "it ended (status \(.ContainerStatus.ExitCode // "unknown")) or was ended because it did not become healthy")"] | first // "")"
    elif $update.State | IN(null, "completed", "paused", "rollback_paused", "rollback_completed") | not then
      "\($name) is updated, \($running | length) of \($number)\($last)"
    elif ($running | length) != $number or ($wanted | length) != $number then
      "\($name) \($running | length) of \($number)\(if any($wanted[]; .Status.State == "preparing") then ", an image is pulled" else "" end)\($last)"
    else empty end)]
| if . == [] then "converged" else .[] end
