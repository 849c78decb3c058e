#!/bin/bash
# play.sh TREE BARE|FULL FOLDER: makes FOLDER/runtime.tar, a layer with what play.py needs of the tree of the tools, always the same bytes for
# the same tree: Python and the modules that it loads and, where it is FULL, busybox as sh and wget.
set -euo pipefail
umask 022
tree=$1 kind=$2 folder=$3
here=$(cd "$(dirname "$0")" && pwd)

inside() {
  chroot "$tree" "$@"
}

# Python itself says what it has loaded, and the loader which libraries that takes.
mapfile -t files < <(inside /usr/bin/python3 -I -S - --files < "$here/play.py")
[[ ${#files[@]} -gt 1 ]] || { echo "play.sh: $tree has no Python that runs" >&2; exit 1; }
mapfile -t programs < <(printf '%s\n' "${files[0]}" "${files[@]:1}" | grep -v '\.py$')
mapfile -t libraries < <(inside ldd "${programs[@]}" | grep -oE '/[^ :]+ \(0x' | cut -d ' ' -f 1 | LC_ALL=C sort -u)

root=$folder/root
mkdir -p "$root/tmp"
for file in "${files[@]:1}" "${libraries[@]}"; do
  mkdir -p "$root${file%/*}"
  cp -L --preserve=mode "$tree$file" "$root$file"
done
mkdir -p "$root/usr/bin" "$(dirname "$root$(inside /usr/bin/python3 -I -S -c 'import os; print(os.__file__)')")/lib-dynload"
cp --preserve=mode "$tree${files[0]}" "$root/usr/bin/python3"
cp "$here/play.py" "$root/play.py"
if [[ $kind == FULL ]]; then
  mkdir -p "$root/bin"
  cp -L --preserve=mode "$tree/usr/bin/busybox" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  ln -s busybox "$root/bin/wget"
fi
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$folder/runtime.tar" .
rm -rf "$root"
