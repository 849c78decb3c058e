#!/bin/bash
# rootfs.sh [rivals]: makes or refreshes what every machine of a rehearsal is made from, in TWINHOST_REHEARSAL_CACHE (default
# /var/cache/twinhost-rehearsal):
#   ca/      ca.pem and ca.key, the rehearsal's own certificate authority, trusted by both trees
#   host/    the root file system of a host: Debian with systemd, cloud-init and Docker, and the stand-ins of files/host
#   tools/   the root file system of everything around the hosts: Nginx, certbot, HAProxy, pebble, dnsmasq, a registry
#   docker/  /var/lib/docker with the tools as the images twinhost-rehearsal/nginx:1 and twinhost-rehearsal/certbot:1, and what a
#            registry stores that has the first of them
#   rivals/  where it is asked for: what bin/bench puts beside the edge and tools/ has not, Caddy
# host, tools, docker and rivals are links to versions/<part>-<hash of the recipe>: a part is made again only when its recipe
# changed, beside the old one. The two used last of each part stay, and those to which a link in users/ leads (each
# machine's disk has one) or in which a process lives.
# Prints progress; on failure one line, and exits with 1. Takes the machine's own Debian mirror where it has one.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"

# Amazon Linux 2023 has Docker 25.0 and jq 1.7.1. Of Debian's suites trixie comes nearest to it, with Docker 26.1 and jq
# 1.7.1; forky has Nginx 1.30 and the ACME server, which trixie has not.
declare -A SUITES=([host]=trixie [tools]=forky [rivals]=forky)
BUILD_SPACE=3000 # MB: both trees, the images and the downloaded packages while they are made
LOCK_LIMIT=1800  # seconds that another build may take
JOBS=()

