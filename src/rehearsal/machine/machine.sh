#!/bin/bash
# machine.sh start DIR        boots the machine of the folder DIR; returns when its PID 1 runs units
# machine.sh exec DIR CMD…    runs CMD as root inside it, with the caller's input, output and exit status
# machine.sh shutdown DIR     asks its PID 1 to power off in good order, and returns at once
# machine.sh kill DIR         power cut: the network is gone first, so that nobody is told, then every process; the disk stays
# machine.sh remove DIR       kill, and the disk is deleted; the network namespace is left as it was given
#
# DIR holds user-data and machine.env, lines NAME=value:
#   NAME         what messages call the machine
#   HOSTNAME     as ip-10-42-0-11
#   INSTANCE_ID  user-data runs once per instance id
#   NETNS        name of an existing network namespace with its addresses and routes: the machine's network
#   CGROUP       path of a cgroup v2 folder, made here, that holds every process of the machine
#   CACHE        folder made by rootfs.sh
#   EFS          folder that plays the shared storage
#   DNS          address of the name server
#   TRUST        optional: a certificate authority that the machine trusts beside the system's
#   MEMORY       optional: limit as for memory.max
#   DISK         optional: size of its disk in MiB, which is then a file system of its own that can be filled
# and then also disk/ (what outlives a power cut), console.log, storage/ (while a file "stalled" is in it, a mount of the
# shared storage hangs) and, while it runs, init.pid. Once its PID 1 has ended by itself, ended says how: rebooted,
# powered-off or crashed.
# A machine that was killed, powered off or rebooted from inside boots again from the same disk with start.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/mounts.sh"

START_LIMIT=60 # seconds until PID 1 runs units
KILL_LIMIT=30  # seconds until every process of the machine is gone
LOCK_LIMIT=120 # seconds that another call may hold a lock

main() {
  need_root
  [[ $# -ge 2 ]] || fail "usage: machine.sh start|exec|shutdown|kill|remove DIR [CMD…]"
  local verb=$1
  dir=$(realpath -e "$2" 2>/dev/null) || fail "$2: no such folder"
  load_machine
  case $verb in
    start) lock_machine && boot ;;
    kill) lock_machine && cut_power ;;
    remove) lock_machine && remove ;;
    exec)
      [[ $# -ge 3 ]] || fail "usage: machine.sh exec DIR CMD…"
      enter "${@:3}"
      ;;
    shutdown) ask_to_power_off ;;
    supervise) supervise ;;
    *) fail "$verb: unknown; want start, exec, shutdown, kill or remove" ;;
  esac
}

