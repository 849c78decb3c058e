#!/bin/bash
# rivals.sh ROOT CA: what is done to the tree of rivals after its packages are installed: nothing but to see that they start.
set -euo pipefail

chroot "$1" caddy version
