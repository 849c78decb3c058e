# What a release does about the application: which image it is, a trial of it before any visitor comes to it, and the question whether it answers.
# Sourced by release.sh, whose settings and limits it uses.
# shellcheck shell=bash disable=SC2016,SC2154,SC2034 # $names of jq; variables of release.sh

# ANSWER_LIMIT: seconds in which the application has to answer a request.
# STEADY: those for which a new application has to go on running once it has answered
readonly TRIAL=twinhost-trial PULLS=twinhost.pull ANSWER_LIMIT=10 STEADY=30

# platform: this machine's, as images name theirs.
platform() {
  case $(uname -m) in
    x86_64) echo linux/amd64 ;;
    aarch64) echo linux/arm64 ;;
    *) echo "linux/$(uname -m)" ;;
  esac
}

# resolve_application: has $WORK/application hold the application's image with the digest that its registry has for it now. Otherwise prints why there is
# none, and returns 1; 2 where it is for other machines.
resolve_application() {
  local known digest
  known=$(distribution "$app_image" 2>&1) || { echo "$known" && return 1; }
  # what is no image of a machine (an attestation, say) is of no known platform
  runs_on "$(jq -r '[.Platforms[]? | select((.os // "") | IN("", "unknown") | not) | "\(.os)/\(.architecture)"] | unique | join(", ")' <<<"$known")" || return 2
  digest=$(pick .Descriptor.digest <<<"$known") || return 1
  [[ $app_image != *@* ]] || digest=''
  write "$WORK/application" <<<"$app_image${digest:+@$digest}"
}

# runs_on PLATFORMS: whether this machine is one of these; nothing is said of an image whose registry does not name any. Prints why not.
runs_on() {
  local own
  own=$(platform)
  [[ -z $1 || ", $1," == *", $own,"* ]] || {
    echo "it is for $1, and the machines are $own: build it for $own, or choose an instanceType for which it is, as $(instance_for "$1")"
    return 1
  }
}

# instance_for PLATFORMS: a type of machine that runs one of them.
instance_for() {
  case $1 in
    *amd64*) echo t3.small ;;
    *arm64*) echo t4g.small ;;
    *) echo 'EC2 has none' ;;
  esac
}

# noted_application: the image by its digest, as it was noted when this very release converged. Nothing where it has not yet.
noted_application() {
  record release 2>/dev/null | jq -r --arg sha "${RELEASE##*/}" --arg image "$app_image" \
    'select(.sha256 == $sha) | .images[$image]? // "" | strings | select(test("@sha256:[0-9a-f]{64}$"))' 2>/dev/null || true
}

# choose_application: sets TWINHOST_APP_IMAGE to the image that this release runs, by its digest: everywhere, and whenever it is applied again. A boot and a
# way back ask no registry: they take what was noted. A release asks for what the tag means, once; --resolve does so for one that has converged already.
choose_application() {
  local noted=''
  [[ $default_page == no ]] || return 0
  app_image=$TWINHOST_APP_IMAGE
  [[ -n $anew ]] || noted=$(noted_application)
  if [[ -n $noted ]]; then
    TWINHOST_APP_IMAGE=$noted
    know_registry_if_possible
  elif [[ $mode == --back ]]; then
    know_registry_if_possible
  else
    know_registry "$app_image" || true
    if [[ $mode == --boot ]]; then
      await 300 "the image $app_image" resolve_application
    else
      reason=$(resolve_application) || die "the image $app_image cannot be had: $reason"
    fi
    TWINHOST_APP_IMAGE=$(<"$WORK/application")
    bring_application
  fi
}