load_machine() {
  local required=(NAME HOSTNAME INSTANCE_ID NETNS CGROUP CACHE EFS DNS)
  unset "${required[@]}" TRUST MEMORY DISK
  [[ -r $dir/machine.env ]] || fail "$dir/machine.env: no such file"
  # shellcheck disable=SC1091 # made by the caller
  . "$dir/machine.env"
  need "${required[@]}"
  disk=$dir/disk
  local mounted
  mounted=$(cgroup_root)
  inner_cgroup=${CGROUP#"$mounted"}/machine # as /proc/PID/cgroup names it
  [[ $CGROUP == "$mounted"/?* ]] || fail "CGROUP=$CGROUP: want a folder below $mounted"
}

lock_machine() {
  exec 7> "$dir/lock"
  # shellcheck disable=SC2153 # comes from machine.env
  flock -w "$LOCK_LIMIT" 7 || fail "$NAME: another call for it still runs after $LOCK_LIMIT s"
}

boot() {
  need_commands ip=iproute2 script=bsdutils nsenter=util-linux unshare=util-linux setpriv=util-linux
  ! running || fail "$NAME: runs already"
  [[ -r $dir/user-data ]] || fail "$dir/user-data: no such file"
  [[ -e /run/netns/$NETNS ]] || fail "$NAME: no network namespace $NETNS"
  [[ -d $EFS ]] || fail "$EFS: no such folder"
  [[ -d $disk ]] || make_disk
  [[ -d $disk/base ]] || fail "$NAME: $(readlink "$disk/base"), on which its disk stands, is gone; remove the machine"
  clear_network
  make_cgroup

  # Opened for reading and writing, so that nobody waits for anybody to open it; the name is gone before start returns.
  rm -f "$dir/init.pid" "$dir/running" "$dir/ended"
  mkfifo -m 600 "$dir/running"
  exec 8<> "$dir/running"
  local answer='' written
  written=$(stat -c %s "$dir/console.log" 2>/dev/null || echo 0)
  setsid "$0" supervise "$dir" < /dev/null > /dev/null 2>> "$dir/console.log" 7>&- &
  read -r -t "$START_LIMIT" -u 8 answer || true
  rm -f "$dir/running"
  [[ $answer == running ]] && return
  tail -c "+$((written + 1))" "$dir/console.log" | tail -n 15 >&2
  kill_processes
  [[ $answer == ended ]] || fail "$NAME: PID 1 ran no unit within $START_LIMIT s (console: $dir/console.log)"
  fail "$NAME: PID 1 ended at once, for the reason above (console: $dir/console.log)"
}

# The disk is a layer over the hosts' tree, and the images. Made beside its place, so that half a disk is never booted.
make_disk() {
  local new=$disk.new base user
  rm -rf --one-file-system "$new"
  mkdir -p "$new"/{upper,work,root}
  [[ -d $CACHE/host && -d $CACHE/docker ]] || fail "$CACHE: no root file systems; type: $here/rootfs.sh"
  exec 6> "$CACHE/versions.lock" # so that rootfs.sh deletes nothing of it meanwhile
  flock -s -w "$LOCK_LIMIT" 6 || fail "$CACHE/versions.lock: still held after $LOCK_LIMIT s by another command; end it first"
  base=$(realpath -e "$CACHE/host")
  ln -s "$base" "$new/base"
  # Docker never writes to a file of a layer: where the file system allows, the layers are shared instead of copied.
  mkdir -m 710 "$new/docker"
  cp -a "$CACHE/docker/image" "$new/docker/"
  if ! cp -al "$CACHE/docker/overlay2" "$new/docker/" 2>/dev/null; then
    rm -rf "$new/docker/overlay2"
    cp -a --reflink=auto "$CACHE/docker/overlay2" "$new/docker/"
  fi
  [[ -z ${DISK:-} ]] || make_image "$new"
  user=$(cache_user)
  ln -sfn "$disk/base" "$user"
  links_of_namespace > "$new/links"
  mv "$new" "$disk"
  exec 6>&-
}

# make_image FOLDER: an empty file system in a file, which boot.sh fills; it takes the room that is used of it.
make_image() {
  need_commands mkfs.ext4=e2fsprogs
  mkdir "$1/own"
  truncate -s "${DISK}M" "$1/image"
  mkfs.ext4 -q -F "$1/image"
}

# cache_user: the link that tells rootfs.sh on which version of the tree this disk stands.
cache_user() {
  local sum
  sum=$(printf '%s' "$disk" | sha256sum)
  printf '%s/users/%.16s\n' "$CACHE" "$sum"
}

# What the last boot left in the network namespace went with the power: Docker's links, and the cut links come back.
clear_network() {
  local link
  for link in $(links_of_namespace); do
    grep -qxF "$link" "$disk/links" || ip -n "$NETNS" link delete "$link" 2>/dev/null || true
  done
  [[ -e $disk/routes ]] || return 0
  ip -n "$NETNS" -batch "$disk/routes" || fail "$NAME: the network of before the power cut cannot be restored"
  rm -f "$disk/routes"
}

links_of_namespace() {
  ip -n "$NETNS" -o link show | awk -F': |@' '{ print $2 }'
}

# Two leaves: what is inside the machine, and what serves it from outside.
make_cgroup() {
  mkdir -p "$CGROUP"/{machine,outside} || fail "$CGROUP: cannot be made"
  [[ -z ${MEMORY:-} ]] && return
  [[ -w $CGROUP/memory.max ]] || fail "MEMORY=$MEMORY: the cgroup v2 of this machine has no memory controller; leave it out"
  printf '%s\n' "$MEMORY" > "$CGROUP/memory.max"
}

# The machine's console is a terminal, as on EC2: what is written to it is appended to console.log.
supervise() {
  local command status
  echo "$$" > "$CGROUP/outside/cgroup.procs"
  command=$(printf '%q ' exec nsenter "--net=/run/netns/$NETNS" \
    unshare --mount --uts --ipc --pid --fork --kill-child=KILL "$here/boot.sh" enter "$dir")
  set +e
  SHELL=/bin/bash script --quiet --flush --return --command "$command" /dev/null < /dev/null 2>&1 8>&- |
    sed -u 's/\r//g' >> "$dir/console.log" 8>&-
  status=${PIPESTATUS[0]}
  set -e
  rm -f "$dir/init.pid"
  how_ended "$status" > "$dir/ended.new"
  mv "$dir/ended.new" "$dir/ended"
  echo ended >&8
}

# how_ended STATUS: the kernel ends the first process of a pid namespace with one signal where it reboots and with
# another where it powers off (pid_namespaces(7)), and unshare and script pass that on as a shell would.
how_ended() {
  case $1 in
    "$((128 + $(kill -l HUP)))") echo rebooted ;;
    "$((128 + $(kill -l INT)))") echo powered-off ;;
    *) echo crashed ;;
  esac
}

