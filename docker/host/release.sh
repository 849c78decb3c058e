#!/bin/bash
# Brings the release that the parameter names to the cluster and waits until every service has converged.
# --boot: said by bootstrap: deploys this folder's release, and only where the cluster has none yet.
# --back: said by a release that failed, of the one before: deploys this folder's release again.
# --resolve: a release that has converged already takes the image that the tag of appImage means now.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/application.sh"
mkdir -p "$STATE" "$VOLATILE"
load_machine
# of the release that has handed over to this one
unset TWINHOST_EDGE_IMAGE TWINHOST_CERTBOT_IMAGE
load_settings "$RELEASE"

# PULL_LIMIT: seconds in which an image has to be pulled; PULL_PATIENCE: those that a release waits for certbot's, which Swarm pulls
readonly STACK=twinhost WORK=$STATE/stack PULL_LIMIT=900 PULL_PATIENCE=60
# TURN names the config of the cluster that who applies a release holds, for less than TURN_LIMIT seconds
readonly TURN=twinhost_release TURN_LIMIT=$TWINHOST_TURN_SECONDS BACK_LIMIT=$TWINHOST_BACK_SECONDS
readonly SERVICES=(edge app challenge certbot)
anew=''
[[ ${1:-} != --resolve ]] || { anew=yes && shift; }
mode=${1:-}
named='' waits='' broken='' app_image='' pulls='' send_login=(--with-registry-auth)
trap 'broken="line $LINENO of ${BASH_SOURCE[0]##*/} failed: $BASH_COMMAND"; log "$broken" >&2' ERR
trap 'end $?' EXIT
# who has started it may be gone already, and with him the reader of what is said here
trap "trap '' PIPE TERM; die 'was ended before it had an end of its own'" TERM

# tell STATUS REASON: answers the deploy that waits for this release, if there is one.
tell() {
  told=yes
  [[ $mode == --back || -z $waits ]] || bash "$HOST/answer.sh" "$waits" "$named" "$1" "$2" || true
}

# die REASON: as everywhere, and whoever typed the deploy reads the reason.
die() {
  tell FAILURE "$*"
  log "$*" || true
  exit 1
}

# end STATUS: whatever the end was, it is told, and the next one's turn.
end() {
  (($1 == 0)) || [[ -n ${told:-} ]] || tell FAILURE "ended with status $1${broken:+: $broken}"
  [[ -z ${tries:-} ]] || end_trial
  [[ -z $pulls ]] || end_pulls "$pulls"
  give_turn
}

# learn JSON: which release this is about, and which parameter says who waits for it; releases from before there was one name none.
learn() {
  named=$(jq -r '.sha256 // ""' <<<"$1") && waits=$(jq -r '.answer // ""' <<<"$1")
}

# learn_current: the same, of the release that is to be applied.
learn_current() {
  value=$(parameter "$TWINHOST_RELEASE_PARAMETER" 60) || die "the parameter $TWINHOST_RELEASE_PARAMETER could not be read"
  learn "$value"
}

# select_release: goes over to the code of the release that is to be applied, so that files and code are of one release.
select_release() {
  local folder
  learn_current
  folder=$(obtain_release "$value") || die "the release could not be fetched: $value"
  [[ $folder == "$RELEASE" ]] || exec bash "$folder/docker/host/release.sh" ${anew:+--resolve}
}

