#!/bin/bash
# Leaves without anybody noticing. Called when this machine is shut down or Docker is stopped; where its auto scaling group ends it, it also leaves the Swarm and the
# record, and tells the group that it may go on. Otherwise it stays a member, and is active again afterwards.
# --notice: said by the timer: does all that as soon as the metadata service says that the group ends this machine.
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE" "$VOLATILE"
load_machine
[[ -n ${TWINHOST_INSTANCE:-} ]] || exit 0

# ending: whether its group ends this machine.
ending() {
  [[ $(metadata autoscaling/target-lifecycle-state 1 2>/dev/null) == Terminated ]]
}

# complete_lifecycle: lets the group go on at once instead of after the hook's time-out. The hook begins when the balancer has let go of this
# machine; the notice comes before that.
complete_lifecycle() {
  local group
  group=$(auto_scaling | jq -er --arg self "$TWINHOST_INSTANCE" 'first(.[] | select(any(.instances[]; .id == $self)) | .name)') || return 1
  timeout -k 5 20 aws autoscaling complete-lifecycle-action --lifecycle-hook-name goodbye --auto-scaling-group-name "$group" \
    --lifecycle-action-result CONTINUE --instance-id "$TWINHOST_INSTANCE" 2>&1 | tail -n 1
}

[[ ! -e $VOLATILE/left ]] || exit 0
leaving=no
if ending; then
  leaving=yes
elif [[ ${1:-} == --notice ]]; then
  exit 0
fi
exec 4>"$VOLATILE/drain.lock"
flock -w 300 4 || die 'waited 300 s for another run of this verb'
[[ ! -e $VOLATILE/left ]] || exit 0
touch "$VOLATILE/leaving"
log "this machine $([[ $leaving == yes ]] && echo 'is ended by its group' || echo 'is shut down, or its Docker is stopped'): drains"
if [[ -n $(own_cluster) ]] && docker_api GET /_ping 5 >/dev/null 2>&1; then
  touch "$STATE/drained" || log 'it cannot be noted that this machine is drained'
  [[ $TWINHOST_ROLE == witness ]] || retire
  if [[ $leaving == yes ]]; then
    step_down
    leave_swarm
  fi
else
  log 'Docker does not answer, or this machine is in no Swarm: there is nothing to drain'
fi
if [[ $leaving == yes ]]; then
  touch "$VOLATILE/left"
  pace=5 wait_for 300 'the group to let this machine go' complete_lifecycle || log "$reason: it does so when its hook has timed out"
fi
log 'this machine may go'
