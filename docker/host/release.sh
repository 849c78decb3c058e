#!/bin/bash
# Brings the release that the parameter names to the cluster and waits until every service has converged.
# --boot: said by bootstrap: deploys this folder's release, and only where the cluster has none yet.
# --back: said by a release that failed, of the one before: deploys this folder's release again.
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE" "$VOLATILE"
load_machine

readonly STACK=twinhost WORK=$STATE/stack
mode=${1:-}

# select_release: goes over to the code of the release that is to be applied, so that files and code are of one release.
select_release() {
  local value folder
  value=$(parameter) || die "the parameter $TWINHOST_RELEASE_PARAMETER could not be read"
  folder=$(obtain_release "$value") || die "the release could not be fetched: $value"
  [[ $folder == "$RELEASE" ]] || exec bash "$folder/docker/host/release.sh"
}

# has_stack: whether the cluster runs a release already.
has_stack() {
  docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=$STACK)" | jq -e 'length > 0' >/dev/null
}

# export_settings: what stack.yml, the templates and the entry points of the services read. Images by digest are those of several architectures.
# Read, not pulled. nginx's: in a public Dockerfile whose text is that of visualon/docker-nginx on GitHub, and in a public acceptance test whose
# modules are named Favn; which repository each copy came from was not shown, so look again before you rely on it. certbot's: in one public
# Dockerfile and in the audit of it, likewise.
export_settings() {
  load_settings "$RELEASE"
  export TWINHOST_EDGE_IMAGE=${TWINHOST_EDGE_IMAGE:-public.ecr.aws/docker/library/nginx:1.30.4@sha256:5cf90903deda2c5981b8ad05e7617ac010e389f0dde0ac83487c02c509281de6}
  export TWINHOST_CERTBOT_IMAGE=${TWINHOST_CERTBOT_IMAGE:-certbot/certbot:v5.6.0@sha256:0107d084c225631fc64a8313e19adb07275f7296fde338f7dfa93986c80b2e3e}
  # how long an edge gives an application that is new to the cluster
  export TWINHOST_EDGE_FIRST=120
  # a request that is under way when the lame duck ends has 60 s more; where no other edge serves, a host that is lost has 8 min to be replaced,
  # less than a release waits
  export TWINHOST_EDGE_LAST=60
  export TWINHOST_EDGE_PATIENCE=480
  export TWINHOST_EDGE_GRACE=$((TWINHOST_EDGE_PATIENCE + TWINHOST_LAME_DUCK + TWINHOST_EDGE_LAST))
  # where the old one stops first, the new one takes its place and the replicas stay spread; a single one would leave a gap
  export TWINHOST_APP_UPDATE_ORDER=stop-first
  ((TWINHOST_APP_REPLICAS > 1)) || TWINHOST_APP_UPDATE_ORDER=start-first
  files=(-c "$RELEASE/docker/stack.yml" -c "$WORK/configs.json")
  default_page=no
  if [[ -z $TWINHOST_APP_IMAGE ]]; then
    default_page=yes
    export TWINHOST_APP_IMAGE=$TWINHOST_EDGE_IMAGE
    files=(-c "$RELEASE/docker/stack.yml" -c "$RELEASE/docker/app/stack.yml" -c "$WORK/configs.json")
  fi
}

# add_file SERVICE FILE TARGET: notes that SERVICE reads FILE as TARGET.
add_file() {
  printf '%s\t%s\t%s\n' "$@" >>"$WORK/files"
}

# render_all: every file that a service reads, filled in and noted.
render_all() {
  local file
  rm -rf "$WORK" && mkdir -p "$WORK"
  render_nginx "$RELEASE" "$WORK/nginx"
  while IFS= read -r file; do
    add_file edge "$WORK/nginx/$file" "/etc/nginx/$file"
  done < <(cd "$WORK/nginx" && find . -type f -printf '%P\n' | sort)
  add_file edge "$RELEASE/docker/edge/entrypoint.sh" /twinhost/entrypoint.sh
  add_file certbot "$RELEASE/docker/certbot/entrypoint.sh" /twinhost/entrypoint.sh
  add_file challenge "$RELEASE/docker/challenge/nginx.conf" /etc/nginx/nginx.conf
  [[ $default_page == yes ]] || return 0
  for file in nginx.conf index.html; do
    render "$RELEASE/docker/app/$file" "$WORK/app/$file"
  done
  add_file app "$WORK/app/nginx.conf" /etc/nginx/nginx.conf
  add_file app "$WORK/app/index.html" /srv/app/index.html
}