# bring_application: has every host have the image before Swarm hears of the release: one that pulls while containers are exchanged would hold that up.
bring_application() {
  local begin
  begin=$(uptime_seconds)
  if ! has_image; then
    pulls=$(pull_name)
    # every host at once; what is wrong is said below. What was rejected after an earlier release had given up waiting is tried again
    pulled_everywhere >/dev/null 2>&1 || [[ $? != 2 ]] || end_pulls "$pulls"
  fi
  wait_for "$PULL_LIMIT" "the image $app_image, which is pulled" pull_application || fail_pull 'this host'
  # of an image that is one manifest of the OCI, Docker does not ask the registry for the platform
  # https://github.com/moby/moby/blob/v25.0.5/api/server/router/distribution/distribution_routes.go
  reason=$(runs_on "$(timeout -k 5 20 docker image inspect --format '{{.Os}}/{{.Architecture}}' "$TWINHOST_APP_IMAGE")") ||
    die "the image $app_image cannot be had: $reason"
  if [[ -n $pulls ]]; then
    wait_for $((PULL_LIMIT + begin - $(uptime_seconds))) "the image $app_image on every host" pulled_everywhere || fail_pull 'every host'
    end_pulls "$pulls"
    pulls=''
  fi
}

# has_image: whether the service of the application has this very image, which then is on the hosts.
has_image() {
  docker_api GET "/services/${STACK}_app" 2>/dev/null | holds --arg image "$TWINHOST_APP_IMAGE" '.Spec.TaskTemplate.ContainerSpec.Image == $image'
}

# fail_pull WHERE: the end of a release whose image did not come, for the `reason`. Where it has only taken too long, it still comes.
fail_pull() {
  [[ $reason == waited* ]] || die "the image $app_image could not be pulled: ${reason:-Docker does not say why}"
  pulls=''
  die "the image $app_image was not pulled within $PULL_LIMIT s on $1; that goes on: deploy again when it has ended"
}

# pull_name: of what pulls the image, on this machine and on every host.
pull_name() {
  printf 'twinhost-pull-%s\n' "$(sha256sum <<<"$TWINHOST_APP_IMAGE" | cut -c1-16)"
}

# know_registry_if_possible: a registry that is away must not keep what has served from serving again: Swarm then keeps the login that it has.
# https://github.com/moby/moby/blob/v25.0.5/daemon/cluster/services.go, UpdateService
know_registry_if_possible() {
  own_login "$app_image" || return 0
  wait_for 60 "the registry ${login[1]}" log_in "${login[@]}" || {
    log "$reason"
    send_login=()
  }
}

# pull_application: whether Docker has the image here; has it pulled by a unit of its own, which goes on where this release gives up waiting.
pull_application() {
  local unit said
  unit=$(pull_name)
  said=$VOLATILE/$unit
  ! here "$TWINHOST_APP_IMAGE" || return 0
  ! systemctl -q is-active "$unit" || { echo 'it is under way' && return 1; }
  if [[ -e $WORK/pulled ]]; then
    # it may have ended since the first look
    ! here "$TWINHOST_APP_IMAGE" || return 0
    tail -n 1 "$said" 2>/dev/null | plain
    return 2
  fi
  touch "$WORK/pulled"
  systemd-run --quiet --collect --unit="$unit" --property=RuntimeMaxSec=3600 --setenv=HOME="${HOME:-/root}" --setenv=DOCKER_CONFIG="${DOCKER_CONFIG:-}" \
    bash -c 'docker pull -q "$1" >"$2" 2>&1' bash "$TWINHOST_APP_IMAGE" "$said" || return 1
  return 1
}

