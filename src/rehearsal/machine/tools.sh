#!/bin/bash
# tools.sh ROOT CA: what is done to the tools' tree after its packages are installed: as the official Nginx image has it,
# and trusting the rehearsal's own certificate authority.
set -euo pipefail
root=$1 ca=$2
here=$(cd "$(dirname "$0")" && pwd)

install -m 644 "$ca" "$root/usr/local/share/ca-certificates/twinhost-rehearsal.crt"
chroot "$root" update-ca-certificates > /dev/null 2>&1

rm -rf "$root"/etc/nginx/{nginx.conf,conf.d,sites-available,sites-enabled,modules-enabled,snippets} "$root"/var/www
cp -r "$here/files/tools/." "$root/"
mkdir -p "$root"/var/cache/nginx "$root"/usr/lib/nginx/modules
ln -s /usr/lib/nginx/modules "$root/etc/nginx/modules"
rm -f "$root"/var/log/nginx/*
ln -s /dev/stdout "$root/var/log/nginx/access.log"
ln -s /dev/stderr "$root/var/log/nginx/error.log"
rm -f "$root"/etc/{hostname,resolv.conf}
touch "$root/etc/resolv.conf"
chroot "$root" nginx -t -q
