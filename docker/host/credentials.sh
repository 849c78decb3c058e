#!/bin/bash
# Gives the application's service a fresh password for its registry: one for Amazon ECR is good for 12 hours, one that a secret holds may be rotated, and
# what Swarm hands to a machine that has to pull the image is the one that came with the service (https://github.com/moby/moby/issues/31063). Nothing that
# runs is restarted by it: of a task whose image is there, Swarm does not compare the password
# (https://github.com/moby/swarmkit/blob/master/manager/orchestrator/task.go, IsTaskDirty).
# The leader does it, whatever the record says: it changes nothing that runs.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
load_settings "$RELEASE"

leads=$(docker_api GET "/nodes/$(own_node)" 2>/dev/null | jq .ManagerStatus.Leader?) || true
[[ $leads == true ]] || exit 0
service=$(docker_api GET /services/twinhost_app 2>/dev/null) || exit 0
# What is on its way has a fresh one, and must stay the state that Swarm rolls back from. A task that waits for a host would wait for ever after an update
# that changes the service but not its tasks (https://github.com/moby/moby/issues/53722).
tasks=$(docker_api GET "/tasks?filters=$(filter service twinhost_app)" 2>/dev/null) || exit 0
rests=$(jq -rn --slurpfile service <(printf '%s' "$service") --slurpfile tasks <(printf '%s' "$tasks") '
  if ($service[0].UpdateStatus.State | IN("updating", "rollback_started")) or ($tasks[0] | type) != "array"
    or ($tasks[0] | any(.DesiredState == "running" and (.Status.State | IN("new", "allocated", "pending")))) then "no" else "yes" end' 2>/dev/null) || exit 0
[[ $rests == yes ]] || exit 0
know_registry "$(jq -r .Spec.TaskTemplate.ContainerSpec.Image <<<"$service")" || exit 0
said=$(timeout -k 5 60 docker service update --quiet --detach --no-resolve-image --with-registry-auth twinhost_app 2>&1 >/dev/null) ||
  die "the application did not take the fresh password: $(tail -n 1 <<<"$said")"
