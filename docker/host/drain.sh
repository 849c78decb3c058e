#!/bin/bash
# Leaves without anybody noticing. Called when this machine is shut down; where its auto scaling group ends it, it also leaves the Swarm and the
# record, and tells the group that it may go on. A machine that only reboots stays a member and is active again afterwards.
# --notice: said by the timer: does all that as soon as the metadata service says that the group ends this machine.
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE" "$VOLATILE"
load_machine
[[ -n ${TWINHOST_INSTANCE:-} ]] || exit 0

# ending: whether its group ends this machine.
ending() {
  [[ $(metadata autoscaling/target-lifecycle-state 2>/dev/null) == Terminated ]]
}

# complete_lifecycle: lets the group go on at once instead of after the hook's time-out.
complete_lifecycle() {
  local group
  if ! { group=$(auto_scaling | jq -er --arg self "$TWINHOST_INSTANCE" 'first(.[] | select(any(.instances[]; .id == $self)) | .name)') &&
    timeout 20 aws autoscaling complete-lifecycle-action --lifecycle-hook-name goodbye --auto-scaling-group-name "$group" \
      --lifecycle-action-result CONTINUE --instance-id "$TWINHOST_INSTANCE"; }; then
    log 'the lifecycle action could not be completed: the group goes on when its hook has timed out'
  fi
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
log "this machine $([[ $leaving == yes ]] && echo 'is ended by its group' || echo 'is shut down'): drains"
if docker_api GET /_ping 5 >/dev/null 2>&1 && [[ $(swarm_state) == active ]]; then
  touch "$STATE/drained"
  [[ $TWINHOST_ROLE == witness ]] || retire
  [[ $leaving == no ]] || leave_swarm
else
  log 'Docker does not answer, or this machine is in no Swarm: there is nothing to drain'
fi
if [[ $leaving == yes ]]; then
  touch "$VOLATILE/left"
  complete_lifecycle
fi
log 'this machine may go'