# take_turn: one release at a time in the whole cluster, whichever machines they start on: Swarm lets a config's name be taken once. Who left it
# behind counts no more: this machine itself (it runs one at a time), one that is gone, and one that has had more time than its release can take.
take_turn() {
  local said holder id instance limit seen
  if said=$(jq -n --arg name $TURN --arg instance "$TWINHOST_INSTANCE" --arg limit "$TURN_LIMIT" '{Name: $name,
      Labels: {"twinhost.instance": $instance, "twinhost.limit": $limit}, Data: ($instance | @base64)}' |
    docker_api POST /configs/create 2>&1); then
    jq -r .ID <<<"$said" | write "$VOLATILE/turn"
    return
  fi
  grep -Eq 'already exists|AlreadyExists' <<<"$said" || { echo "$said" && return 2; }
  holder=$(docker_api GET "/configs?filters=$(filter name $TURN)" | jq -r --arg name $TURN --arg limit "$TURN_LIMIT" '.[] | select(.Spec.Name == $name)
    | "\(.ID) \(.Spec.Labels["twinhost.instance"]) \(.Spec.Labels["twinhost.limit"] // "" | if test("^[0-9]+$") then . else $limit end)"')
  [[ -n $holder ]] || return 1
  read -r id instance limit <<<"$holder"
  seen=$(cat "$VOLATILE/turn-seen" 2>/dev/null || true)
  [[ ${seen% *} == "$id" ]] || write "$VOLATILE/turn-seen" <<<"$id $(uptime_seconds)"
  if [[ $instance == "$TWINHOST_INSTANCE" ]] || gone "$instance" || { [[ ${seen% *} == "$id" ]] && (($(uptime_seconds) - ${seen#* } > limit)); }; then
    docker_api DELETE "/configs/$id" </dev/null >/dev/null || true
    return 1
  fi
  echo "$instance applies one"
  return 1
}

# gone INSTANCE: whether Swarm says that no node that is ready is that machine; where it says nothing, it is not gone.
gone() {
  local nodes
  nodes=$(docker_api GET /nodes) && [[ $(jq -r --arg instance "$1" 'if type != "array" or . == [] then "unknown"
    elif any(.[]; .Description.Engine.Labels["twinhost.instance"] == $instance and .Status.State == "ready") then "ready" else "gone" end' <<<"$nodes" 2>/dev/null) == gone ]]
}

give_turn() {
  [[ -e $VOLATILE/turn && $mode != --back ]] || return 0
  docker_api DELETE "/configs/$(<"$VOLATILE/turn")" </dev/null >/dev/null || true
  rm -f "$VOLATILE/turn"
}

# look: sets runs to what Swarm says of the stack, "some" or "none" of its services; returns 1 where it says neither.
look() {
  runs=$(docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=$STACK)" |
    jq -r 'if type != "array" then "" elif . == [] then "none" else "some" end') && [[ -n $runs ]]
}

# is_first: whether no release of this stack has ever converged.
is_first() {
  local converged
  converged=$(converged_release 2>/dev/null) && [[ -z $converged ]]
}

# leave_to_others: ends this verb where the cluster runs a release already, which has converged.
leave_to_others() {
  await 60 'Swarm to say what it runs' look
  [[ $runs == none ]] || is_first || exit 0
}

# image_of SERVICE: the image that docker/SERVICE/Dockerfile names: one line, which dependency tools read and raise. certbot's digest is one of several
# architectures; it was read, not pulled, in public repositories that name it beside the tag. Of nginx's no digest was to be had: the tag is pinned to
# what it stands for when it is first deployed.
image_of() {
  local image
  image=$(sed -n 's/^FROM \([^ ]*\)$/\1/p' "$RELEASE/docker/$1/Dockerfile")
  [[ $image =~ ^[a-z0-9][a-zA-Z0-9._/:@-]*$ ]] || die "docker/$1/Dockerfile does not hold one line \"FROM image\", got ${image@Q}"
  printf '%s\n' "$image"
}

# noted_image IMAGE: what this site runs as IMAGE since a release with it has converged; nothing where there is none yet, or the record cannot be read.
noted_image() {
  record release 2>/dev/null | jq -r --arg image "$1" '.images[$image]? // "" | strings | select(test("@sha256:[0-9a-f]{64}$"))' 2>/dev/null || true
}

# places IMAGE: the references by which IMAGE may be had, a line each. Docker's official images have two registries and there the same digests; AWS's is
# the first, because Docker Hub counts the pulls of an address. certbot's image is on Docker Hub alone.
places() {
  local name=${1#docker.io/}
  name=${name#public.ecr.aws/docker/}
  name=${name#library/}
  if [[ $name == */* ]]; then
    printf '%s\n' "$1"
  else
    printf '%s\n' "public.ecr.aws/docker/library/$name" "docker.io/library/$name"
  fi
}

# here IMAGE: whether Docker has IMAGE on this machine.
here() {
  timeout -k 5 20 docker image inspect "$1" >/dev/null 2>&1
}

# pull PLACE…: has Docker have the image from the first of these places that has it. Prints why none has.
pull() {
  local place said limit=$((PULL_LIMIT / $#)) why=''
  for place in "$@"; do
    ! here "$place" || return 0
  done
  for place in "$@"; do
    ! said=$(timeout -k 5 "$limit" docker pull -q "$place" 2>&1) || return 0
    said=$(tail -n 1 <<<"$said" | plain)
    (($# == 1)) || why+="${place%%/*}: "
    why+="${said:-no end within $limit s}; "
  done
  echo "${why%; }"
  return 1
}

# have_image IMAGE PLACE…: what cannot be had is refused before Swarm hears of it; at boot, where nobody is there to try again, only after a while.
have_image() {
  local image=$1 said
  shift
  if [[ $mode == --boot ]]; then
    await $PULL_LIMIT "the image $image" pull "$@"
  else
    said=$(pull "$@") || die "the image $image could not be pulled: $said"
  fi
}

# pinned IMAGE: IMAGE with the digest that its registry has told Docker, where there is one: not for what was built on this machine.
pinned() {
  local name=${1#docker.io/library/} digests='' digest
  [[ $1 == *@* ]] || digests=$(timeout -k 5 20 docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1") || digests=''
  digest=$(grep -m 1 -xE "(docker\.io/library/)?${name%:*}@sha256:[0-9a-f]{64}" <<<"$digests") || digest=''
  printf '%s\n' "$1${digest:+@${digest#*@}}"
}

# have_edge_image: from whichever registry has it, and by its digest, so that what is looked at here is what runs everywhere.
have_edge_image() {
  local place places
  # what is noted is a place by itself; its registry may be away, and another one have the same digest
  mapfile -t places < <(places "$(noted_image "$edge_image" | grep . || printf '%s\n' "$edge_image")")
  know_registry "${places[0]}" || true
  have_image "$edge_image" "${places[@]}"
  for place in "${places[@]}"; do
    ! here "$place" || break
  done
  TWINHOST_EDGE_IMAGE=$(pinned "$place")
  [[ $default_page == no ]] || TWINHOST_APP_IMAGE=$TWINHOST_EDGE_IMAGE
}

# export_settings: what stack.yml, the templates and the entry points of the services read.
export_settings() {
  local noted
  edge_image=${TWINHOST_EDGE_IMAGE:-$(image_of edge)}
  certbot_image=${TWINHOST_CERTBOT_IMAGE:-$(image_of certbot)}
  noted=$(noted_image "$certbot_image")
  export TWINHOST_EDGE_IMAGE=$edge_image
  export TWINHOST_CERTBOT_IMAGE=${noted:-$certbot_image}
  # how long an edge gives an application that is new to the cluster
  export TWINHOST_EDGE_FIRST=120
  # a request that is under way when the lame duck ends has 60 s more; where no other edge serves, a host that is lost has 7 min to be replaced. With
  # another 60 s for the lame duck and the next edge's start, that is less than any release waits.
  export TWINHOST_EDGE_LAST=60
  export TWINHOST_EDGE_PATIENCE=420
  export TWINHOST_EDGE_GRACE=$((TWINHOST_EDGE_PATIENCE + TWINHOST_LAME_DUCK + TWINHOST_EDGE_LAST))
  # where the old one stops first, the new one takes its place and the replicas stay spread; a single one would leave a gap
  export TWINHOST_APP_UPDATE_ORDER=stop-first
  ((TWINHOST_APP_REPLICAS > 1)) || TWINHOST_APP_UPDATE_ORDER=start-first
  # what a trial of the application has found
  TWINHOST_APP_DELAY=$(record release 2>/dev/null | pick '.appDelay | numbers' 2>/dev/null) || TWINHOST_APP_DELAY=2
  export TWINHOST_APP_DELAY
  files=(-c "$RELEASE/docker/stack.yml" -c "$RELEASE/docker/app/service.yml" -c "$WORK/configs.json" -c "$WORK/app.json")
  default_page=no
  # the image of a folder: only the release parameter knows account and region
  [[ $TWINHOST_APP_IMAGE != asset:* ]] || TWINHOST_APP_IMAGE=$(jq -er .appImage "$RELEASE/release.json") ||
    die 'the release parameter does not say where the image of appImage is'
  if [[ -z $TWINHOST_APP_IMAGE ]]; then
    default_page=yes
    export TWINHOST_APP_IMAGE=$edge_image TWINHOST_APP_HEALTH_PATH=${TWINHOST_APP_HEALTH_PATH:-/}
    files+=(-c "$RELEASE/docker/app/stack.yml")
  fi
  [[ -z $TWINHOST_APP_HEALTH_PATH ]] || files+=(-c "$RELEASE/docker/app/health.yml")
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
  add_file certbot "$RELEASE/docker/certbot/check.py" /twinhost/check.py
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

# has_secret NAME: whether Swarm has a secret of that name.
has_secret() {
  docker_api GET "/secrets?filters=$(filter name "$1")" | jq -e --arg name "$1" 'any(.[]; .Spec.Name == $name)' >/dev/null
}

# bring_secret NAME ARN: has Swarm hold what Secrets Manager calls the current value, and notes the name that it has there: a hash of the version,
# which says nothing about the value. That goes from one process to the next, is never an argument or in a file, and is fetched only where Swarm does
# not have it. On the way back the application gets those that it had.
bring_secret() {
  local region version name
  name=$([[ $mode != --back ]] || awk -F '\t' -v name="$1" '$1 == name {print $2}' "$VOLATILE/secrets")
  if [[ -z $name ]]; then
    region=$(cut -d: -f4 <<<"$2")
    version=$(timeout -k 5 30 aws secretsmanager describe-secret --region "$region" --secret-id "$2" --output json |
      jq -er 'first(.VersionIdsToStages // {} | to_entries[] | select(.value | index("AWSCURRENT")) | .key)') || return 1
    name=app_$1_$(printf '%s %s' "$2" "$version" | sha256sum | cut -c1-16)
    # jq's own words are not shown: they may quote what it reads
    has_secret "$name" || timeout -k 5 30 aws secretsmanager get-secret-value --region "$region" --secret-id "$2" --version-id "$version" --output json |
      jq -ce --arg name "$name" --arg namespace "$STACK" '{Name: $name, Labels: {"com.docker.stack.namespace": $namespace},
        Data: (if .SecretString then .SecretString | @base64 else .SecretBinary end)}' 2>/dev/null |
      docker_api POST /secrets/create >/dev/null || has_secret "$name" || return 1
  fi
  printf '%s\t%s\n' "$1" "$name" >>"$WORK/secrets"
}

# make_secret NAME ARN: the same; prints in one line why it could not.
make_secret() {
  local said
  said=$(bring_secret "$@" 2>&1) || {
    grep -m 1 '^An error occurred' <<<"$said" || tail -n 1 <<<"$said"
    return 1
  }
}

# make_secrets: all that the application reads. A permission that came with this very deploy may take a moment to be known everywhere.
make_secrets() {
  local name arn
  : >"$WORK/secrets"
  while IFS=$'\t' read -r name arn; do
    await 60 "the secret $name" make_secret "$name" "$arn"
  done < <(jq -r 'to_entries[] | "\(.key)\t\(.value)"' <<<"$TWINHOST_APP_SECRETS")
}

# note_secrets: those that the application has had so far, so that the way back leads to them, whatever has become of them in Secrets Manager.
note_secrets() {
  docker_api GET "/services?filters=$(filter name ${STACK}_app)" |
    jq -r --arg name ${STACK}_app '.[] | select(.Spec.Name == $name) | .Spec.TaskTemplate.ContainerSpec.Secrets[]? | "\(.File.Name)\t\(.SecretName)"' |
    write "$VOLATILE/secrets"
}

# application: the application's environment and secrets as a compose file, in which a dollar is written twice, and what would begin a template of Swarm's
# is one that gives it (deploy). Everybody in the container may read the secrets: nobody knows which user the application runs as.
application() {
  jq --rawfile secrets "$WORK/secrets" '[$secrets | split("\n")[] | select(. != "") | split("\t")] as $secrets | {version: "3.9",
    secrets: ($secrets | map({key: .[0], value: {external: true, name: .[1]}}) | from_entries),
    services: {app: {
      environment: map_values(gsub("\\$"; "$$") | gsub("\\{\\{"; "{{\"{{\"}}")),
      secrets: ($secrets | map({source: .[0], target: .[0], mode: 292}))}}}' <<<"$TWINHOST_APP_ENVIRONMENT"
}

# ask_container ARGUMENT…: runs a container for a minute at most and prints what it says. Docker's command line hands TERM on to the container, which may
# ignore it, and then waits for its end (https://github.com/docker/cli/blob/v25.0.0/cli/command/container/run.go): the container goes by its name.
ask_container() {
  local name=twinhost-release-$$ status=0
  { timeout -k 5 60 docker run --rm --name "$name" --network none "$@" 2>&1 | plain; } || status=$?
  timeout -k 5 30 docker rm --force "$name" >/dev/null 2>&1 || true
  # 137: killed, as TERM did not end it
  ((status != 124 && status != 137)) || echo 'no answer within 60 s'
  return "$status"
}

# check_nginx: the files have to please the very Nginx that will read them, and an edge with them has to answer what keeps a site alive, before Swarm hears
# of them: docker/edge/check.sh.
check_nginx() {
  local said service file target mounts=(-v "$STATE/tls:/etc/nginx/tls:ro")
  for file in check.sh check-headers.sh; do
    mounts+=(-v "$RELEASE/docker/edge/$file:/twinhost/$file:ro")
  done
  while IFS=$'\t' read -r service file target; do
    [[ $service != edge ]] || mounts+=(-v "$file:$target:ro")
  done <"$WORK/files"
  # shellcheck disable=SC2086 # names with spaces between
  said=$(ask_container --tmpfs /run --entrypoint /bin/sh "${mounts[@]}" "$TWINHOST_EDGE_IMAGE" /twinhost/check.sh "$TWINHOST_DOMAIN" $TWINHOST_EXTRA_DOMAINS) || {
    quoted check.sh <<<"$said"
    ! grep -q -m 1 '^docker: ' <<<"$said" || die "Nginx could not be asked about the files of this release: $(grep -m 1 '^docker: ' <<<"$said")"
    # without the time and the numbers of the process that Nginx puts before it
    ! grep -q -F '[emerg]' <<<"$said" || die "Nginx refuses the files of this release: $(grep -m 1 -F '[emerg]' <<<"$said" | sed 's/.*\[emerg] \([0-9]*#[0-9]*: \)\?//')"
    die "the files of this release are refused: $(tail -n 1 <<<"${said:-without a word}")"
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

# deploy_stack NAME ARGUMENT…: two machines may do the same at once, then Swarm turns one away as out of date. Swarm takes what a service's environment, mounts and host
# name hold for a template (https://github.com/moby/swarmkit/blob/master/template/expand.go): of those only the environment holds settings. Every image has its
# digest, or is one of this machine: no registry is asked for another.
deploy_stack() {
  local said name status=0 begin='{{' same='{{"{{"}}'
  said=$(
    for name in "${settings[@]}"; do
      export "$name=${!name//"$begin"/"$same"}"
    done
    timeout -k 5 120 docker stack deploy "${@:2}" --prune "${send_login[@]}" --resolve-image never "$1" 2>&1
  ) || status=$?
  ((status != 0)) || return 0
  ((status != 124 && status != 137)) || said="docker stack deploy had no end within 120 s, last: ${said##*$'\n'}"
  tail -n 1 <<<"$said" | plain
  grep -Eq 'out of sequence|already exists|AlreadyExists' <<<"$said" && return 1
  return 2
}

# converged: whether every service runs what it was told to, everywhere: only where converged.jq says so in its one word. Prints what is missing; returns
# 2 when Swarm has given up or rolled back.
converged() {
  local nodes services tasks said boot=false late=false
  nodes=$(docker_api GET /nodes) && services=$(docker_api GET "/services?filters=$(filter label com.docker.stack.namespace=$STACK)") &&
    tasks=$(docker_api GET "/tasks?filters=$(filter label com.docker.stack.namespace=$STACK)") || return 1
  # certbot's image comes from afar: at boot nobody waits for it, later only for a while
  [[ $mode != --boot ]] || boot=true
  (($(uptime_seconds) - deployed <= PULL_PATIENCE)) || late=true
  said=$(jq -rn --argjson before "$before" --arg names "${SERVICES[*]/#/${STACK}_}" --arg optional ${STACK}_certbot \
    --argjson boot $boot --argjson late $late --arg new "${first:+${STACK}_app}" --slurpfile nodes <(printf '%s' "$nodes") --slurpfile services <(printf '%s' "$services") \
    --slurpfile tasks <(printf '%s' "$tasks") -f "$HOST/converged.jq" 2>&1) ||
    { echo "Docker's answers cannot be read: ${said##*$'\n'}" && return 1; }
  [[ $said != converged ]] || return 0
  # Swarm says why it rolls back only until it has
  grep -m 1 '^goes back: ' <<<"$said" >>"$WORK/why" || true
  if grep -q '^failed: ' <<<"$said"; then
    { cat "$WORK/why" && grep '^failed: ' <<<"$said"; } | sed -n '1s/^[^:]*: //p'
    return 2
  fi
  paste -sd ';' <<<"${said:-"Docker's answers cannot be read"}"
  return 1
}

# steady SECONDS: converged, and by the same tasks for so long: what ends and is started again is seen to run as well. certbot, which may not have come yet, is left out.
steady() {
  local tasks since='' seen=''
  converged || { local status=$? && rm -f "$WORK/steady" && return "$status"; }
  tasks=$(docker_api GET "/tasks?filters=$(jq -rn --args '{service: $ARGS.positional} | tojson | @uri' ${STACK}_{edge,app,challenge})" |
    pick '[.[] | select(.DesiredState == "running" and .Status.State == "running") | .ID] | sort | join(" ")') ||
    { echo 'Docker shows no container that runs' && return 1; }
  [[ ! -e $WORK/steady ]] || read -r since seen <"$WORK/steady"
  if [[ $seen != "$tasks" ]]; then
    since=$(uptime_seconds)
    write "$WORK/steady" <<<"$since $tasks"
  fi
  (($(uptime_seconds) - since >= $1)) || { echo "the same containers to run for $1 s" && return 1; }
}

# go_back REASON: the end of a release that did not converge. Swarm rolls back service by service; what belongs together is put back together.
go_back() {
  local value folder task
  task=$(grep -o -m 1 'task [0-9a-z]*' <<<"$1") || true
  [[ -z $task ]] || timeout -k 5 10 docker service logs --raw --tail 10 "${task#task }" 2>&1 | quoted "$task" || true
  log "$1"
  # to this very release, too, with the image that it had
  if value=$(converged_release) && [[ -n $value ]] && folder=$(obtain_release "$value"); then
    # without anything that this release has exported: its images are not those of the one before
    env -i "PATH=$PATH" "HOME=${HOME:-/root}" "TWINHOST_ROOT=$ROOT" timeout -k 30 $((BACK_LIMIT - 30)) bash "$folder/docker/host/release.sh" --back || true
  fi
  die "$1"
}

# note_converged: boots and rebuilds apply this release from now on, with the very images that it runs: those by digest are noted.
note_converged() {
  local generation certbot
  if ! generation=$(jq -en 'input | .generation | numbers' "$VOLATILE/record" 2>/dev/null) ||
    ! jq -en --arg sha "${RELEASE##*/}" 'input | select(.sha256 == $sha)' "$RELEASE/release.json" >/dev/null 2>&1; then
    echo 'what this machine has read of the record, or of the release, is damaged'
    return 1
  fi
  certbot=$(docker_api GET "/services?filters=$(filter name ${STACK}_certbot)" | jq -r --arg name ${STACK}_certbot '.[] | select(.Spec.Name == $name) | .Spec.TaskTemplate.ContainerSpec.Image // ""') || certbot=''
  jq -c --arg edge "$edge_image" --arg edgeRuns "$TWINHOST_EDGE_IMAGE" --arg certbot "$certbot_image" --arg certbotRuns "$certbot" \
    --arg app "$app_image" --arg appRuns "$TWINHOST_APP_IMAGE" --argjson delay "$TWINHOST_APP_DELAY" \
    '({($edge): $edgeRuns, ($certbot): $certbotRuns} + (if $app == "" then {} else {($app): $appRuns} end)
      | with_entries(select(.value | contains("@sha256:")))) as $images
    | . + (if $images == {} then {} else {images: $images} end) + (if $delay == 2 then {} else {appDelay: $delay} end)' "$RELEASE/release.json" |
    record converged "$generation" "${RELEASE##*/}"
}

# remove_old_files: those configs and secrets that neither a service nor the state that it would roll back to refers to. Returns 1, with everything left
# as it is, where Swarm does not say what its services refer to.
remove_old_files() {
  local services used kind id
  services=$(docker_api GET /services) || return 1
  # without an input of its own jq would be content with nothing at all; it leaves the rest unread, so that no pipe may lead to it
  used=$(jq -rn 'input | if type == "array" and . != [] then .[] else error("no services") end
    | .Spec, .PreviousSpec // {} | .TaskTemplate.ContainerSpec | .Configs[]?.ConfigID, .Secrets[]?.SecretID' <<<"$services") || return 1
  for kind in configs secrets; do
    for id in $(docker_api GET "/$kind?filters=$(filter label com.docker.stack.namespace=$STACK)" | jq -r '.[].ID'); do
      grep -qxF "$id" <<<"$used" || docker_api DELETE "/$kind/$id" </dev/null >/dev/null || true
    done
  done
}

learn "$(cat "$RELEASE/release.json")"
if [[ -z $mode ]]; then
  if [[ ! -e $VOLATILE/bootstrap.lock ]] || ! flock -n "$VOLATILE/bootstrap.lock" true; then
    log 'does nothing: bootstrap runs, and brings this machine to the release that converged last'
    exit 0
  fi
  learn_current
fi
if [[ $mode != --back ]]; then
  exec 6>"$VOLATILE/release.lock"
  flock -w "$TURN_LIMIT" 6 || die "waited $TURN_LIMIT s for another release to end"
  rm -f "$VOLATILE/turn-seen"
fi
[[ -n $mode ]] || select_release
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
  until { look && [[ $runs == some ]]; } || [[ $founder == "$TWINHOST_INSTANCE" ]] || (($(uptime_seconds) > limit)); do
    sleep 1
  done
  leave_to_others
  refresh_record >/dev/null || true
fi
why=$(may_act) || die "changes nothing: $why"
log "applies release ${RELEASE##*/}"
export_settings
make_folders
render_all
configs >"$WORK/configs.json"
have_edge_image
choose_application
[[ -n $mode ]] || check_health
check_nginx
if [[ $mode != --back ]]; then
  await $((TURN_LIMIT + 120)) 'another release to end' take_turn
  if [[ -e $VOLATILE/turn-seen ]]; then
    # after what may have been many minutes
    refresh_record >/dev/null || true
    [[ $mode != --boot ]] || leave_to_others
    [[ -n $mode ]] || learn_current
    [[ $named == "${RELEASE##*/}" ]] || { give_turn && select_release; }
    why=$(may_act) || die "changes nothing: $why"
    # the other one may have noted what an image stands for
    have_edge_image
  fi
fi
first=''
[[ $mode == --back ]] || ! is_first || first=yes
[[ $mode == --back ]] || note_secrets
make_secrets
application >"$WORK/app.json"
sum_application
# what was tried answers already, and has shown that it goes on running
settle=10 answer_limit=20
if [[ -n $first && $default_page == no ]]; then
  settle=$STEADY answer_limit=$((TWINHOST_APP_START_SECONDS + 20))
elif [[ -z $mode && $default_page == no && $TWINHOST_MAINTENANCE != true ]] && ! runs_already; then
  try_application
fi
before=$(update_states)
: >"$WORK/why"
rm -f "$WORK/steady"
# what was refused half-way has changed some services already
if ! wait_for 60 'Swarm to take the release' deploy_stack $STACK "${files[@]}"; then
  [[ $mode != --back ]] || die "$reason"
  go_back "$reason"
fi
deployed=$(uptime_seconds)
if [[ $mode == --back ]]; then
  await $((BACK_LIMIT - 210)) 'every service to go back' converged
  log "release ${RELEASE##*/} serves again"
  exit 0
fi
if [[ $mode == --boot && -z $first ]]; then
  # what it runs has served before: it serves again as soon as it can
  wait_for "$TWINHOST_CONVERGE_SECONDS" 'every service to converge' converged || go_back "$reason"
else
  wait_for "$TWINHOST_CONVERGE_SECONDS" 'every service to converge' steady "$settle" || go_back "$reason${first:+$(why_application ended)}"
  wait_for "$answer_limit" 'every edge to pass on an answer of the application' edges_answer || go_back "$reason$(why_application running)"
fi
await 60 'the shared storage to take the release down' note_converged
[[ $mode == --boot ]] || install_release "$RELEASE"
tell SUCCESS "release ${RELEASE##*/} has converged"
end_old_pulls
remove_old_files || log 'configs and secrets that nothing uses stay until the next release'
log "release ${RELEASE##*/} has converged"
