#!/bin/bash
# Joins the recorded cluster through any of its managers; founds one where nobody is left who could be joined.
# A machine with Swarm state on its disk is a survivor: it does neither. State of a join that was cut short is no such state.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
: "${TWINHOST_INSTANCE:?}" "${TWINHOST_ADDRESS:?}"

availability=active
head_start=0
if [[ $TWINHOST_ROLE == witness ]]; then
  availability=drain
  head_start=30 # seconds: hosts before the witness
fi
readonly availability head_start
trap 'rm -f "$VOLATILE/founding"' EXIT

# reachable ADDRESS: whether something listens there where managers do; a join through a dead address would hang for 20 s.
reachable() {
  # shellcheck disable=SC2016
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/2377"' "$1" 2>/dev/null
}

# join_through GENERATION ADDRESS: returns 1 where that manager could not take this machine in; then no Swarm state is left behind.
join_through() {
  local said state
  reachable "$2" || return 1
  log "joins generation $1 through $2"
  if said=$(jq -n --rawfile token <(record token "$1") --arg address "$TWINHOST_ADDRESS" --arg remote "$2:2377" --arg availability "$availability" \
    '{ListenAddr: "0.0.0.0:2377", AdvertiseAddr: $address, RemoteAddrs: [$remote], JoinToken: ($token | rtrimstr("\n")), Availability: $availability}' |
    docker_api POST /swarm/join 60 2>&1) && said=$(in_cluster 2>&1); then
    return 0
  fi
  log "$2 did not take this machine in: $said"
  ! state=$(swarm_state) || [[ $state == inactive ]] || docker_api POST '/swarm/leave?force=true' 60 </dev/null >/dev/null
  return 1
}

# in_cluster: waits until this manager sees a leader, and notes the cluster's id.
in_cluster() {
  local id
  await 60 'a leader' swarm_cluster
  id=$(swarm_cluster) && write "$STATE/cluster-id" <<<"$id"
}

# found_generation N: this machine has claimed N; makes a Swarm and says so in the record.
found_generation() {
  log "founds generation $1"
  jq -n --arg address "$TWINHOST_ADDRESS" --arg availability "$availability" \
    '{ListenAddr: "0.0.0.0:2377", AdvertiseAddr: $address, Availability: $availability, DefaultAddrPool: ["172.20.0.0/14"], SubnetSize: 24}' |
    docker_api POST /swarm/init 60 >/dev/null || die 'the Swarm could not be founded'
  in_cluster || die 'the Swarm that was founded sees no leader'
  await 120 'the shared storage to take the founding down' note_founding "$1"
}

# note_founding N: the token goes from the engine into the record without being an argument or a line of a log. Nothing is noted without it: who sees
# a cluster in the record joins it. The founder sees a leader: itself.
note_founding() {
  local token id
  id=$(own_cluster) && [[ -n $id ]] && token=$(docker_api GET /swarm | pick '.JoinTokens.Manager | strings | select(. != "")') || return 1
  printf %s "$token" | record found "$1" "$id" && record beat "$1" "$TWINHOST_INSTANCE" yes "$TWINHOST_ADDRESS"
}

# step: one look at the record and what follows from it; returns 0 when this machine is in the cluster, else sets waiting to what for.
step() {
  local seen generation decision address
  if ! seen=$(record show 2>&1) || ! seen=$(watch_record "$seen" 2>&1) || ! generation=$(pick '.generation | numbers' <<<"$seen"); then
    waiting="the cluster record to be readable: $(tail -n 1 <<<"$seen")"
    return 1
  fi
  if [[ $(jq -r .cluster <<<"$seen") != '' ]]; then
    # a manager that sees no leader cannot take anybody in, and would take a while to say so
    for address in $(jq -r --arg self "$TWINHOST_INSTANCE" '.managers[] | select(.leader and .instance != $self) | .address' <<<"$seen"); do
      ! join_through "$generation" "$address" || return 0
    done
  fi
  decision=$(verdict "$seen" "$head_start") || decision='wait for an answer of its own'
  waiting=${decision#wait for }
  if [[ $decision == claim* ]]; then
    waiting='the winner of a claim'
    echo "$$ $(started $$)" >"$VOLATILE/founding"
    record claim "${decision#claim }" "$TWINHOST_INSTANCE" "$TWINHOST_ADDRESS" || return 1
    found_generation "${decision#claim }"
    return 0
  fi
  return 1
}

state=$(swarm_state) || die 'Docker does not say whether this machine is in a Swarm'
if [[ $state != inactive ]]; then
  if [[ -n $(own_cluster) ]]; then
    log 'has Swarm state on its disk: a survivor, which neither joins nor founds'
    exit 0
  fi
  log 'leaves what a join that was cut short has begun'
  docker_api POST '/swarm/leave?force=true' 60 </dev/null >/dev/null
fi
rm -f "$VOLATILE/watch"
limit=$(($(uptime_seconds) + 900))
said=''
until step; do
  [[ $waiting == "$said" ]] || log "waits for $waiting"
  said=$waiting
  (($(uptime_seconds) < limit)) || die "waited 900 s for $waiting"
  sleep 1
done
log "is in the cluster $(own_cluster)"
