#!/bin/bash
# Keeps the cluster whole. On the leader, or on a manager that stands in for a leader who cannot read the record: removes nodes whose instance is
# gone, spreads the application over both hosts again, and has the auto scaling group replace a machine that Swarm has lost though it runs.
# Elsewhere: follows the recorded cluster when this machine is in another one, and where nobody has seen a leader for long, has one lost manager
# replaced, so that a fresh machine comes and founds.
# shellcheck disable=SC2016 # $names of jq, for pick and holds
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE" "$VOLATILE"
load_machine
load_settings "$RELEASE"

# say TEXT: what this machine waits for; once, until it changes.
say() {
  [[ $1 != "$(cat "$VOLATILE/heal-said" 2>/dev/null || true)" ]] || return 0
  printf '%s\n' "$1" >"$VOLATILE/heal-said"
  [[ -z $1 ]] || log "$1"
}

# did TEXT: what was done; the last of it is shown by `twinhost status`.
did() {
  log "$1"
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$1" | write "$STATE/healed"
}

# leads: whether this manager is the Raft leader.
leads() {
  local node
  node=$(own_node) && docker_api GET "/nodes/$node" 2>/dev/null | holds '.ManagerStatus.Leader == true'
}

# stands_in RECORD: whether the leader's heart does not beat in the record, so that it may change nothing, and this manager is the one of those
# whose heart does that has been in the cluster for longest: one that has just joined waits for this very work.
stands_in() {
  docker_api GET /nodes 2>/dev/null | holds --argjson record "$1" --arg self "$TWINHOST_INSTANCE" --argjson fresh "$FRESH" '
    [$record.managers[] | select(.still != null and .still <= $fresh) | .instance] as $beating
    | [.[] | select(.ManagerStatus) | {since: .CreatedAt, leads: (.ManagerStatus.Leader == true),
          instance: (.Description.Engine.Labels["twinhost.instance"] | strings)}
        | .beats = (.instance | IN($beating[]))]
    | $record.watched > $fresh and any(.[]; .leads and (.beats | not)) and (map(select(.beats)) | min_by(.since).instance) == $self'
}

# remove_node ID NAME INSTANCE WHY: a manager is demoted first, or it would go on counting towards the quorum
# (https://github.com/moby/moby/issues/30847). The record forgets INSTANCE, where one is given, which is gone for good.
remove_node() {
  timeout -k 5 20 docker node demote "$1" >/dev/null 2>&1 || true
  if wait_for 30 "the demotion of $2" timeout -k 5 20 docker node rm --force "$1"; then
    [[ $3 == - ]] || record leave "$3" || true
    did "removed the node $2: $4"
  else
    log "the node $2 could not be removed: $reason"
  fi
}

# have_replaced INSTANCE WHY: its group terminates it and launches another one.
have_replaced() {
  if timeout -k 5 20 aws autoscaling set-instance-health --instance-id "$1" --health-status Unhealthy --no-should-respect-grace-period; then
    did "had $1 replaced: $2"
  else
    log "$1 could not be given to its group for replacement"
  fi
}

# plan: what heal.jq makes of the caller's nodes, groups and targets.
plan() {
  jq -n -L "$HOST" --slurpfile nodes <(printf '%s' "$nodes") --argjson groups "$groups" --arg targets "$targets" --arg self "$TWINHOST_INSTANCE" \
    --argjson now "$(uptime_seconds)" --argjson since "$(cat "$VOLATILE/heal-since" 2>/dev/null || echo '{}')" \
    --argjson limits "{\"down\": $DOWN_LIMIT, \"missing\": $MISSING_LIMIT}" -f "$HOST/heal.jq"
}

# lead: the work of the leader, or of who stands in for it.
lead() {
  local nodes groups=null targets='' plan id name instance why
  nodes=$(docker_api GET /nodes) || return 0
  # with every machine ready there is nothing to ask AWS for
  if ! jq -e --argjson managers "$TWINHOST_MANAGERS" 'all(.[]; .Status.State == "ready") and ([.[] | select(.ManagerStatus)] | length >= $managers)' \
    <<<"$nodes" >/dev/null; then
    groups=$(auto_scaling) || groups=null
  fi
  plan=$(plan) || return 0
  if holds .wanted <<<"$plan"; then
    targets=$(target_health "$RELEASE" 2>/dev/null) || targets=''
    plan=$(plan) || return 0
  fi
  jq -c .since <<<"$plan" | write "$VOLATILE/heal-since"
  while IFS=$'\t' read -r id name instance why; do
    remove_node "$id" "$name" "$instance" "$why"
  done < <(jq -r '.gone[] | [.id, .name, (if .ended then .instance else "-" end), .why] | @tsv' <<<"$plan")
  say "$(jq -r .wait <<<"$plan")"
  while IFS=$'\t' read -r id why; do
    have_replaced "$id" "$why"
  done < <(jq -r '.replace // empty | [.instance, .why] | @tsv' <<<"$plan")
  unstick "$nodes"
  why=$(spread '') || log "the application could not be spread: $why"
  [[ -z $why ]] || did "$why"
}

