# shellcheck shell=bash
# On a host whose edge is healthy: what systemd and the engine have noted of its last boot, as one line of JSON. Read by bin/bench, never run by itself.
# Microseconds since the kernel began, and times of day; both clocks at once, so that they can be put together.
set -euo pipefail

# monotonic UNIT PROPERTY: https://www.freedesktop.org/wiki/Software/systemd/dbus/
monotonic() {
  systemctl show "$1" --property "$2TimestampMonotonic" --value
}

container=$(docker ps --quiet --filter label=com.docker.swarm.service.name=twinhost_edge --filter health=healthy)
[[ -n $container && $container != *$'\n'* ]] || { echo "the healthy containers of the edge here are not one: ${container:-none}" >&2 && exit 1; }
task=$(docker inspect --format '{{index .Config.Labels "com.docker.swarm.task.id"}}' "$container")
read -r uptime _ < /proc/uptime
now=$(date +%s.%N)
jq -nc --argjson uptime "$uptime" --argjson now "$now" --argjson userspace "$(systemctl show --property UserspaceTimestampMonotonic --value)" \
  --argjson begun "$(monotonic docker.service InactiveExit)" --argjson active "$(monotonic docker.service ActiveEnter)" \
  --argjson container "$(docker inspect --type container "$container")" --argjson task "$(docker inspect --type task "$task")" '
  {uptime: $uptime, now: $now, userspace: $userspace, docker: {begun: $begun, active: $active}, task: $task[0].CreatedAt,
   created: $container[0].Created, started: $container[0].State.StartedAt,
   probe: ([$container[0].State.Health.Log[] | select(.ExitCode == 0)] | first | {Start, End})}'
