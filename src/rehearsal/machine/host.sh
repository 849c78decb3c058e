#!/bin/bash
# host.sh ROOT CA: what is done to the hosts' tree after its packages are installed: the stand-ins, the trust in the
# rehearsal's own certificate authority, and nothing started at boot that an EC2 instance would not have of use.
set -euo pipefail
root=$1 ca=$2
here=$(cd "$(dirname "$0")" && pwd)

cp -r "$here/files/host/." "$root/"
chmod 700 "$root/root/.aws"
chmod 600 "$root/root/.aws/config"

install -m 644 "$ca" "$root/usr/local/share/ca-certificates/twinhost-rehearsal.crt"
chroot "$root" update-ca-certificates > /dev/null 2>&1

# user-data is what starts Docker.
systemctl --root="$root" --quiet disable docker.service docker.socket containerd.service

# Units that reach for hardware, for the machine that rehearses or for a person at a console, or that repeat at the first
# boot what was done when the tree was made.
units=(
  apt-daily-upgrade.timer apt-daily.timer cloud-init-hotplugd.socket console-getty.service dev-hugepages.mount
  dev-mqueue.mount dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target
  ldconfig.service proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount
  sys-kernel-debug.mount sys-kernel-tracing.mount systemd-firstboot.service systemd-hibernate-clear.service
  systemd-journal-catalog-update.service systemd-networkd.service
  systemd-networkd.socket systemd-pstore.service systemd-update-done.service tmp.mount
)
for unit in "${units[@]}"; do
  ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
systemctl --root="$root" --quiet set-default multi-user.target
mkdir -p "$root/etc/systemd/system/sysinit.target.wants" "$root/var/log/journal"
ln -s ../rehearsal-running.service "$root/etc/systemd/system/sysinit.target.wants/"

# Each machine writes its own; an empty machine-id would make its first boot enable every unit.
rm -f "$root"/etc/{hostname,hosts,resolv.conf,machine-id} "$root"/var/lib/dbus/machine-id