# unstick NODES: an update that changes a service but none of its tasks may leave a task pending that Swarm never looks at again
# (https://github.com/moby/moby/issues/53722). Where nothing of a service has run for two minutes though a host could take it, Swarm begins again with it,
# once: what does not start for another reason is not helped by more.
unstick() {
  local tasks service
  tasks=$(docker_api GET "/tasks?filters=$(filter label com.docker.stack.namespace=twinhost)" 2>/dev/null) || return 0
  service=$(pick -n --slurpfile nodes <(printf '%s' "$1") --slurpfile tasks <(printf '%s' "$tasks") '
    first(select(any($nodes[0][]; .Status.State == "ready" and .Spec.Availability == "active" and .Description.Engine.Labels["twinhost.role"] == "host"))
      | $tasks[0] | map(select(.DesiredState == "running")) | group_by(.ServiceID)[] | select(all(.[]; .Status.State == "pending")) | .[0].ServiceID | strings)') || {
    rm -f "$VOLATILE/pending" "$VOLATILE/unstuck"
    return 0
  }
  if (($(since pending "$service") >= 120)) && [[ ! -e $VOLATILE/unstuck ]] && no_release_runs; then
    touch "$VOLATILE/unstuck"
    ! timeout -k 5 60 docker service update --quiet --detach --no-resolve-image --force "$service" >/dev/null ||
      did "had Swarm begin again with the service $service, of which every task was pending"
  fi
}

# no_release_runs: whether none is under way, on this machine or anywhere in the cluster: take_turn in release.sh.
no_release_runs() {
  { [[ ! -e $VOLATILE/release.lock ]] || flock -n "$VOLATILE/release.lock" true; } &&
    docker_api GET "/configs?filters=$(filter name twinhost_release)" 2>/dev/null | holds '. == []'
}

# begin: a cluster without a service never got its first release, or it failed: bootstrap brings it, as on a boot.
begin() {
  if [[ $TWINHOST_ROLE != witness ]] && docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=twinhost)" 2>/dev/null | holds '. == []'; then
    say 'the cluster has no service: bootstrap is started again, which brings it the release'
    systemctl start --no-block twinhost-bootstrap.service
  fi
}

# catch_up RECORD: a machine that has missed a release goes over to the one that converged last, as its next boot would: verbs, units, settings. Never to a
# newer one, and not while one is under way, which takes this machine along by itself.
catch_up() {
  local sha converged folder
  if ! sha=$(pick '.release | strings | select(. != "")' <<<"$1") || [[ $sha == "${RELEASE##*/}" ]]; then
    rm -f "$VOLATILE/behind"
    return 0
  fi
  (($(since behind "$sha") >= 300)) && no_release_runs || return 0
  converged=$(converged_release) && holds --arg sha "$sha" '.sha256 == $sha' <<<"$converged" || return 0
  folder=$(obtain_release "$converged") || { say "release $sha, which converged last, cannot be fetched" && return 0; }
  install_release "$folder"
  did "went over to release $sha, which converged last and which this machine had missed"
}

# since FILE KEY: for how many seconds FILE has been asked about the same KEY.
since() {
  local key='' start
  [[ ! -e $VOLATILE/$1 ]] || read -r start key <"$VOLATILE/$1"
  if [[ $key != "$2" ]]; then
    start=$(uptime_seconds)
    printf '%s %s\n' "$start" "$2" >"$VOLATILE/$1"
  fi
  echo $(($(uptime_seconds) - start))
}