# pulled_everywhere: whether every host has the image. A service has them pull it whose containers cannot start: of what is pulled Swarm then says that it has
# failed, of what cannot be that it is rejected (https://github.com/moby/swarmkit/blob/master/agent/exec/controller.go, Do). It goes on where this
# release gives up waiting. Prints which hosts do not have the image; returns 2 where one cannot pull it.
pulled_everywhere() {
  local name said nodes tasks
  name=$(pull_name)
  docker_api GET "/services/$name" >/dev/null 2>&1 || said=$(timeout -k 5 60 docker service create --quiet --detach --name "$name" --label $PULLS=yes \
    --mode global --constraint 'engine.labels.twinhost.role == host' --restart-condition none --no-healthcheck --no-resolve-image "${send_login[@]}" \
    --entrypoint /only-pulled "$TWINHOST_APP_IMAGE" 2>&1) || { tail -n 1 <<<"$said" | plain && return 1; }
  nodes=$(docker_api GET /nodes) && tasks=$(docker_api GET "/tasks?filters=$(filter service "$name")") || return 1
  said=$(jq -nr --slurpfile nodes <(printf '%s' "$nodes") --slurpfile tasks <(printf '%s' "$tasks") '
    [$nodes[0][] | select(.Description.Engine.Labels["twinhost.role"] == "host" and .Status.State == "ready" and .Spec.Availability == "active")
      | {id: .ID, name: .Description.Hostname}] as $hosts
    | [$hosts[] | .id as $id | . + ([$tasks[0][] | select(.NodeID == $id)] | max_by(.CreatedAt) | .Status // {} | {State, Err})] as $hosts
    | [$hosts[] | select(.State == "rejected") | "\(.name): \(.Err)"] as $rejected
    | [$hosts[] | select(.State | IN("running", "complete", "failed") | not) | .name] as $missing
    | if $rejected != [] then "rejected by " + ($rejected | join("; "))
      elif $hosts == [] then "Swarm names no host that is ready"
      elif $missing != [] then "it is not yet on " + ($missing | join(", "))
      else "pulled" end' 2>/dev/null) || said="Docker's answers cannot be read"
  [[ $said != pulled ]] || return 0
  echo "$said"
  [[ $said != rejected* ]] || return 2
  return 1
}

# end_pulls SERVICE…: those are needed no more.
end_pulls() {
  timeout -k 5 30 docker service rm "$@" >/dev/null 2>&1 || true
}

# end_old_pulls: nor what releases have left that gave up waiting, or were ended.
end_old_pulls() {
  local old
  mapfile -t old < <(docker_api GET "/services?filters=$(filter label $PULLS=yes)" | jq -r --arg pull $PULLS '.[] | select(.Spec.Labels[$pull] == "yes") | .ID')
  [[ ${#old[@]} == 0 ]] || end_pulls "${old[@]}"
}

# check_health: what docker/app/health.yml asks with has to be in the application's image.
check_health() {
  local said status=0
  [[ -n $TWINHOST_APP_HEALTH_PATH && $default_page == no ]] || return 0
  said=$(ask_container --entrypoint sh "$TWINHOST_APP_IMAGE" -c 'command -v curl || command -v wget') || status=$?
  case $status in
    0) ;;
    # the shell has looked and found neither, or there is no shell
    1 | 127) die "the image $app_image has no shell with curl or wget, which ask for appHealthPath: put one of them into it, or leave appHealthPath away and give the image a HEALTHCHECK of its own" ;;
    *) die "the application's image could not be asked for curl or wget: $(grep -m 1 '^docker: ' <<<"$said" || tail -n 1 <<<"$said")" ;;
  esac
}

# sum_application: what tells this application from another one: its image, settings and secrets.
sum_application() {
  TWINHOST_APP_SUM=$(printf '%s\n' "$TWINHOST_APP_IMAGE" "$TWINHOST_APP_PORT" "$TWINHOST_APP_HEALTH_PATH" "$TWINHOST_APP_START_SECONDS" |
    cat - "$WORK/app.json" | sha256sum | cut -c1-16)
  export TWINHOST_APP_SUM
}

# runs_already: whether the service runs this very application.
runs_already() {
  docker_api GET "/services/${STACK}_app" 2>/dev/null | holds --arg sum "$TWINHOST_APP_SUM" '.Spec.Labels["twinhost.application"] == $sum'
}

# The trial. A new application first runs in one container on this machine, to which no visitor comes. Only where it answers, and goes on running, does
# Swarm hear of the release. The first release has none: there are no visitors yet, and no network of the services.

# try_application: dies with the reason where the application does not stand its trial, and where none can be held. Sets for how long, as the containers are
# exchanged, the next one waits for the one before.
try_application() {
  local begin
  tries=yes
  end_trial
  begin=$(uptime_seconds)
  log 'tries the application in a container of its own'
  : >"$WORK/trial"
  wait_for 60 'Swarm to take the trial' deploy_trial || die "the application cannot be tried: $reason"
  # three checks that fail, each with its own limit, and what Swarm takes to start a container
  wait_for $((TWINHOST_APP_START_SECONDS + 30)) 'the application to answer in its trial' trial_answers || fail_trial
  # without a check of its health a container counts as soon as it runs, and may not listen yet
  TWINHOST_APP_DELAY=2
  holds '.State.Health != null' "$WORK/trial-container" || TWINHOST_APP_DELAY=$(($(uptime_seconds) - begin + 2))
  uptime_seconds >"$WORK/trial-since"
  wait_for $((STEADY + ANSWER_LIMIT)) "the application to go on answering for $STEADY s" trial_goes_on || fail_trial
  end_trial
}

# deploy_trial: the application's service by another name, in a stack of its own.
deploy_trial() {
  local file trial=()
  for file in service health trial; do
    [[ $file != health || -n $TWINHOST_APP_HEALTH_PATH ]] || continue
    sed 's/^  app:$/  trial:/' "$RELEASE/docker/app/$file.yml" >"$WORK/trial-$file.yml"
    trial+=(-c "$WORK/trial-$file.yml")
  done
  jq '.services |= {trial: .app}' "$WORK/app.json" >"$WORK/trial.json"
  TWINHOST_NODE=$(own_node) || { echo 'Docker does not say which node this machine is' && return 1; }
  export TWINHOST_NODE
  deploy_stack $TRIAL "${trial[@]}" -c "$WORK/trial.json"
}

end_trial() {
  timeout -k 5 30 docker service rm ${TRIAL}_trial >/dev/null 2>&1 || true
}

# trial_answers: whether the trial's container runs, which means healthy where it has a check, and answers. Prints what it does instead; returns 2 where it has ended.
trial_answers() {
  local task state id
  task=$(docker_api GET "/tasks?filters=$(filter service ${TRIAL}_trial)" | pick -c 'sort_by(.CreatedAt) | last | objects') ||
    { echo 'Swarm has not started it' && return 1; }
  write "$WORK/trial" <<<"$task"
  state=$(pick .Status.State <<<"$task") || return 1
  id=$(pick .Status.ContainerStatus.ContainerID <<<"$task") || id=''
  [[ -z $id ]] || docker_api GET "/containers/$id/json" 2>/dev/null | write "$WORK/trial-container" || true
  case $state in
    running) ;;
    complete | failed | rejected | shutdown | orphaned | remove) return 2 ;;
    *) echo "it is $state$(jq -r 'if .Status.Err then ": \(.Status.Err)" else "" end' <<<"$task")" && return 1 ;;
  esac
  let_end_first "$id"
  answers "$task"
}

