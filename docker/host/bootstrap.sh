#!/bin/bash
# What a machine calls that hands over to this release: FOLDER/docker/host/bootstrap.sh, of whichever release it runs with itself. What is said here is
# in the log of that one.
# One of before the agent holds its lock by descriptor 8, which lives on here; the agent takes the lock by one of its own.
exec bash "$(dirname "$(readlink -f "$0")")/twinhost" --unlogged bootstrap "$@" 8>&-
