#!/bin/bash
# surroundings.sh open            makes the surroundings and keeps them until standard input ends
# surroundings.sh enter CMD…      runs CMD in certbot's container (with nsenter, in the mount, network and process namespace of `open`)
#
# One network without a way out, in it the tools' tree of the rehearsal: pebble under Let's Encrypt's names, on port 14000, the challenge's service as on a
# host, and a host that answers every pre-flight with ok. WORK/pebble.log is pebble's own log.
# Variables: CACHE, that of the rehearsal; CHECKOUT; WORK, a folder with srv/ as certbot's container has it, and with fullchain.pem and privkey.pem of the authority.
# Everything is in namespaces of its own and, but for WORK, in memory: it ends with this process.
. "$(dirname "$0")/../enclosure.sh"
root=$WORK/root/tree

inside() {
  ip link set lo up
  mkdir -p "$WORK/root"
  mount -t tmpfs -o mode=755 tmpfs "$WORK/root"
  make_root "$root"
  mount --bind "$WORK/srv" "$root/srv"
  mount --bind "$WORK" "$root/mnt"
  mkdir "$root/twinhost"
  cp "$CHECKOUT"/docker/certbot/{entrypoint.sh,check.py} "$root/twinhost/"
  cp "$CHECKOUT/docker/challenge/nginx.conf" "$root/etc/nginx/"
  sed 's/"httpPort": 80,/"httpPort": 8080,/' "$CHECKOUT/src/rehearsal/tools/pebble.json" >"$root/etc/pebble.json"
  echo '127.0.0.1 localhost acme-v02.api.letsencrypt.org acme-staging-v02.api.letsencrypt.org' >"$root/etc/hosts"

  chroot "$root" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --user=root --listen-address=127.0.0.1 \
    --bind-interfaces '--address=/#/127.0.0.1' &
  chroot "$root" nginx -g 'daemon off;' &
  # as in the rehearsal, and every challenge is looked at anew: an order that should not have been made is not hidden
  chroot "$root" env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 pebble -strict -config /etc/pebble.json -dnsserver 127.0.0.1:53 \
    >"$WORK/pebble.log" 2>&1 &
  answer &
  until chroot "$root" curl -sSf -o /dev/null https://acme-v02.api.letsencrypt.org:14000/dir; do
    sleep 0.2
  done
  keep
}

# answer: the host's side of the pre-flight.
answer() {
  while sleep 0.1; do
    [[ ! -e $WORK/srv/preflight/request ]] || sed 's/$/ ok/' "$WORK/srv/preflight/request" >"$WORK/srv/preflight/answer.new"
    [[ ! -e $WORK/srv/preflight/answer.new ]] || mv "$WORK/srv/preflight/answer.new" "$WORK/srv/preflight/answer"
  done
}

enter() {
  exec chroot "$root" "$@"
}

"$@"
