#!/bin/bash
# images.sh HOST TOOLS FOLDER: makes FOLDER/docker, a /var/lib/docker that holds the tree TOOLS as images, by a dockerd
# of the tree HOST in namespaces of its own. Only the images are kept: engine id, networks and all else each machine
# makes for itself. In FOLDER/docker/registry is what a registry stores that has one of them: this dockerd has pushed it, so that
# those who have the images know its layer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/mounts.sh"

LIMIT=60 # seconds for dockerd and the registry to start, and for dockerd to end
REGISTRY=127.0.0.1:5000 # as in ../tools/registry.yml

# What is of no use in an image: the tools that run beside the hosts, and what packages leave behind.
EXCLUDED=(
  './dev/*' './proc/*' './sys/*' './run/*' './tmp/*' './mnt/*' './var/lib/apt/*' './var/cache/apt/*' './var/cache/debconf/*' ./var/log/apt ./var/log/dpkg.log
  ./usr/sbin/haproxy ./usr/bin/halog ./usr/bin/pebble ./usr/bin/pebble-challtestsrv ./usr/sbin/dnsmasq
  ./usr/bin/nghttp ./usr/bin/nghttpd ./usr/bin/nghttpx ./usr/bin/h2load ./usr/bin/docker-registry ./usr/bin/crane ./usr/bin/busybox
)

outside() {
  local host=$1 tools=$2 folder=$3
  mkdir -p "$folder"/{docker,upper,work,root,registry/storage}
  cp "$here/../tools/registry.yml" "$folder/registry/"
  unshare --mount --uts --ipc --net --cgroup --pid --fork --kill-child=KILL "$0" inside "$host" "$tools" "$folder"
  local entry
  for entry in "$folder"/docker/*; do
    case ${entry##*/} in
      image | overlay2) ;;
      *) rm -rf --one-file-system "$entry" ;;
    esac
  done
  mv "$folder/registry/storage" "$folder/docker/registry"
  [[ -d $folder/docker/image/overlay2 ]] || fail "dockerd kept its images elsewhere than in overlay2"
}

inside() {
  local host=$1 tools=$2 folder=$3 root=$3/root
  mount -t overlay -o "lowerdir=$host,upperdir=$folder/upper,workdir=$folder/work" overlay "$root"
  mount_kernel "$root"
  mkdir -p "$root/var/lib/docker" "$root/mnt"
  mount --bind "$folder/docker" "$root/var/lib/docker"
  mount --bind -o ro "$tools" "$root/mnt"
  mount --bind "$folder/registry" "$root/mnt/mnt"
  enter_root "$root"
  hostname images
  ip link set lo up

  dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=overlay2 --log-level=warn &
  local dockerd=$! registry
  await dockerd "$dockerd" docker version
  chroot /mnt docker-registry serve /mnt/registry.yml &
  registry=$!
  await docker-registry "$registry" chroot /mnt curl -sf "http://$REGISTRY/v2/"

  # The same bytes twice are one layer that both images share.
  image nginx 'CMD ["nginx", "-g", "daemon off;"]' 'EXPOSE 80' 'STOPSIGNAL SIGQUIT'
  image certbot 'ENTRYPOINT ["certbot"]' 'EXPOSE 80 443' 'VOLUME ["/etc/letsencrypt", "/var/lib/letsencrypt"]'
  push twinhost-rehearsal/nginx:1
  kill -TERM "$registry" "$dockerd"
  wait "$dockerd" || fail "dockerd ended with status $?"
}

# await NAME PID QUESTION…: until a daemon answers.
await() {
  local started
  started=$(now)
  until "${@:3}" > /dev/null 2>&1; do
    kill -0 "$2" 2>/dev/null || fail "$1 ended at its start"
    [[ $(($(now) - started)) -lt $((LIMIT * 100)) ]] || fail "$1 did not answer within $LIMIT s"
    sleep 0.1
  done
}

# push IMAGE: into the registry, below the name at which Docker asks for it (registry-front.cfg).
push() {
  local there=$REGISTRY/registry-1.docker.io/$1
  docker tag "$1" "$there"
  docker push -q "$there" || fail "$1 could not be pushed"
  docker rmi "$there" > /dev/null
}

# image NAME CHANGE…
image() {
  local name=$1 changes=('ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "${@:2}") change options=()
  for change in "${changes[@]}"; do
    options+=(--change "$change")
  done
  tar -C /mnt "${EXCLUDED[@]/#/--exclude=}" -c . | docker import "${options[@]}" - "twinhost-rehearsal/$name:1" ||
    fail "$name could not be imported"
}

case ${1:-} in
  inside) inside "${@:2}" ;;
  *) outside "$@" ;;
esac
