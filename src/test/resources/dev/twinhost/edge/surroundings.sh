#!/bin/bash
# surroundings.sh open              makes the surroundings and keeps them until standard input ends
# surroundings.sh enter PLACE CMD…  runs CMD in one of them (with nsenter, in the mount and process namespace of `open`)
# surroundings.sh apart PLACE CMD…  the same without a network and with a /run of its own, as in a container of that image that is thrown away
# surroundings.sh reach PLACE CMD…  runs CMD, a program of this machine, in the network of one of them
#
# Five places, each with a network and a root file system of its own, the tools' tree of the rehearsal:
#   visitor      203.0.113.10, sees WORK as /mnt
#   edge         203.0.113.80, and 10.0.3.1 for its neighbour; its DNS is at 127.0.0.11, as a container's is
#   neighbour    10.0.3.2, the edge of another host; the same files
#   application  10.0.1.2, twinhost_app; also 10.0.1.3, a second container
#   challenge    10.0.2.2, twinhost_challenge
# Variables: CACHE, that of the rehearsal; CHECKOUT; WORK, the root of a host with its rendered files (var/lib/twinhost/stack/nginx), its certificate
# (var/lib/twinhost/tls), its memory (dev/shm), that of the neighbour (neighbour/dev/shm) and the webroot of the challenge (srv/twinhost/acme).
# Everything is in namespaces of its own and in memory: it ends with this process, and nothing is written to the tree.
files=$(dirname "$0")
. "$files/../enclosure.sh"
roots=$WORK/roots

inside() {
  mount -t tmpfs -o mode=755 tmpfs /run # names of networks that nobody else sees
  mkdir -p "$roots"
  mount -t tmpfs -o mode=755 tmpfs "$roots"
  local place
  for place in visitor edge neighbour application challenge; do
    ip netns add "$place"
    ip -n "$place" link set lo up
    make_root "$roots/$place"
  done
  ip netns add nowhere
  ip -n nowhere link set lo up
  connect edge 203.0.113.80 visitor 203.0.113.10
  connect edge 10.0.1.1 application 10.0.1.2
  ip -n application address add 10.0.1.3/24 dev to-edge
  connect edge 10.0.2.1 challenge 10.0.2.2
  connect edge 10.0.3.1 neighbour 10.0.3.2
  publish edge

  mount --bind "$WORK" "$roots/visitor/mnt"
  make_edge "$roots/edge" "$WORK/dev/shm"
  make_edge "$roots/neighbour" "$WORK/neighbour/dev/shm"
  cp "$CHECKOUT/docker/challenge/nginx.conf" "$roots/challenge/etc/nginx/"
  mkdir "$roots/challenge/srv/acme"
  mount --bind "$WORK/srv/twinhost/acme" "$roots/challenge/srv/acme"
  cp "$files"/{application,origin}.py "$roots/application/srv/"
  cp "$files/reader.py" "$roots/visitor/srv/"
  keep
}

# make_edge ROOT MEMORY: what a container of the edge reads; MEMORY is its host's.
make_edge() {
  cp -r "$WORK/var/lib/twinhost/stack/nginx/." "$1/etc/nginx/"
  echo "nameserver 127.0.0.11" >"$1/etc/resolv.conf" # as in a container
  mkdir "$1/etc/nginx/tls" "$1/twinhost"
  mount --bind "$WORK/var/lib/twinhost/tls" "$1/etc/nginx/tls"
  mkdir "$1/srv/memory"
  mount --bind "$2" "$1/srv/memory"
  cp "$CHECKOUT"/docker/edge/*.sh "$1/twinhost/"
  cp "$files/openssl.cnf" "$1/etc/ssl/"
}

# publish PLACE: its ports, as a host publishes those of its edge.
publish() {
  ip netns exec "$1" nft -f - <<'END'
table ip published {
  chain in {
    type nat hook prerouting priority dstnat
    tcp dport 80 redirect to :8080
    tcp dport 443 redirect to :8443
  }
}
END
}

# connect PLACE ADDRESS OTHER ADDRESS
connect() {
  ip -n "$1" link add "to-$3" type veth peer name "to-$1" netns "$3"
  ip -n "$1" address add "$2/24" dev "to-$3"
  ip -n "$3" address add "$4/24" dev "to-$1"
  ip -n "$1" link set "to-$3" up
  ip -n "$3" link set "to-$1" up
}

# outside PLACE CMD…: with the network of PLACE and the files of this machine.
outside() {
  exec nsenter "--net=/run/netns/$1" "${@:2}"
}

enter() {
  local place=$1
  shift
  exec nsenter "--net=/run/netns/$place" chroot "$roots/$place" "$@"
}

apart() {
  local place=$1
  shift
  # shellcheck disable=SC2016 # for the shell inside
  exec nsenter --net=/run/netns/nowhere unshare --mount chroot "$roots/$place" sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh "$@"
}

reach() {
  local place=$1
  shift
  exec nsenter "--net=/run/netns/$place" "$@"
}

"$@"