# systemd(1), SIGNALS: the fourth real-time signal starts poweroff.target.
ask_to_power_off() {
  running || fail "$NAME: does not run"
  kill -s RTMIN+4 "$(< "$dir/init.pid")"
}

# running: whether init.pid is a process of this machine, and no other that got its number.
running() {
  [[ -r $dir/init.pid ]] && grep -qF "$inner_cgroup" "/proc/$(< "$dir/init.pid")/cgroup" 2>/dev/null
}

enter() {
  running || fail "$NAME: does not run; type: sudo bin/rehearse start $NAME"
  echo "$$" > "$CGROUP/outside/cgroup.procs"
  exec nsenter --target "$(< "$dir/init.pid")" --mount --uts --ipc --net --pid --cgroup -- \
    /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 "TERM=${TERM:-dumb}" \
    setpriv "--bounding-set=$FORBIDDEN_CAPABILITIES" -- "$@"
}

cut_power() {
  cut_network
  kill_processes
}

# A link that goes down loses its routes: how to bring both back is noted first.
cut_network() {
  [[ -e /run/netns/$NETNS && -e $disk/links && ! -e $disk/routes ]] || return 0
  local link links
  mapfile -t links < <(grep -vxF lo "$disk/links")
  for link in "${links[@]}"; do
    echo "link set dev $link up"
    ip -n "$NETNS" -4 route show dev "$link" |
      sed -E "/proto kernel/d; s/ (linkdown|dead)\>//g; s/^/route replace /; s/ *\$/ dev $link/"
  done > "$disk/routes.new"
  mv "$disk/routes.new" "$disk/routes"
  for link in "${links[@]}"; do
    ip -n "$NETNS" link set "$link" down
  done
}

kill_processes() {
  local started populated=1
  [[ -d $CGROUP ]] || return 0
  started=$(now)
  echo 1 > "$CGROUP/cgroup.kill"
  until populated=$(awk '$1 == "populated" { print $2 }' "$CGROUP/cgroup.events") && [[ $populated == 0 ]]; do
    [[ $(($(now) - started)) -lt $((KILL_LIMIT * 100)) ]] || fail "$NAME: processes left in $CGROUP after $KILL_LIMIT s"
    sleep 0.02
  done
  find "$CGROUP" -depth -type d -exec rmdir {} +
  rm -f "$dir/init.pid" "$dir/ended"
}

remove() {
  cut_power
  [[ ! -e /run/netns/$NETNS || ! -e $disk/links ]] || clear_network
  rm -rf --one-file-system "$disk" "$disk.new"
  rm -f "$(cache_user)"
}

main "$@"