# configs: those files as a compose file; each one's name ends in the hash of its content, because a config of Swarm never changes.
configs() {
  local service file target
  while IFS=$'\t' read -r service file target; do
    jq -n --arg service "$service" --arg file "$file" --arg target "$target" --arg hash "$(sha256sum "$file" | cut -c1-16)" \
      '{service: $service, file: $file, target: $target, name: "\($service)_\($target | ltrimstr("/") | gsub("[^A-Za-z0-9.-]"; "-") | .[-36:])_\($hash)"}'
  done <"$WORK/files" | jq -s '{version: "3.9",
    configs: (map({key: .name, value: {name, file}}) | from_entries),
    services: (group_by(.service) | map({key: .[0].service, value: {configs: map({source: .name, target, mode: 292})}}) | from_entries)}'
}

# check_nginx: the files have to please the very Nginx that will read them, before Swarm hears of them.
check_nginx() {
  local said service file target mounts=(-v "$STATE/tls:/etc/nginx/tls:ro")
  while IFS=$'\t' read -r service file target; do
    [[ $service != edge ]] || mounts+=(-v "$file:$target:ro")
  done <"$WORK/files"
  docker image inspect "$TWINHOST_EDGE_IMAGE" >/dev/null 2>&1 || said=$(timeout 300 docker pull -q "$TWINHOST_EDGE_IMAGE" 2>&1) ||
    die "the image $TWINHOST_EDGE_IMAGE could not be pulled: $(tail -n 1 <<<"$said")"
  said=$(timeout 60 docker run --rm --network none --tmpfs /run --entrypoint nginx "${mounts[@]}" "$TWINHOST_EDGE_IMAGE" -t -q 2>&1) || {
    printf '%s\n' "$said"
    ! grep -q -m 1 '^docker: ' <<<"$said" || die "Nginx could not be asked about the files of this release: $(grep -m 1 '^docker: ' <<<"$said")"
    die "Nginx refuses the files of this release: $(grep -m 1 -F '[emerg]' <<<"$said" || tail -n 1 <<<"$said")"
  }
}

# make_folders: what the services mount from the shared storage; readable by Nginx's workers where it is the webroot.
make_folders() {
  { bounded 10 install -d -m 0755 "$SHARED/acme" && bounded 10 install -d -m 0700 "$SHARED/letsencrypt"; } || die 'the shared storage cannot be written'
}

# update_states: for each service the state and start of its last update, to tell an old failure from a new one.
update_states() {
  docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=$STACK)" |
    jq -c 'map({key: .Spec.Name, value: (.UpdateStatus // {} | [.State, .StartedAt])}) | from_entries'
}

# deploy: two machines may do the same at once, then Swarm turns one away as out of date.
deploy() {
  local said
  said=$(timeout 120 docker stack deploy "${files[@]}" --prune --with-registry-auth --resolve-image "${TWINHOST_RESOLVE_IMAGE:-always}" $STACK 2>&1) && return
  tail -n 1 <<<"$said"
  grep -Eq 'out of sequence|already exists|AlreadyExists' <<<"$said" && return 1
  return 2
}

