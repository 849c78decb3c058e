# What the scripts have in common that make surroundings of a test out of namespaces; sourced by each surroundings.sh, which has a function `inside`.
# shellcheck shell=bash
# Variables: CACHE, that of the rehearsal.
set -euo pipefail
umask 022
here=$(realpath "$0")

# open: runs `inside` in namespaces of its own, which end with this process, in the folder that is the tools' tree of the rehearsal.
open() {
  # rootfs.sh keeps the tree to which a link in users/ leads: here to the folder in which this process stands, for as long as it runs.
  exec 6>"$CACHE/versions.lock"
  flock -s -w 60 6 || { echo "$CACHE/versions.lock: still held after 60 s" && exit 1; }
  cd -P "$CACHE/tools"
  ln -sfn "/proc/$$/cwd" "$CACHE/users/enclosure-$$"
  exec 6>&-
  exec unshare --mount --propagation private --net --pid --fork --kill-child=KILL --mount-proc -- bash "$here" inside
}

# make_root ROOT: a root file system, the tools' tree with a layer in memory over it.
make_root() {
  mkdir "$1" "$1.upper" "$1.work"
  mount -t overlay -o "lowerdir=$PWD,upperdir=$1.upper,workdir=$1.work" overlay "$1"
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount -t tmpfs -o mode=755 tmpfs "$1/run"
}

# keep: says that all is ready, and stays until whoever opened this lets go, or is gone.
keep() {
  echo ready
  cat >/dev/null
}