trial_goes_on() {
  trial_answers || return $?
  (($(uptime_seconds) - $(<"$WORK/trial-since") >= STEADY))
}

# let_end_first CONTAINER: where memory runs out, the kernel ends these processes, not those that serve.
let_end_first() {
  local pid
  for pid in $(docker_api GET "/containers/$1/top?ps_args=-o%20pid" 2>/dev/null | jq -r '.Processes[]?[0]'); do
    echo 1000 2>/dev/null >"$ROOT/proc/$pid/oom_score_adj" || true
  done
}

# fail_trial: the end of a release whose application has not stood its trial; `reason` is what was waited for in vain.
fail_trial() {
  local why
  why=$(why_no_answer "$(cat "$WORK/trial")")
  end_trial
  die "the application was tried and is not released: $why"
}

# answers TASK: whether the application in the container of TASK, which is on this machine, answers a request as the edge sends it. Any status is an answer.
# Asked from within the network of the container: what this needs is on the machine, not in the image.
answers() {
  local pid address said
  if ! pid=$(pick .Status.ContainerStatus.PID <<<"$1") || ! address=$(address_of "$1"); then
    echo 'no answer: its container has no address'
    return 1
  fi
  said=$(ask "$pid" "http://$address:$TWINHOST_APP_PORT${TWINHOST_APP_HEALTH_PATH:-/}" 2>&1) || { echo "no answer: $said" && return 1; }
}

