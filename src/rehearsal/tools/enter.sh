#!/bin/bash
# enter.sh tool CMD…      runs a program of the tools' tree, which sees the folder WORK as /mnt
# enter.sh visitor CMD…   runs a program of this machine with the DNS and the certificate authority of a visitor
# enter.sh own CMD…       runs a program of this machine
# enter.sh outside CMD…   the same outside of all namespaces: it makes some itself
# enter.sh urgent HOW …   any of these, before everything else where processors are scarce; for the first process of a session
#
# All in the cgroup CGROUP (a folder of cgroup v2), all but outside in the network namespace NETNS. More variables:
#   TOOLS   for tool: root file system with HAProxy, dnsmasq, pebble and curl
#   WORK    for tool: a folder; for visitor: a folder with resolv.conf and ca.pem
# Every mount is made in a mount namespace of the program's own and ends with it.
set -euo pipefail

URGENT=-10

usage() {
  echo "usage: enter.sh [urgent] tool|visitor|own|outside CMD…" >&2
  exit 1
}

enter() {
  local name
  for name in NETNS CGROUP WORK; do
    [[ -n ${!name:-} ]] || { echo "enter.sh: $name is not set" >&2; exit 1; }
  done
  echo 0 > "$CGROUP/cgroup.procs"
  exec nsenter "--net=/run/netns/$NETNS" unshare --mount --propagation private -- "$0" "inside_$1" "${@:2}"
}

inside_tool() {
  mount --bind "$TOOLS" "$TOOLS"
  mount --bind "$WORK" "$TOOLS/mnt"
  mount --rbind /dev "$TOOLS/dev"
  mount -t proc proc "$TOOLS/proc"
  exec chroot "$TOOLS" "$@"
}

inside_own() {
  exec "$@"
}

outside() {
  [[ -n ${CGROUP:-} ]] || { echo "enter.sh: CGROUP is not set" >&2; exit 1; }
  echo 0 > "$CGROUP/cgroup.procs"
  exec "$@"
}

# A copy of /etc, because resolv.conf may be a link to where this namespace cannot follow, and because not every
# program asks the environment which authorities it should trust.
inside_visitor() {
  local etc=$WORK/etc
  mkdir -p "$etc"
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$etc"
  cp -a /etc/. "$etc/"
  rm -f "$etc/resolv.conf"
  cp "$WORK/resolv.conf" "$etc/resolv.conf"
  echo 'hosts: files dns' > "$etc/nsswitch.conf"
  mkdir -p "$etc/ssl/certs"
  rm -f "$etc/ssl/certs/ca-certificates.crt"
  cp "$WORK/ca.pem" "$etc/ssl/certs/ca-certificates.crt"
  mount --bind "$etc" /etc
  local bundle=/etc/ssl/certs/ca-certificates.crt
  export CURL_CA_BUNDLE=$bundle SSL_CERT_FILE=$bundle REQUESTS_CA_BUNDLE=$bundle NODE_EXTRA_CA_CERTS=$bundle
  exec "$@"
}

# Where the kernel shares the processors among sessions, a nice value counts among the processes of one session alone,
# and the session has another one (sched(7), autogroup).
urgent() {
  renice -n "$URGENT" -p $$ > /dev/null
  [[ ! -e /proc/$$/autogroup ]] || echo "$URGENT" > "/proc/$$/autogroup"
  exec "$0" "$@"
}

case ${1:-} in
  urgent) urgent "${@:2}" ;;
  tool | visitor | own)
    [[ $# -ge 2 ]] || usage
    enter "$@"
    ;;
  outside) outside "${@:2}" ;;
  inside_tool | inside_visitor | inside_own) "$@" ;;
  *) usage ;;
esac
