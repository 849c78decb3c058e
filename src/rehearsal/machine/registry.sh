#!/bin/bash
# registry.sh FOLDER: makes FOLDER/storage, what a registry has at its start: the image twinhost-rehearsal/nginx:1.
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"

LOCK_LIMIT=120 # seconds that another call may hold a lock

folder=$1
cache=$(cache_folder)
filled=$cache/docker/registry/docker/registry/v2
[[ -d $filled ]] || fail "$cache: no root file systems; type: $here/rootfs.sh"
exec 6> "$cache/versions.lock" # so that rootfs.sh deletes nothing of it meanwhile
flock -s -w "$LOCK_LIMIT" 6 || fail "$cache/versions.lock: still held after $LOCK_LIMIT s by another command; end it first"
storage=$folder/storage/docker/registry/v2
mkdir -p "$storage"
# A registry overwrites what names its images, but never a blob: where the file system allows, these are shared instead of copied.
cp -a "$filled/repositories" "$storage/"
if ! cp -al "$filled/blobs" "$storage/" 2> /dev/null; then
  rm -rf "$storage/blobs"
  cp -a --reflink=auto "$filled/blobs" "$storage/"
fi
