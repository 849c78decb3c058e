#!/bin/bash
# tools.before.sh ROOT: what has to be there before any package is configured.
# The official Nginx image has its user under this number; packages take the next free ones.
set -euo pipefail
root=$1

echo 'nginx:x:101:' >> "$root/etc/group"
echo 'nginx:x:101:101:nginx user:/nonexistent:/bin/false' >> "$root/etc/passwd"
