#!/bin/bash
# Reads the cluster record, which gives this machine the right to act for 30 s, and advances this manager's counter in it.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
[[ -n ${TWINHOST_INSTANCE:-} ]] || exit 0 # before the first bootstrap knows it

if ! seen=$(refresh_record 2>&1); then
  [[ -e $VOLATILE/unreadable ]] || log "the cluster record cannot be read: $seen"
  touch "$VOLATILE/unreadable"
  exit 0
fi
if [[ -e $VOLATILE/unreadable ]]; then
  log 'the cluster record can be read again'
  rm "$VOLATILE/unreadable"
fi

# the heart of a machine whose engine does not answer, or that is no manager any more, stands still
docker_api GET /_ping 5 >/dev/null 2>&1 || exit 0
leader=no
if info=$(docker_api GET /info 5 2>/dev/null); then
  manager=$(jq -r .Swarm.ControlAvailable <<<"$info")
  cluster=$(jq -r '.Swarm.Cluster.ID? // empty' <<<"$info")
else
  manager=true # an engine that waits for a leader may not say more
  cluster=''
fi
if [[ $manager != true ]]; then
  cluster=none
elif [[ -n $cluster ]]; then
  leader=yes
else
  cluster=$(own_cluster)
fi
# a founder's heart beats from its claim on, and stops with the process that founds
founding=no
if [[ -e $VOLATILE/founding ]] && read -r pid start <"$VOLATILE/founding" && [[ -n $start && $(started "$pid") == "$start" ]]; then
  founding=yes
fi
generation=$(jq -r --arg cluster "$cluster" --arg self "$TWINHOST_INSTANCE" --arg founding "$founding" '
  select((.cluster != "" and .cluster == $cluster) or (.cluster == "" and .founder == $self and $founding == "yes")) | .generation' <<<"$seen")
[[ -z $generation ]] || record beat "$generation" "$TWINHOST_INSTANCE" "$leader" "$TWINHOST_ADDRESS"