# ask PID URL: asks in the network of a process. Prints the answer's status and the edge's word that it came from the application; otherwise why there is none.
ask() {
  local said
  said=$(timeout -k 5 $((ANSWER_LIMIT + 5)) nsenter -t "$1" -n curl -sS --noproxy '*' -m $ANSWER_LIMIT -o /dev/null -w '%{http_code} %header{twinhost-answered}' \
    -H "Host: www.$TWINHOST_DOMAIN" -H 'X-Forwarded-Proto: https' "$2" 2>&1) || {
    said=$(grep -o -m 1 'curl: ([0-9]*) .*' <<<"$said" | plain) || said="nothing within $ANSWER_LIMIT s"
    printf '%s\n' "${said#curl: (*) }" && return 1
  }
  printf '%s\n' "$said"
}

# address_of TASK: where the edge finds its container.
address_of() {
  pick --arg network "${STACK}_web" 'first(.NetworksAttachments[] | select(.Network.Spec.Name == $network) | .Addresses[0]) | split("/")[0]' <<<"$1"
}

# why_no_answer TASK: in words, why the application in the container of TASK does not do; its last lines go into the log, as its own.
why_no_answer() {
  local id state container said heard
  id=$(jq -r '.Status.ContainerStatus.ContainerID // ""' <<<"$1" 2>/dev/null) || id=''
  state=$(jq -r '.Status.State // ""' <<<"$1" 2>/dev/null) || state=''
  container=$([[ -z $id ]] || docker_api GET "/containers/$id/json" 2>/dev/null) || container=''
  [[ -z $id ]] || timeout -k 5 10 docker logs --tail 10 "$id" 2>&1 | quoted application >&2 || true
  if [[ $state == running ]]; then
    said=$(answers "$1") || true
    heard=$(listens "$1") || true
    printf 'within %s s (appStartSeconds) there was %s\n' "$TWINHOST_APP_START_SECONDS" "${said:-no answer; it answers now}${heard:+, $heard}"
  else
    # it holds the environment of the application: no argument
    jq -nr --rawfile task <(printf '%s' "$1") --rawfile container <(printf '%s' "$container") --arg seconds "$TWINHOST_APP_START_SECONDS" '
      def object: try (fromjson | objects) catch {};
      ($task | object.Status // {}) as $status | ($container | object // {}) as $container | ($container.State // {}) as $state
      # who has ended is unhealthy to Docker, whatever its checks have said: https://github.com/moby/moby/blob/v25.0.5/container/health.go, CloseMonitorChannel
      | (($container.Config.Healthcheck.Retries // 0 | if . > 0 then . else 3 end) as $most | ($state.Health.FailingStreak // 0) >= $most) as $ill
      | ($state.Health.Log // [] | last // {} | .Output // "" | gsub("[[:cntrl:]]+"; " ") | sub(" +$"; "") | .[:200]) as $check
      | (if $check == "" then "" else "; its check said last: \($check)" end) as $check
      | if $state.OOMKilled == true then "it was ended because the memory of the machine ran out; appReplicas or another instanceType may help"
        # who ends well on a signal leaves no error behind
        elif ($status.Err // "" | contains("unhealthy container")) or $ill then "it was too slow, or is broken: not healthy within \($seconds) s (appStartSeconds) and three checks\($check)"
        elif $status.State == "starting" then "it was too slow: not healthy within \($seconds) s (appStartSeconds)\($check)"
        elif $status.State == "complete" then "it ended by itself, with status 0"
        elif ($status.Err // "") != "" then $status.Err
        else "Swarm did not bring it further than \($status.State // "nothing")" end'
  fi
}

# listens TASK: what listens in its container instead, in words. Docker's own DNS is in there, too.
listens() {
  local pid
  pid=$(pick .Status.ContainerStatus.PID <<<"$1") || return 0
  timeout -k 5 10 nsenter -t "$pid" -n ss -Hltn 2>/dev/null | awk -v port="$TWINHOST_APP_PORT" '
    {
      at = $4; sub(/%[^:]*/, "", at)
      n = match(at, /:[0-9]+$/); address = substr(at, 1, n - 1); p = substr(at, n + 1)
      if (address == "127.0.0.11") next
      if (p != port) others = others (others == "" ? "" : ", ") p
      # over both protocols ss calls it *
      else if (address == "[::]") six = at
      else if (address ~ /^127\./ || address == "[::1]") inside = at
      else right = at
    }
    END {
      if (right != "") print "though it listens on port " port
      else if (inside != "") print "as it listens on " inside " only: let it listen on 0.0.0.0"
      else if (six != "") print "as it listens on " six " over IPv6 only: let it listen on 0.0.0.0"
      else if (others != "") print "as it listens on " others ", and appPort is " port
      else print "as it listens on no port"
    }'
}

# edges_answer: whether every edge passes the application's answer on, asked through the network of the services; in maintenance visitors do not reach it. Prints
# which edge has none.
edges_answer() {
  local nodes tasks edges own pid node address said
  [[ $TWINHOST_MAINTENANCE != true ]] || return 0
  own=$(own_node) && nodes=$(docker_api GET /nodes) && tasks=$(docker_api GET "/tasks?filters=$(filter service "${STACK}_edge")") || return 1
  edges=$(pick -n --slurpfile nodes <(printf '%s' "$nodes") --slurpfile tasks <(printf '%s' "$tasks") --arg own "$own" --arg network "${STACK}_web" '
    [$tasks[0][] | select(.DesiredState == "running" and .Status.State == "running")] as $running
    | [$running[] | select(.NodeID == $own) | .Status.ContainerStatus.PID] as $here
    | $running[] | .NodeID as $id | [($here[0] | numbers), (first($nodes[0][] | select(.ID == $id) | .Description.Hostname | strings) // $id),
        (.NetworksAttachments[] | select(.Network.Spec.Name == $network) | .Addresses[0] | split("/")[0])] | @tsv') || { echo 'no edge runs on this machine' && return 1; }
  while IFS=$'\t' read -r pid node address; do
    said=$(ask "$pid" "http://$address:8081${TWINHOST_APP_HEALTH_PATH:-/}") || { echo "the edge on $node cannot be asked: $said" && return 1; }
    [[ $said == *' '*[0-9]* ]] || { echo "the edge on $node gets no answer from the application (${said%% *})" && return 1; }
  done <<<"$edges"
}

# why_application running|ended: an addition to a reason: what is wrong with a container of the application, one on this machine if there is any, and of those
# rather one that runs, or has ended.
why_application() {
  local own tasks task
  own=$(own_node) && tasks=$(docker_api GET "/tasks?filters=$(filter service "${STACK}_app")") &&
    task=$(pick -c --arg own "$own" --argjson ended "$([[ $1 == ended ]] && echo true || echo false)" '[.[] | select(.Status.State | IN("running", "complete", "failed", "rejected"))]
      | max_by([.NodeID == $own, (.Status.State == "running" and .DesiredState == "running") != $ended, .CreatedAt]) | objects' <<<"$tasks") || return 0
  printf ': %s\n' "$(why_no_answer "$task")"
}
