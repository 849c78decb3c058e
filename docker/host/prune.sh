#!/bin/bash
# Removes the images that no container here uses and no service would start from, today's or the one that it would roll back to. The image of a
# service that runs elsewhere stays: its container may come here at any time.
. "$(dirname "$0")/lib.sh"

services=$(docker_api GET /services) || die 'removes nothing: no leader of the Swarm says what its services need'
used=$(docker_api GET '/containers/json?all=true' | jq -ce '[.[].ImageID | strings]')
# services hold the whole environment of the application: too long for an argument, and no business of the list of processes
docker_api GET /images/json | jq -r --slurpfile services <(printf '%s' "$services") --slurpfile used <(printf '%s' "$used") '
  # a reference with a digest stands for its digest, any other for its tag
  def key: if contains("@") then split("@")[1] else . end;
  ([$services[0][] | .Spec, .PreviousSpec // empty | .TaskTemplate.ContainerSpec.Image | key]) as $needed
  | .[] | select(.Id as $id | $used[0] | index($id) | not)
  | select(([.RepoTags // [], .RepoDigests // [] | .[] | key] - $needed) == [.RepoTags // [], .RepoDigests // [] | .[] | key]) | .Id' |
  while read -r image; do
    timeout -k 5 60 docker image rm --force "$image" >/dev/null || true
  done
