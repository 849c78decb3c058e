#!/bin/bash
# surroundings.sh open            makes the surroundings and keeps them until standard input ends
# surroundings.sh enter CMD…      runs CMD in certbot's container (with nsenter, in the mount, network and process namespace of `open`)
#
# One network without a way out, in it the tools' tree of the rehearsal: pebble under Let's Encrypt's names, on port 14000, the challenge's service as on a
# host, and a host that answers every pre-flight with ok. WORK/pebble.log is pebble's own log.
# Variables: CACHE, that of the rehearsal; CHECKOUT; WORK, a folder with srv/ as certbot's container has it, and with fullchain.pem and privkey.pem of the authority.
# Everything is in namespaces of its own and, but for WORK, in memory: it ends with this process.
set -euo pipefail
umask 022
here=$(realpath "$0")
root=$WORK/root

open() {
  mkdir -p "$root"
  # rootfs.sh keeps the tree to which a link in users/ leads: here to the folder in which this process stands, for as long as it runs.
  exec 6>"$CACHE/versions.lock"
  flock -s -w 60 6 || { echo "$CACHE/versions.lock: still held after 60 s" && exit 1; }
  cd -P "$CACHE/tools"
  ln -sfn "/proc/$$/cwd" "$CACHE/users/certbot-$$"
  exec 6>&-
  exec unshare --mount --propagation private --net --pid --fork --kill-child=KILL --mount-proc -- bash "$here" inside
}

inside() {
  ip link set lo up
  mount -t tmpfs -o mode=755 tmpfs "$root"
  mkdir "$root"/{tree,upper,work}
  mount -t overlay -o "lowerdir=$PWD,upperdir=$root/upper,workdir=$root/work" overlay "$root/tree"
  mount -t proc proc "$root/tree/proc"
  mount --rbind /dev "$root/tree/dev"
  mount -t tmpfs -o mode=755 tmpfs "$root/tree/run"
  mount --bind "$WORK/srv" "$root/tree/srv"
  mount --bind "$WORK" "$root/tree/mnt"
  mkdir "$root/tree/twinhost"
  cp "$CHECKOUT/docker/certbot/entrypoint.sh" "$root/tree/twinhost/"
  cp "$CHECKOUT/docker/challenge/nginx.conf" "$root/tree/etc/nginx/"
  sed 's/"httpPort": 80,/"httpPort": 8080,/' "$CHECKOUT/src/rehearsal/tools/pebble.json" >"$root/tree/etc/pebble.json"
  echo '127.0.0.1 localhost acme-v02.api.letsencrypt.org acme-staging-v02.api.letsencrypt.org' >"$root/tree/etc/hosts"

  chroot "$root/tree" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --user=root --listen-address=127.0.0.1 \
    --bind-interfaces '--address=/#/127.0.0.1' &
  chroot "$root/tree" nginx -g 'daemon off;' &
  # as in the rehearsal, and every challenge is looked at anew: an order that should not have been made is not hidden
  chroot "$root/tree" env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 pebble -strict -config /etc/pebble.json -dnsserver 127.0.0.1:53 \
    >"$WORK/pebble.log" 2>&1 &
  answer &
  until chroot "$root/tree" curl -sSf -o /dev/null https://acme-v02.api.letsencrypt.org:14000/dir; do
    sleep 0.2
  done
  echo ready
  cat >/dev/null # until whoever opened this lets go, or is gone
}

# answer: the host's side of the pre-flight.
answer() {
  while sleep 0.1; do
    [[ ! -e $WORK/srv/preflight/request ]] || sed 's/$/ ok/' "$WORK/srv/preflight/request" >"$WORK/srv/preflight/answer.new"
    [[ ! -e $WORK/srv/preflight/answer.new ]] || mv "$WORK/srv/preflight/answer.new" "$WORK/srv/preflight/answer"
  done
}

enter() {
  exec chroot "$root/tree" "$@"
}

"$@"
