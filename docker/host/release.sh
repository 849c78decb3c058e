#!/bin/bash
# What a machine calls that goes over to this release, or back to it: FOLDER/docker/host/release.sh, of whichever release it runs with itself. What is
# said here is in the log of that one.
# One of before the agent holds its lock by descriptor 6, which lives on here; the agent takes the lock by one of its own. On the way back it takes none:
# the lock stays with what goes back, also where the release that has failed is killed.
[[ ${1:-} == --back ]] || exec 6>&-
exec bash "$(dirname "$(readlink -f "$0")")/twinhost" --unlogged release "$@"
