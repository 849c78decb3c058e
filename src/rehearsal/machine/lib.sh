# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

# fail MESSAGE: one line that says what is wrong and what to do, then the end.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# need NAME…: every named variable has to hold something.
need() {
  local name
  for name in "$@"; do
    [[ -n ${!name:-} ]] || fail "$name is not set"
  done
}

# need_root: both making and entering namespaces take it.
need_root() {
  [[ $EUID -eq 0 ]] || fail "has to run as root"
}

# need_commands COMMAND=PACKAGE…: names every missing one at once, with the package that brings it on Debian.
need_commands() {
  local pair packages=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
  done
  [[ ${#packages[@]} -eq 0 ]] || fail "needs what is not installed here; type: apt-get install ${packages[*]}"
}

# cache_folder: where the root file systems are kept, for all checkouts of this machine.
cache_folder() {
  printf '%s\n' "${TWINHOST_REHEARSAL_CACHE:-/var/cache/twinhost-rehearsal}"
}

# cgroup_root: where cgroup v2 is mounted; beside v1 it is not /sys/fs/cgroup.
cgroup_root() {
  local path
  path=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [[ -n $path && -e $path/cgroup.controllers ]] ||
    fail "no cgroup v2 is to be seen here; mount it (mount -t cgroup2 cgroup2 /sys/fs/cgroup), or call this outside of 'ip netns exec'"
  printf '%s\n' "$path"
}

# now: hundredths of a second on a clock that nobody sets.
now() {
  local up
  read -r up _ < /proc/uptime
  printf '%s\n' "${up/./}"
}

# since START: the seconds from START (a value of now) on, with one decimal.
since() {
  local hundredths=$(($(now) - $1))
  printf '%d.%d s\n' $((hundredths / 100)) $((hundredths % 100 / 10))
}
