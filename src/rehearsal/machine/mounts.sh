# shellcheck shell=bash
# The kernel's file systems of a machine, as they may be seen from inside it. Sourced by what runs in namespaces of its
# own (mount, pid, ipc, cgroup, net); nothing here may be called in the namespaces of the machine that rehearses.

# Capabilities that reach beyond the namespaces: the clock, the kernel's modules, raw memory and ports, the kernel's log.
# systemd itself steps a clock that is older than its own build, if it may.
# shellcheck disable=SC2034 # used where this is sourced
FORBIDDEN_CAPABILITIES=-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin,-mac_override,-wake_alarm

# mount_kernel ROOT: proc, sys, cgroup v2 and a small dev below ROOT.
# What of proc and sys belongs to the whole machine can only be read; the settings of the network are the namespace's own.
mount_kernel() {
  local root=$1 node
  mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
  mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/sys"
  if [[ -e $root/proc/sysrq-trigger ]]; then
    mount --bind "$root/proc/sysrq-trigger" "$root/proc/sysrq-trigger"
    mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/sysrq-trigger"
  fi
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
  mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"

  mount -t tmpfs -o mode=755,nosuid,size=4m,strictatime tmpfs "$root/dev"
  for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'fuse 10 229'; do
    # shellcheck disable=SC2086 # three words on purpose
    set -- $node
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
  done
  mkdir "$root"/dev/{pts,shm,mqueue}
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5,nosuid,noexec devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
  mount -t mqueue -o nosuid,nodev,noexec mqueue "$root/dev/mqueue"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s /proc/self/fd/0 "$root/dev/stdin"
  ln -s /proc/self/fd/1 "$root/dev/stdout"
  ln -s /proc/self/fd/2 "$root/dev/stderr"

  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
}

# enter_root ROOT: makes ROOT the root of this mount namespace; nothing of the old one stays reachable.
enter_root() {
  cd "$1" || return
  pivot_root . .
  umount -l .
  cd /
}