# rescue RECORD: this manager and nobody else sees a leader. When that has lasted, one of the managers whose heart does not beat is replaced:
# only a fresh machine founds. One survivor does it, who makes the next rescue's folder; another rescue may follow as long afterwards.
rescue() {
  local generation rescues lasted again groups targets target
  generation=$(pick '.generation | numbers' <<<"$1") && rescues=$(pick '.rescues | numbers' <<<"$1") &&
    lasted=$(pick '[.watched, (.managers[].led // empty)] | min | numbers' <<<"$1") && again=$(since rescue "$generation/$rescues") || return 0
  if ((lasted < LEADERLESS_LIMIT || (rescues > 0 && again < LEADERLESS_LIMIT))); then
    say 'no manager sees a leader: what runs goes on running, and a fresh machine may found a cluster'
    return 0
  fi
  groups=$(auto_scaling) || { say 'no manager sees a leader, and the auto scaling groups cannot be asked' && return 0; }
  targets=$(target_health "$RELEASE" 2>/dev/null) || targets=''
  target=$(jq -nr -L "$HOST" --argjson record "$1" --argjson groups "$groups" --arg self "$TWINHOST_INSTANCE" --argjson fresh "$FRESH" \
    --arg targets "$targets" '
    include "targets";
    [$groups[] | . as $group | .instances[] | . + {role: $group.role, suspended: $group.suspended}] as $all
    | if any($all[]; .state != "InService" or .health != "Healthy") or any($groups[]; (.instances | length) < .desired) then empty
      else [$record.managers[] | select(.instance != $self and (.still == null or .still > $fresh)) | .instance as $id
          | $all[] | select(.id == $id and ((.suspended | index("ReplaceUnhealthy")) | not))
          | select(spare(.id; [$all[].id]))]
        | sort_by(.role != "witness") | .[0].id // empty end') || return 0
  [[ -n $target ]] || { say 'no manager sees a leader, and there is no lost manager that may be replaced now' && return 0; }
  record rescue "$generation" "$((rescues + 1))" "$TWINHOST_INSTANCE" || return 0
  have_replaced "$target" "nobody has seen a leader for $lasted s, and its heart does not beat"
}

# follow RECORD: leaves the cluster that this machine is in and joins the recorded one, which must live. A machine that visitors are served by also
# waits until another one of that cluster serves them: it may be the last.
follow() {
  if ! holds --argjson fresh "$FRESH" 'any(.managers[]; .led != null and .led <= $fresh)' <<<"$1"; then
    say 'the record names another cluster, of which no manager sees a leader yet'
    return 0
  fi
  if [[ $TWINHOST_ROLE != witness ]] && ! may_go "$1"; then
    say 'the record names another cluster, of which no host is healthy yet'
    return 0
  fi
  did "leaves its cluster and follows the recorded one, generation $(jq .generation <<<"$1")"
  retire
  leave_swarm
  exec bash "$HOST/bootstrap.sh"
}

# may_go RECORD: whether nobody is served by this machine, or a machine of the recorded cluster is healthy.
may_go() {
  local targets
  targets=$(target_health "$RELEASE" 2>/dev/null) && holds -n -L "$HOST" --argjson record "$1" --arg self "$TWINHOST_INSTANCE" --arg targets "$targets" '
    include "targets"; spare($self; [$record.managers[].instance])'
}

exec 5>"$VOLATILE/heal.lock"
flock -n 5 || exit 0
[[ -n ${TWINHOST_INSTANCE:-} && -e $VOLATILE/bootstrap.lock ]] || exit 0 # this boot's bootstrap comes first
flock -n "$VOLATILE/bootstrap.lock" true || exit 0
[[ ! -e $VOLATILE/leaving ]] || exit 0
own=$(own_cluster)
if [[ -z $own ]]; then
  say 'this machine is in no cluster: bootstrap is started again'
  systemctl start --no-block twinhost-bootstrap.service
  exit 0
fi
if ! docker_api GET /_ping 5 >/dev/null 2>&1; then
  say 'Docker does not answer'
  exit 0
fi
if ! seen=$(refresh_record 2>/dev/null) || ! seen=$(watch_record "$seen"); then
  say 'the cluster record cannot be read: nothing is changed'
  # what was seen so long ago is no beginning of anything
  jq -e --argjson now "$(uptime_seconds)" --argjson fresh "$FRESH" '$now - .read <= $fresh' "$VOLATILE/record" >/dev/null 2>&1 || rm -f "$VOLATILE/heal-since"
  exit 0
fi
recorded=$(jq -r '.cluster | strings' <<<"$seen")
if [[ -z $recorded ]]; then
  say 'a new cluster is being founded'
elif [[ $recorded != "$own" ]]; then
  follow "$seen"
elif ! why=$(may_act); then
  say "nothing is changed: $why"
elif swarm_cluster >/dev/null 2>&1; then
  wait_for 60 'this machine to be active' activate || log "$reason"
  if leads || stands_in "$seen"; then
    lead
  else
    say ''
    rm -f "$VOLATILE/heal-since"
  fi
  begin
  catch_up "$seen" # the last: what this runs from may be removed by it
else
  rescue "$seen"
fi