# converged: whether every service runs what it was told to, everywhere. Returns 2 when Swarm has given up or rolled back.
converged() {
  local nodes services tasks said
  nodes=$(docker_api GET /nodes) && services=$(docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=$STACK)") &&
    tasks=$(docker_api GET "/tasks?filters=$(filter label com.docker.stack.namespace=$STACK)") || return 1
  # at boot nobody waits for certbot: its image comes from afar, and what it does can wait
  said=$(jq -rn --argjson before "$before" --arg besides "$([[ $mode != --boot ]] || echo ${STACK}_certbot)" --slurpfile nodes <(printf '%s' "$nodes") --slurpfile services <(printf '%s' "$services") \
    --slurpfile tasks <(printf '%s' "$tasks") -f "$HOST/converged.jq")
  # Swarm says why it rolls back only until it has
  grep -m 1 '^goes back: ' <<<"$said" >>"$WORK/why" || true
  if grep -q '^failed: ' <<<"$said"; then
    { cat "$WORK/why" && grep '^failed: ' <<<"$said"; } | head -n 1 | sed 's/^[^:]*: //'
    return 2
  fi
  [[ -z $said ]] || { paste -sd ';' <<<"$said" && return 1; }
}

# go_back REASON: the end of a release that did not converge. Swarm rolls back service by service; what belongs together is put back together.
go_back() {
  local value folder task
  task=$(grep -o -m 1 'task [0-9a-z]*' <<<"$1") || true
  [[ -z $task ]] || timeout 10 docker service logs --raw --tail 10 "${task#task }" 2>&1 || true
  log "$1"
  if value=$(converged_release) && [[ -n $value ]] && folder=$(obtain_release "$value") && [[ $folder != "$RELEASE" ]]; then
    # without anything that this release has exported: its images are not those of the one before
    env -i "PATH=$PATH" "HOME=${HOME:-/root}" "TWINHOST_ROOT=$ROOT" bash "$folder/docker/host/release.sh" --back || true
  fi
  die "$1"
}

# remove_old_configs: those that neither a service nor the state that it would roll back to refers to.
remove_old_configs() {
  local used id
  used=$(docker_api GET /services | jq -r '.[] | .Spec, .PreviousSpec // {} | .TaskTemplate.ContainerSpec.Configs[]?.ConfigID')
  for id in $(docker_api GET "/configs?filters=$(filter label com.docker.stack.namespace=$STACK)" | jq -r '.[].ID'); do
    grep -qxF "$id" <<<"$used" || docker config rm "$id" >/dev/null || true
  done
}

# note_converged: boots and rebuilds apply this release from now on.
note_converged() {
  local generation
  generation=$(jq .generation "$VOLATILE/record")
  record converged "$generation" "${RELEASE##*/}" <"$RELEASE/release.json"
}

if [[ $mode != --back ]]; then
  exec 6>"$VOLATILE/release.lock"
  flock -w 300 6 || die 'waited 300 s for another release to end'
fi
if [[ -z $mode ]]; then
  if [[ ! -e $VOLATILE/bootstrap.lock ]] || ! flock -n "$VOLATILE/bootstrap.lock" true; then
    log 'does nothing: bootstrap runs, and brings this machine to the release that converged last'
    exit 0
  fi
  select_release
fi
if [[ $TWINHOST_ROLE == witness ]]; then
  [[ -n $mode ]] || install_release "$RELEASE"
  log "this witness has release ${RELEASE##*/}"
  exit 0
fi
refresh_record >/dev/null || true
if [[ $mode == --boot ]]; then
  # the founder deploys; another host does so only where the founder did not come to it
  limit=$(($(uptime_seconds) + 120))
  founder=$(jq -r .founder "$VOLATILE/record" 2>/dev/null || true)
  until has_stack || [[ $founder == "$TWINHOST_INSTANCE" ]] || (($(uptime_seconds) > limit)); do
    sleep 1
  done
  ! has_stack || exit 0
  refresh_record >/dev/null || true
fi
why=$(may_act) || die "changes nothing: $why"
log "applies release ${RELEASE##*/}"
export_settings
make_folders
render_all
configs >"$WORK/configs.json"
check_nginx
before=$(update_states)
: >"$WORK/why"
await 60 'Swarm to take the release' deploy
if [[ $mode == --back ]]; then
  await 240 'every service to go back' converged
  log "release ${RELEASE##*/} serves again"
  exit 0
fi
wait_for 540 'every service to converge' converged || go_back "$reason"
remove_old_configs
[[ $mode == --boot ]] || install_release "$RELEASE"
await 60 'the shared storage to take the release down' note_converged
log "release ${RELEASE##*/} has converged"
