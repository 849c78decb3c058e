#!/bin/bash
# boot.sh enter DIR: becomes PID 1 of the machine of DIR (see machine.sh), which calls it in new mount, uts, ipc and pid
# namespaces, in the machine's network namespace, with the console as its terminal.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/mounts.sh"

dir=$2
# shellcheck disable=SC1091 # made by the caller
. "$dir/machine.env"
disk=$dir/disk
root=$disk/root

# The cgroup namespace's root is the cgroup that its maker is in.
enter() {
  local pid
  read -r pid _ < /proc/self/stat # as the machine that rehearses counts it: proc is not yet this namespace's
  echo "$pid" > "$dir/init.pid"
  echo 0 > "$CGROUP/machine/cgroup.procs"
  exec unshare --cgroup "$0" inside "$dir"
}

# mount_own: the file system in a file that is a machine's disk where it has a size. Mounted here alone, it is gone with the last process.
mount_own() {
  mount -o loop "$disk/image" "$disk/own"
  own=$disk/own
  if [[ ! -d $own/work ]]; then
    rm -rf "$own/docker"
    cp -a "$disk/docker" "$own/docker"
    mkdir -p "$own/upper" "$own/work"
  fi
}

# trust: by the name under which openssl-rehash(1) would put it there.
trust() {
  install -m 644 "$TRUST" "$root/etc/ssl/certs/$(openssl x509 -in "$TRUST" -noout -subject_hash).0"
}

inside() {
  local own=$disk
  [[ ! -e $disk/image ]] || mount_own
  mount -t overlay -o "lowerdir=$(readlink "$disk/base"),upperdir=$own/upper,workdir=$own/work" overlay "$root"
  mount_kernel "$root"
  : > "$root/dev/console"
  mount --bind "$(readlink /proc/self/fd/0)" "$root/dev/console"
  mkdir -p "$root/var/lib/docker" "$root/run/rehearsal/efs" "$root/run/rehearsal/storage" "$dir/storage"
  mount --bind "$own/docker" "$root/var/lib/docker"
  mount --bind "$EFS" "$root/run/rehearsal/efs"
  mount --bind "$dir/storage" "$root/run/rehearsal/storage"
  mount -o remount,bind,ro "$root/run/rehearsal/storage"
  : > "$root/run/rehearsal/running"
  mount --bind "$dir/running" "$root/run/rehearsal/running"

  hostname "$HOSTNAME"
  echo "$HOSTNAME" > "$root/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
  echo "nameserver $DNS" > "$root/etc/resolv.conf"
  [[ -z ${TRUST:-} ]] || trust
  [[ -s $root/etc/machine-id ]] || tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  install -d -m 700 "$root/var/lib/cloud/seed/nocloud"
  install -m 600 "$dir/user-data" "$root/var/lib/cloud/seed/nocloud/user-data"
  printf 'instance-id: %s\nlocal-hostname: %s\n' "$INSTANCE_ID" "$HOSTNAME" > "$root/var/lib/cloud/seed/nocloud/meta-data"

  enter_root "$root"
  nft flush ruleset
  # A name that systemd does not know is to it a container of an unknown kind; "dumb" keeps colours out of the log.
  exec env -i container=twinhost-rehearsal TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv "--bounding-set=$FORBIDDEN_CAPABILITIES" -- /usr/lib/systemd/systemd
}

case $1 in
  enter | inside) "$1" ;;
  *) fail "usage: boot.sh enter DIR" ;;
esac
