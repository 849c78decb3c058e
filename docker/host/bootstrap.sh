#!/bin/bash
# Makes this machine a part of the cluster: run once by the launcher and then on every boot; may run again at any time.
# shellcheck disable=SC2016 # $names of jq, for pick and holds
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE/preflight" "$VOLATILE"
load_machine

exec 8>"$VOLATILE/bootstrap.lock"
flock -n 8 || die 'another bootstrap is running'

# identify: who this machine is, as the metadata service says.
identify() {
  local instance address
  instance=$(metadata instance-id) && [[ $instance == i-* ]] && address=$(metadata local-ipv4) && [[ $address =~ ^[0-9]+(\.[0-9]+){3}$ ]] || return 1
  printf 'export TWINHOST_INSTANCE=%q\nexport TWINHOST_ADDRESS=%q\n' "$instance" "$address" | write "$STATE/instance.env"
}

# mount_storage: fstab mounts it at boot; where that came too early or the storage was away, this does. Through systemd: a process that serves the
# mount would end with this unit.
mount_storage() {
  mounted || timeout -k 5 70 systemctl start srv-twinhost.mount
}

# apply_converged: a machine boots with the release that converged last, not with one that failed or is still on its way.
apply_converged() {
  local converged folder
  converged=$(converged_release) || return 1
  [[ -n $converged ]] || return 0
  folder=$(obtain_release "$converged") || return 1
  [[ $folder != "$RELEASE" ]] || return 0
  log "hands over to the release that converged last, ${folder##*/}"
  install_release "$folder"
  exec bash "$folder/docker/host/bootstrap.sh"
}

# start_docker: the labels have to be there before the first start, because Swarm places services by them. No network of Docker's meets 10.0.0.0/8,
# where a VPC usually is; logs are bounded.
start_docker() {
  mkdir -p "$ROOT/etc/docker"
  jq -n --arg role "$TWINHOST_ROLE" --arg instance "$TWINHOST_INSTANCE" '{
    labels: ["twinhost.role=\($role)", "twinhost.instance=\($instance)"],
    "log-driver": "local", "log-opts": {"max-size": "10m", "max-file": "3"},
    bip: "172.17.0.1/16", "default-address-pools": [{base: "172.18.0.0/16", size: 24}]}' >"$VOLATILE/daemon.json"
  if [[ ! -e $ROOT/etc/docker/daemon.json || $(<"$VOLATILE/daemon.json") != "$(<"$ROOT/etc/docker/daemon.json")" ]]; then
    install -m 0644 "$VOLATILE/daemon.json" "$ROOT/etc/docker/daemon.json"
    ! systemctl -q is-active docker || timeout -k 5 400 systemctl restart docker # which drains this machine first
  fi
  timeout -k 5 120 systemctl -q enable --now docker
  await 120 'Docker' docker_api GET /_ping
}

# follows: whether the record names another cluster than the one of this machine, which `heal` then follows.
follows() {
  local recorded
  recorded=$(record show 2>/dev/null | pick '.cluster | strings' 2>/dev/null) && [[ -n $recorded && $recorded != "$(own_cluster)" ]]
}

# complete: whether this machine is all that it should be. Prints what is missing.
complete() {
  local down edge targets health
  [[ $(swarm_state) == active ]] || { echo 'this machine is not active in the Swarm' && return 1; }
  down=$(docker_api GET "/nodes?filters=$(filter role manager)" | pick '
    if type != "array" or . == [] then error("no managers")
    else [.[] | select(.Status.State != "ready") | .Description.Hostname // .ID] | if . == [] then "none" else join(", ") end end' 2>/dev/null) ||
    { echo 'no leader is seen' && return 1; }
  [[ $down == none ]] || { echo "these managers are down: $down" && return 1; }
  [[ $TWINHOST_ROLE == host ]] || return 0
  edge=$(edge_here)
  [[ $edge == running ]] || { echo "the edge on this machine: $edge" && return 1; }
  targets=$(target_health "$CURRENT" 2>/dev/null) || { echo 'the balancer names no target, or cannot be asked' && return 1; }
  health=$(pick -n -L "$HOST" --arg targets "$targets" --arg self "$TWINHOST_INSTANCE" 'include "targets";
    ([targets[].group] | unique | length) as $groups | [targets[] | select(.instance == $self)] as $own
    | if healthy($self) then "healthy"
      else [$own[] | select(.state != "healthy") | "\(.group) says \(.state)"]
        + ["\([$own[] | select(.state == "healthy")] | length) of \($groups) target groups call it healthy"] | join(", ") end') || return 1
  [[ $health == healthy ]] || { echo "$health" && return 1; }
}

# edge_here: what Swarm says of this machine's edge.
edge_here() {
  local node
  node=$(own_node) || { echo unknown && return; }
  docker_api GET "/tasks?filters=$(filter service twinhost_edge)" 2>/dev/null |
    jq -r --arg node "$node" '[.[] | select(.NodeID == $node)] | sort_by(.CreatedAt) | last | if . then .Status | .Err // .State else "no task yet" end' || echo unknown
}

rm -f "$STATE/tls/retire"
await 120 'the metadata service' identify
load_machine
install_release "$RELEASE"
if [[ -n $(own_cluster) && -e $ROOT/var/lib/docker/swarm/docker-state.json ]]; then
  # A survivor serves without the storage and without a leader: neither holds it up, and its release is on its disk.
  { mount_storage && apply_converged; } || log 'the shared storage cannot be read: what is served goes on being served'
  bash "$HOST/certificate.sh" || exit 1
  bash "$HOST/tickets.sh" || true # it has said why; an edge serves without
  start_docker
  # `heal` may work from here on: it follows another cluster, or has a lost manager replaced
  flock -u 8
  if follows; then
    log 'the record names another cluster: heal follows it'
    exit 0
  fi
  wait_for 120 'a leader of the Swarm' swarm_cluster || die 'no leader of the Swarm is seen: what runs goes on running'
  wait_for 60 'this machine to be active' activate || die "$reason"
  bash "$HOST/release.sh" --boot || exit 1
  mounted || die 'the shared storage is not mounted: what is served goes on being served'
  log 'this machine is back'
  exit 0
fi
await 300 'the shared storage' mount_storage
apply_converged || die 'the release that converged last could not be fetched'
bash "$HOST/certificate.sh" || exit 1
bash "$HOST/tickets.sh" || true # it has said why; an edge serves without
start_docker
bash "$HOST/join.sh" || exit 1
bash "$HOST/release.sh" --boot || exit 1
pace=3 await 900 'this machine to be complete' complete # each look costs two calls of AWS
log 'this machine is complete'