main() {
  need_root
  need_commands mmdebstrap=mmdebstrap openssl=openssl flock=util-linux unshare=util-linux tar=tar systemctl=systemd
  cache=$(cache_folder)
  versions=$cache/versions
  building=$cache/building.$$
  install -d -m 700 "$cache" "$versions" "$cache/users" || fail "$cache: cannot be made"
  take_lock
  trap 'end_jobs' EXIT
  trap 'exit 130' INT TERM HUP
  rm -rf --one-file-system "$cache"/building.* || true # of builds that were killed, or that still delete it themselves
  install -d -m 700 "$building"

  local start
  start=$(now)
  "$here/ca.sh" make "$cache/ca"
  local host tools docker rivals=''
  host=$(version host "$cache/ca/ca.pem" "$here"/{host.packages,host.sh} "$here/files/host")
  tools=$(version tools "$cache/ca/ca.pem" "$here"/{tools.packages,tools.before.sh,tools.sh} "$here/files/tools")
  docker=docker-$(printf '%s\n' "$host" "$tools" | cat - "$here"/{images.sh,mounts.sh,../tools/registry.yml} | digest)

  [[ ${1:-} != rivals ]] || rivals=$(version rivals "$here"/rivals.{packages,sh})

  local missing=()
  [[ -d $versions/$host ]] || missing+=(host)
  [[ -d $versions/$tools ]] || missing+=(tools)
  [[ -d $versions/$docker ]] || missing+=(docker)
  [[ -z $rivals || -d $versions/$rivals ]] || missing+=(rivals)
  if [[ ${#missing[@]} -gt 0 ]]; then
    check_space
    echo "making ${missing[*]} in $cache"
    if [[ " ${missing[*]} " == *" host "* ]]; then run_job make_tree host "$host"; fi
    if [[ " ${missing[*]} " == *" tools "* ]]; then run_job make_tree tools "$tools"; fi
    if [[ " ${missing[*]} " == *" rivals "* ]]; then run_job make_tree rivals "$rivals"; fi
    wait_jobs
    if [[ " ${missing[*]} " == *" docker "* ]]; then run_job make_images "$host" "$tools" "$docker"; fi
    wait_jobs
  fi
  # Held only for this moment, not while something is built: whoever makes a disk takes it too.
  exec 8> "$cache/versions.lock"
  flock -w "$LOCK_LIMIT" 8 || fail "$cache/versions.lock: still held after $LOCK_LIMIT s by another command; end it first"
  point host "$host"
  point tools "$tools"
  point docker "$docker"
  [[ -z $rivals ]] || point rivals "$rivals"
  forget_old host
  forget_old tools
  forget_old docker
  [[ -z $rivals ]] || forget_old rivals
  exec 8>&-
  echo "root file systems ready ($(since "$start"))"
  exec 9>&- # deleting old versions takes a while, and nobody has to wait for it
}

# One build at a time, for all checkouts. What a killed build leaves running keeps the lock until it ends.
take_lock() {
  exec 9> "$cache/lock"
  flock -n 9 && return
  echo "waiting for another command that makes the root file systems in $cache"
  flock -w "$LOCK_LIMIT" 9 || fail "$cache/lock: still held after $LOCK_LIMIT s by another command; end it first"
}

digest() {
  local sum
  sum=$(sha256sum)
  printf '%.16s\n' "$sum"
}

# version PART FILE…: the name of the part's version: a hash over the bytes, names and modes of what makes it.
version() {
  local part=$1
  shift
  {
    printf '%s\n' "${SUITES[$part]}" "$(dpkg --print-architecture)"
    find "$@" -type f -printf '%f %m ' -exec sha256sum {} \; | sed "s# $here/# #" | LC_ALL=C sort
    declare -f make_tree
  } | digest | sed "s/^/$part-/"
}

check_space() {
  local free
  free=$(df --output=avail -BM "$cache" | tail -1 | tr -dc '0-9')
  [[ $free -ge $BUILD_SPACE ]] ||
    fail "$cache has $free MB left, $BUILD_SPACE MB are needed; make room there or set TWINHOST_REHEARSAL_CACHE to a folder on another disk"
}

# run_job FUNCTION ARGUMENT…: in the background; ends with this script.
run_job() {
  "$@" &
  JOBS+=($!)
}

wait_jobs() {
  local job
  for job in "${JOBS[@]}"; do
    wait -n || exit 1
  done
  JOBS=()
}

end_jobs() {
  local job children
  exec 2> /dev/null # the shell would tell of each one that it was killed
  for job in "${JOBS[@]}"; do
    children=()
    read -ra children < "/proc/$job/task/$job/children" || true # ends in no newline
    kill -KILL "${children[@]}" "$job" || true
  done
  rm -rf --one-file-system "$building" || true
}

# make_tree PART VERSION
make_tree() {
  local part=$1 version=$2 tree=$building/$1 log=$cache/$1.log start mirror options=()
  start=$(now)
  mirror=$(mirror)
  mapfile -t options < <(apt-config dump | grep -E '^Acquire::(https?|ftp)::(Proxy|CAInfo|Verify-)[^ ]* "..*";$' || true)
  options=("${options[@]/#/--aptopt=}")
  [[ -f $here/$part.before.sh ]] && options+=("--essential-hook=bash '$here/$part.before.sh' \"\$1\"")
  install -d "$cache/packages" "$building/packages.$part"
  # In a mount and pid namespace of its own nothing of it outlives it. The packages of the last build are linked in, and
  # those of this one kept, so that a changed recipe downloads only what is new.
  unshare --mount --pid --fork --kill-child=KILL --mount-proc mmdebstrap \
    --mode=root --variant=minbase --include="$(paste -sd, "$here/$part.packages")" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "${options[@]}" --skip=essential/unlink \
    --setup-hook="mkdir -p \"\$1/var/cache/apt/archives\"; find '$cache/packages' -name '*.deb' -exec cp -lnt \"\$1/var/cache/apt/archives\" {} +" \
    --customize-hook="find \"\$1/var/cache/apt/archives\" -maxdepth 1 -name '*.deb' -exec ln -ft '$building/packages.$part' {} +" \
    --customize-hook="bash '$here/$part.sh' \"\$1\" '$cache/ca/ca.pem'" \
    --customize-hook="rm -f \"\$1/etc/apt/apt.conf.d/99mmdebstrap\" \"\$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap\"" \
    "${SUITES[$part]}" "$tree" ${mirror:+"$mirror"} > "$log" 2>&1 < /dev/null || fail "$part: $(reason "$log") (all of it: $log)"
  rm -rf "$cache/packages/$part"
  mv "$building/packages.$part" "$cache/packages/$part"
  mv "$tree" "$versions/$version"
  echo "$part: made in $(since "$start")"
}

# mirror: where this machine has its own Debian from, nothing where it is no Debian.
mirror() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' |
    awk '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" && $4 == "main" && $5 ~ /^https?:/ { print $5; exit }'
}

# reason LOG: apt's own words on why it ended.
reason() {
  local words
  words=$(grep -m1 -E '^E: ' "$1" || tail -1 "$1")
  printf '%s\n' "${words#E: }"
}

# make_images HOST TOOLS DOCKER
make_images() {
  local start log=$cache/docker.log
  start=$(now)
  install -d "$building/images"
  "$here/images.sh" "$versions/$1" "$versions/$2" "$building/images" > "$log" 2>&1 < /dev/null ||
    fail "docker: $(tail -1 "$log") (all of it: $log)"
  mv "$building/images/docker" "$versions/$3"
  echo "docker: made in $(since "$start")"
}

# point PART VERSION: sets the link in one step.
point() {
  touch "$versions/$2"
  [[ $(readlink "$cache/$1" || true) == "versions/$2" ]] && return
  ln -sfn "versions/$2" "$building/$1.link"
  mv -T "$building/$1.link" "$cache/$1"
}

# forget_old PART: takes out the versions that nobody uses any more; they are deleted at the end.
forget_old() {
  local used='' user path old
  for user in "$cache"/users/*; do
    if [[ -e $user ]]; then
      used+=" $(readlink -f "$user" || true) " # its machine may be deleted this very moment
    else
      rm -f "$user"
    fi
  done
  # Names are a part and a hash: nothing that a list of files could get wrong.
  # shellcheck disable=SC2012
  mapfile -t old < <(ls -dt "$versions/$1"-* | tail -n +3)
  for path in "${old[@]}"; do
    [[ $used != *" $path "* ]] || continue
    # Processes that end meanwhile make find fail, which says nothing about the others.
    [[ -z $(find /proc -maxdepth 2 -name root -lname "$path*" -print -quit 2>/dev/null) ]] || continue
    mv "$path" "$building/"
  done
}

main "$@"
