# Functions that the verbs share; sourced by each of them.
# shellcheck shell=bash disable=SC2016,SC2034
set -Eeuo pipefail
shopt -s inherit_errexit
umask 077

# Every path begins with TWINHOST_ROOT, which is empty on a machine and a temporary folder in tests.
readonly ROOT=${TWINHOST_ROOT:-}
readonly SHARED=$ROOT/srv/twinhost
readonly STATE=$ROOT/var/lib/twinhost
readonly VOLATILE=$ROOT/run/twinhost
readonly RELEASES=$ROOT/opt/twinhost/releases
readonly CURRENT=$ROOT/opt/twinhost/current
HOST=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly HOST RELEASE=${HOST%/docker/host}
readonly FRESH=60 # seconds for which a heartbeat counts as fresh
# Seconds that each part of the way out may take, in its order: whether the group ends this machine, the engine's state, one more replica elsewhere, the
# drain, the lame duck; and where the machine leaves for good, the demotion, and the Swarm and the record. A shutdown has TimeoutStopSec of
# twinhost-drain.service for its part of them, a termination what the balancer takes to let go and then the hook.
readonly OUT_ASK=22 OUT_ENGINE=15 OUT_SPREAD=32 OUT_DRAIN=12 OUT_EDGE=95 OUT_DEMOTE=37 OUT_LEAVE=20

log() {
  printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$(basename "$0" .sh)" "$*"
}

# die REASON: the end of a verb; the reason is the last line of the log.
die() {
  log "$*"
  exit 1
}

# Seconds since boot. Wall clocks differ between machines and jump; nothing is decided by them.
uptime_seconds() {
  cut -d. -f1 "$ROOT/proc/uptime"
}

trap 'log "line $LINENO of ${BASH_SOURCE[0]##*/} failed: $BASH_COMMAND" >&2' ERR

# wait_for SECONDS WHAT COMMAND…: runs COMMAND every second (or every $pace seconds) until it succeeds. What it prints is what it still waits for: logged when it changes,
# and part of the reason when the time is over. A COMMAND that returns 2 says that waiting is of no use. Returns 1 with the reason in `reason`.
wait_for() {
  local limit=$(($(uptime_seconds) + $1)) seconds=$1 what=$2 said last='' status
  shift 2
  while true; do
    status=0
    said=$("$@" 2>&1) || status=$?
    ((status != 0)) || return 0
    reason=$said
    ((status != 2)) || return 1
    [[ $said == "$last" ]] || log "waits for $what${said:+: $said}"
    last=$said
    reason="waited $seconds s for $what${said:+, last: $said}"
    (($(uptime_seconds) < limit)) || return 1
    sleep "${pace:-1}"
  done
}

# await SECONDS WHAT COMMAND…: the same, and the end of the verb where it was in vain.
await() {
  wait_for "$@" || die "$reason"
}

# plain: standard input without control characters, as it may be logged.
plain() {
  tr -d '\000-\010\013-\037\177'
}

# quoted NAME: what another program has said, for the log: plain, and NAME before each line, so that none can pass for one of ours.
quoted() {
  plain | sed "s/^/  $1: /"
}

# write FILE: puts standard input there in one step, so that no reader ever sees half of it.
write() {
  local new
  new=$(mktemp "$1.XXXXXX")
  cat >"$new" && mv -f "$new" "$1"
}

# load FILE…: sources those of the files that are there.
load() {
  local file
  for file in "$@"; do
    # shellcheck disable=SC1090
    [[ ! -e $file ]] || . "$file"
  done
}

# What the launcher wrote (region, role, ids), what this boot asked the metadata service for, and functions of the launcher.
load_machine() {
  load "$ROOT/etc/twinhost/machine.env" "$STATE/instance.env" "$ROOT/opt/twinhost/launcher.sh" "$ROOT/etc/twinhost/limits.env"
  : "${TWINHOST_ROLE:?is missing from machine.env}"
  # seconds after which `heal` acts; a file limits.env on the machine may set others
  DOWN_LIMIT=${TWINHOST_LIMIT_DOWN:-300}            # a node that Swarm calls down is replaced
  MISSING_LIMIT=${TWINHOST_LIMIT_MISSING:-1800}     # so is an instance that is no node; longer than any boot
  LEADERLESS_LIMIT=${TWINHOST_LIMIT_LEADERLESS:-600} # without a leader, a lost manager is replaced
}

# load_settings RELEASE: exports the site's settings of that release, and where this machine substitutes images, those. Keeps the settings' names.
load_settings() {
  load "$1/settings.env" "$ROOT/etc/twinhost/images.env"
  : "${TWINHOST_DOMAIN:?is missing from settings.env}"
  mapfile -t settings < <(sed -n 's/^export \(TWINHOST_[A-Z0-9_]*\)=.*/\1/p' "$1/settings.env")
}

# mounted: whether the shared storage is mounted; asks the kernel's table, which does not stall when the storage does.
mounted() {
  [[ -n $ROOT ]] || grep -q ' /srv/twinhost ' /proc/self/mounts
}

# site_names: the names that the certificate is for, a line each; the first is the one that visitors are led to.
site_names() {
  # shellcheck disable=SC2086 # names hold neither spaces nor patterns
  printf '%s\n' "www.$TWINHOST_DOMAIN" "$TWINHOST_DOMAIN" $TWINHOST_EXTRA_DOMAINS
}

# served: the certificate that this machine's own edge shows a visitor, and the chain below it, as PEM. Returns 1 where it shows none within 5 s.
served() {
  { timeout -k 1 5 openssl s_client -connect "$TWINHOST_ADDRESS:443" -servername "www.$TWINHOST_DOMAIN" -showcerts </dev/null 2>/dev/null || true; } |
    sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' | grep .
}

# days_left: whole days until the end of the certificate on standard input.
days_left() {
  local end
  end=$(openssl x509 -noout -enddate | cut -d= -f2) && [[ -n $end ]] && end=$(date -d "$end" +%s) || return 1
  echo $(((end - $(date +%s)) / 86400))
}

# bounded SECONDS COMMAND…: for everything that touches the shared storage; a process that hangs in it obeys nothing but SIGKILL.
bounded() {
  timeout -s KILL "$@"
}

# record VERB …: reads or writes the cluster record, see record.sh.
record() {
  bounded 5 bash "$HOST/record.sh" "$@" || {
    local status=$?
    ((status != 137)) || echo 'the shared storage did not answer within 5 s' >&2
    return "$status"
  }
}

# docker_api METHOD PATH [SECONDS [HEADERS]]: one call of the Engine API (1.44 is Docker 25.0). The body of a POST comes on standard input, further headers
# from the file HEADERS, so that no token is ever an argument. Prints the answer; where the engine refuses, prints its message to standard error and returns 1.
docker_api() {
  local answer code more=()
  [[ $1 == GET ]] || more=(-H 'Content-Type: application/json' --data-binary @-)
  [[ -z ${4:-} ]] || more+=(-H "@$4")
  answer=$(curl -sS --max-time "${3:-10}" --unix-socket /run/docker.sock -X "$1" "${more[@]}" -w '\n%{http_code}' "http://docker/v1.44$2") || return 1
  code=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  if [[ $code != 2* ]]; then
    jq -r '.message? // .' <<<"$answer" >&2 || printf '%s\n' "$answer" >&2
    return 1
  fi
  printf '%s\n' "$answer"
}

# A guard is a function whose answer allows something. Bash ignores `set -e` in whatever is called in a condition, so each says yes by a word or a
# value that it has found; no answer, a broken one, or a tool that was killed is a no. Both of these take what jq takes.

# pick …: what that filter finds, which is neither null, false nor nothing; otherwise returns 1.
pick() {
  local found
  found=$(jq -er "$@") && [[ -n $found ]] && printf '%s\n' "$found"
}

# holds …: whether that filter says true.
holds() {
  [[ $(jq "$@") == true ]]
}

# filter KEY VALUE: a filter of the Engine API, ready for a path.
filter() {
  jq -rn --arg key "$1" --arg value "$2" '{($key): [$value]} | tojson | @uri'
}

# swarm_state: inactive, pending, active, error or locked. Anything but inactive means that Swarm state is on this disk. Returns 1 where the engine
# does not say.
swarm_state() {
  docker_api GET /info 5 | pick '.Swarm.LocalNodeState | select(IN("inactive", "pending", "active", "error", "locked"))'
}

# swarm_cluster: the id of the cluster that this manager is in, read through its leader; returns 1 where it sees none.
swarm_cluster() {
  docker_api GET /info 5 | pick '.Swarm | select(.ControlAvailable == true) | .Cluster.ID | strings | select(. != "")'
}

# own_node: this machine's id as a node of its Swarm.
own_node() {
  docker_api GET /info 5 | pick '.Swarm.NodeID | strings | select(. != "")'
}

# own_cluster: the id of the cluster that this machine joined or founded last; empty before that.
own_cluster() {
  cat "$STATE/cluster-id" 2>/dev/null || true
}

# started PID: when that process started, in the kernel's own ticks: a number that another one takes over later does not have the same.
started() {
  local fields
  fields=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${fields##*) }"
  printf '%s\n' "${fields[19]}"
}

# refresh_record: reads the cluster record and keeps what it read, with the time on this machine's own clock. Prints it; returns 1 where the
# storage cannot be read.
refresh_record() {
  local now seen
  now=$(uptime_seconds)
  seen=$(record show) && seen=$(pick -c -L "$HOST" --argjson now "$now" 'include "record"; whole + {read: $now}' <<<"$seen") &&
    write "$VOLATILE/record" <<<"$seen" || return 1
  printf '%s\n' "$seen"
}

# may_act: whether this machine may change anything (release, heal, an order of a certificate): it has read the record within 30 s and found its
# own cluster there. Prints why not.
may_act() {
  local own why
  own=$(own_cluster)
  [[ -n $own ]] || { echo 'this machine is in no cluster' && return 1; }
  [[ -e $VOLATILE/record ]] || { echo 'the cluster record was not read since this machine started' && return 1; }
  why=$(pick -L "$HOST" --arg own "$own" --argjson now "$(uptime_seconds)" 'include "record"; whole
    | if (.read | type) != "number" then error("it was read at no time")
      elif $now - .read > 30 then "the cluster record was last read \($now - .read) s ago"
      elif .cluster != $own then "the cluster record names another cluster than the one of this machine"
      else "yes" end' "$VOLATILE/record" 2>/dev/null) || why=''
  [[ $why == yes ]] || { echo "${why:-what was read of the cluster record cannot be understood}" && return 1; }
}

# watch_record RECORD: remembers since when each manager's counter stands still, on this machine's own clock, and whether it was ever seen to
# move. Prints the record with that: watched, the seconds for which this generation is under watch, and for each manager still and led, the
# seconds since its counter was seen to move, and to move while it saw a leader (null: never).
watch_record() {
  local all
  all=$(pick -c -L "$HOST" --argjson now "$(uptime_seconds)" --slurpfile kept <(jq -c . "$VOLATILE/watch" 2>/dev/null || true) 'include "record";
    def time: . == null or type == "number";
    # what was kept and is broken is as if nothing had been: the watch begins again
    def kept: type == "object" and (.since | type) == "number" and (.managers | type) == "object"
      and all(.managers[]; type == "object" and (.moved | time) and (.led | time));
    whole as $record
    | ($kept[0] | if kept and .generation == $record.generation then . else {generation: $record.generation, since: $now, managers: {}} end) as $before
    | ($record.managers | map({key: .instance, value: (. as $m | $before.managers[.instance] as $was
        | (if $was == null then $before.since < $now else $was.counter != $m.counter end) as $moved
        | {counter, moved: (if $moved then $now else $was.moved end), led: (if $moved and $m.leader then $now else $was.led end)})}) | from_entries) as $after
    | def age: if . == null then null else $now - . end;
      {watch: {generation, since: $before.since, managers: $after},
       record: ($record + {watched: ($now - $before.since),
         managers: [.managers[] | . + {still: ($after[.instance].moved | age), led: ($after[.instance].led | age)}]})}' <<<"$1") || return 1
  pick -c .watch <<<"$all" | write "$VOLATILE/watch" || return 1
  pick -c .record <<<"$all"
}

# verdict WATCHED HEAD-START: what a machine without Swarm state does next, as watch_record's answer says: "claim N" or "wait for …". A machine
# that gives others a head start waits that much longer.
verdict() {
  pick --argjson fresh "$FRESH" --argjson head "$2" '
    def live: [.managers[] | select(.still != null and .still <= $fresh)] | length > 0;
    def leading: [.managers[] | select(.led != null and .led <= $fresh)] | length > 0;
    if .generation == 0 then (if .watched >= $head then "claim 1" else "wait for the hosts to found a cluster" end)
    elif .cluster == "" and live then "wait for \(.founder) to found generation \(.generation)"
    elif .cluster != "" and leading then "wait for a manager of generation \(.generation) that takes this machine in"
    elif .watched < $fresh + $head then "wait for a heartbeat of generation \(.generation)"
    else "claim \(.generation + 1)" end' <<<"$1"
}

# parameter NAME SECONDS: the value of a parameter of the site as it is now, had within so many seconds.
parameter() {
  timeout -k 5 "$2" aws ssm get-parameter --name "$1" --query Parameter.Value --output text
}

# registry_of IMAGE: the registry of IMAGE, by the name under which Docker keeps the login to it.
# https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain
registry_of() {
  local first=${1%%/*}
  if [[ $1 != */* || $first == docker.io || $first == index.docker.io ]] || [[ $first != localhost && $first != *[.:[:upper:]]* ]]; then
    echo 'https://index.docker.io/v1/'
  else
    printf '%s\n' "$first"
  fi
}

# log_in COMMAND…: runs COMMAND, which has Docker's command line know a password, and returns what it returns. Prints in one line why it could not.
log_in() {
  local said status=0
  said=$("$@" 2>&1) || status=$?
  ((status == 0)) || { grep -E -m 1 '^(An error occurred|Error)' <<<"$said" || tail -n 1 <<<"$said"; } | plain
  return "$status"
}

# with_ecr REGISTRY REGION: for log_in, to a registry of Amazon ECR. The password is good for 12 hours. Within $login_seconds each, where that is set.
with_ecr() {
  timeout -k 5 $((${login_seconds:-30})) aws ecr get-login-password --region "$2" |
    timeout -k 5 $((${login_seconds:-60})) docker login --username AWS --password-stdin "$1" >/dev/null || return 1
}

# with_secret REGISTRY ARN: for log_in, with what that secret in Secrets Manager holds: {"username": …, "password": …}. Returns 2 where another attempt
# would be of no use.
with_secret() {
  local secret found user said status=0 wanted='{"username": "…", "password": "…"}'
  secret=$(timeout -k 5 $((${login_seconds:-30})) aws secretsmanager get-secret-value --region "$(cut -d: -f4 <<<"$2")" --secret-id "$2" --output json) || {
    (($? != 124)) || echo 'Secrets Manager did not answer in time'
    return 1
  }
  # jq's own words are not shown: they may quote what it reads
  found=$(printf '%s' "$secret" | pick '(try (.SecretString | fromjson) catch null) as $login
    | if ($login | type) != "object" then "holds no JSON object"
      else [("username", "password") | select($login[.] | type != "string" or . == "")] as $missing
        | if $missing != [] then "holds no \($missing | join(" and no "))"
          elif $login.username | test("[[:cntrl:]:]") then "has a colon or a control character in its username"
          else "is whole" end
      end' 2>/dev/null) || found='could not be read'
  [[ $found == 'is whole' ]] || { echo "the secret $2, which has to hold $wanted, $found" && return 2; }
  user=$(printf '%s' "$secret" | pick '.SecretString | fromjson | .username' 2>/dev/null) || return 1
  said=$(printf '%s' "$secret" | jq -r '.SecretString | fromjson | .password' 2>/dev/null |
    timeout -k 5 $((${login_seconds:-60})) docker login --username "$user" --password-stdin "$1" 2>&1 >/dev/null) || status=$?
  ((status != 0)) || return 0
  ((status != 124)) || said='no answer in time'
  said=$(grep -E -m 1 '^Error' <<<"$said" || tail -n 1 <<<"${said:-docker login ended with status $status}")
  refused <<<"$said" || { echo "$said" && return 1; }
  echo "the registry $1 refuses the login of the secret $2: $said"
  return 2
}

# refused: whether the words on standard input are those of a registry that wants another login.
refused() {
  grep -Eqi 'unauthorized|denied|forbidden|no basic auth credentials'
}

# own_login IMAGE: sets `login` to what logs in to the registry of IMAGE, for log_in, where that is Amazon ECR, or where it is the application's and a
# secret holds the login (appRegistrySecret). Returns 1 where it is neither: of that one Docker's command line knows what somebody has typed.
# The password is kept in memory alone.
own_login() {
  local registry
  registry=$(registry_of "$1")
  if [[ $registry =~ ^[0-9]{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.(com(\.cn)?|eu)$ ]]; then
    login=(with_ecr "$registry" "${BASH_REMATCH[1]}")
  elif [[ -n ${TWINHOST_APP_REGISTRY_SECRET:-} && -n ${TWINHOST_APP_IMAGE:-} && $(registry_of "$TWINHOST_APP_IMAGE") == "$registry" ]]; then
    login=(with_secret "$registry" "$TWINHOST_APP_REGISTRY_SECRET")
  else
    return 1
  fi
  export DOCKER_CONFIG=$VOLATILE/docker
}

# know_registry IMAGE: logs in to the registry of IMAGE; returns 1 where there is nothing to log in with.
know_registry() {
  own_login "$1" || return 1
  await 60 "the registry ${login[1]}" log_in "${login[@]}"
}

# registry_auth IMAGE: the login to the registry of IMAGE that Docker's command line has, as the header X-Registry-Auth of the Engine API takes it; nothing
# where it has none. A secret: for a pipe. The form: https://docs.docker.com/reference/api/engine/version/v1.44/#section/Authentication
registry_auth() {
  local config=${DOCKER_CONFIG:-${HOME:-$ROOT/root}/.docker}/config.json
  [[ -e $config ]] || return 0
  # a login that the registry has exchanged for a token has no password
  jq -r --arg registry "$(registry_of "$1")" '.auths[$registry]? | objects
    | . as {$auth, $identitytoken} | ($auth // "" | @base64d | split(":")) as $parts
    | {username: $parts[0], password: ($parts[1:] | join(":")), serveraddress: $registry, $identitytoken}
    | with_entries(select(.value | . != null and . != "")) | select(.username) | tojson | @base64 | gsub("[+]"; "-") | gsub("/"; "_")' "$config" 2>/dev/null || return 1
}

# distribution IMAGE [SECONDS]: what its registry says that IMAGE is now, as one line of JSON: Descriptor.digest, and Platforms, which may be null: the
# engine does not read them of every kind of image. Where it cannot be had, prints the registry's own words as one line to standard error and returns 1.
# https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Distribution/operation/DistributionInspect
distribution() {
  local said seconds=${2:-30}
  [[ $1 =~ ^[A-Za-z0-9._:/@-]+$ ]] || { echo "${1@Q} is no reference to an image" >&2 && return 1; }
  said=$(docker_api GET "/distribution/$1/json" "$seconds" <(registry_auth "$1" | sed 's/^/X-Registry-Auth: /' || true) 2>&1) || {
    # curl: (28) is a time-out
    [[ $said != 'curl: (28)'* ]] || said="no answer within $seconds s"
    paste -sd ' ' <<<"${said:-no answer}" | plain >&2
    return 1
  }
  pick -c 'if (.Descriptor.digest | type) == "string" and (.Descriptor.digest | test("^sha256:[0-9a-f]{64}$")) then . else error("no digest") end' <<<"$said" 2>/dev/null ||
    { echo 'the answer names no digest' >&2 && return 1; }
}

# target_health RELEASE: one line for each target group of that release: "ARN-NAME INSTANCE STATE …". Returns 1 where any of them cannot be asked or
# names no target: what the others say is not the whole.
target_health() {
  local groups group
  groups=$(pick '.targetGroups[] | strings' "$1/release.json") || return 1
  for group in $groups; do
    timeout -k 5 20 aws elbv2 describe-target-health --target-group-arn "$group" --output json |
      pick --arg group "$group" '.TargetHealthDescriptions[] | [.Target.Id, .TargetHealth.State | strings] | if length == 2 then "\($group | split("/")[1] // $group) \(.[0]) \(.[1])"
        else error("a target without a state") end' || return 1
  done
}

# auto_scaling: the site's auto scaling groups as one line of JSON: name, role, desired, suspended processes and instances of each. Returns 1 where
# they cannot be asked: of a group that is missing, or only half there, instances would be taken for ended.
auto_scaling() {
  timeout -k 5 20 aws autoscaling describe-auto-scaling-groups --filters "Name=tag:twinhost:stack,Values=$TWINHOST_STACK" --output json |
    pick -c '[.AutoScalingGroups[] | {name: .AutoScalingGroupName, role: (first(.Tags[] | select(.Key == "twinhost:role") | .Value) // ""), desired: .DesiredCapacity,
        suspended: [.SuspendedProcesses[]?.ProcessName], instances: [.Instances[] | {id: .InstanceId, state: .LifecycleState, health: .HealthStatus}]}]
      | if . != [] and all(.[]; (.name | type) == "string" and (.desired | type) == "number" and all(.instances[] | .[]; type == "string")) then .
        else error("the groups are not whole") end'
}

# spread [NODE]: where all replicas of the application run on one of several hosts (on NODE, where one is given), starts one more, which Swarm puts
# where none is, and then ends one, which Swarm takes from where most are: there are never fewer. The service's label says that this is under way,
# so that whoever leads next brings it to its end. Prints what it did; returns 1 with the reason where the new one does not come up.
spread() {
  local nodes tasks service number tried failed=''
  tried=$(cat "$VOLATILE/spread-failed" 2>/dev/null || echo -600)
  (($(uptime_seconds) - tried >= 600)) || return 0
  nodes=$(docker_api GET /nodes) && tasks=$(docker_api GET "/tasks?filters=$(filter service twinhost_app)" 2>/dev/null) &&
    service=$(docker_api GET /services/twinhost_app 2>/dev/null) || return 0
  # a service holds the whole environment of the application: too long for an argument, and no business of the list of processes
  number=$(jq -enr --slurpfile nodes <(printf '%s' "$nodes") --slurpfile tasks <(printf '%s' "$tasks") --slurpfile service <(printf '%s' "$service") --arg node "${1:-}" '
    [$nodes[0][] | select(.Status.State == "ready" and .Spec.Availability == "active" and .Description.Engine.Labels["twinhost.role"] == "host") | .ID] as $hosts
    | [$tasks[0][] | select(.DesiredState == "running" and .Status.State == "running") | .NodeID] as $on
    | $service[0].Spec.Mode.Replicated.Replicas as $replicas
    | if $service[0].Spec.Labels["twinhost.spread"] then $service[0].Spec.Labels["twinhost.spread"]
      elif $service[0].UpdateStatus.State? | IN("updating", "rollback_started") then empty
      elif $replicas > 1 and ($on | length) == $replicas and ($on | unique | length) == 1 and ($hosts - $on | length) > 0 and ($node == "" or $on[0] == $node) then $replicas
      else empty end') || return 0
  [[ $number =~ ^[1-9][0-9]*$ ]] || return 0
  rm -f "$VOLATILE/spread-failed"
  timeout -k 5 60 docker service update --quiet --detach --no-resolve-image --label-add "twinhost.spread=$number" --replicas "$((number + 1))" twinhost_app >/dev/null || return 0
  wait_for $((${TWINHOST_APP_START_SECONDS:-30} + 30)) 'one more replica of the application' app_runs "$((number + 1))" >/dev/null || {
    uptime_seconds >"$VOLATILE/spread-failed"
    failed=$reason
  }
  timeout -k 5 60 docker service update --quiet --detach --no-resolve-image --label-rm twinhost.spread --replicas "$number" twinhost_app >/dev/null ||
    failed=${failed:-'the one more could not be taken back'}
  [[ -z $failed ]] || { echo "$failed" && return 1; }
  echo 'spread the application over the hosts again'
}

# app_runs NUMBER: whether so many replicas of the application run.
app_runs() {
  docker_api GET "/tasks?filters=$(filter service twinhost_app)" |
    holds --argjson number "$1" '[.[] | select(.DesiredState == "running" and .Status.State == "running")] | length >= $number'
}

# retire: takes this machine out of service: the edge as a lame duck, which goes when the balancer has noticed, and everything else that Swarm runs
# here. The application is elsewhere before it ends here.
retire() {
  local node
  # the edge goes, whether another one serves or not
  [[ ! -d $STATE/tls ]] || touch "$STATE/tls/retire" || log 'the edge cannot be told that this machine goes'
  if swarm_cluster >/dev/null 2>&1 && node=$(own_node); then
    # a process of its own, which can be ended: whoever leads brings to its end what it has begun
    # shellcheck disable=SC2016
    timeout -k 2 $((OUT_SPREAD - 2)) bash -c '. "$0" && spread "$1"' "$HOST/lib.sh" "$node" || true
    if timeout -k 2 $((OUT_DRAIN - 2)) docker node update --availability drain "$node" >/dev/null; then
      wait_for $((OUT_EDGE - 5)) 'what runs here to end' nothing_runs || log "$reason"
      return 0
    fi
  fi
  # without a leader nobody starts again what ends here
  timeout -k 2 5 docker ps -q -f label=com.docker.swarm.service.name=twinhost_edge | timeout -k 2 $((OUT_EDGE - 2)) xargs -r docker stop -t 85 >/dev/null || true
  timeout -k 2 5 docker ps -q -f label=com.docker.swarm.service.id | timeout -k 2 $((OUT_SPREAD - 2)) xargs -r docker stop -t 25 >/dev/null || true
}

# nothing_runs: whether no container of a service runs here any more. Prints whose do.
nothing_runs() {
  local names
  names=$(docker_api GET "/containers/json?filters=$(filter label com.docker.swarm.service.name)" 5 |
    pick 'if type != "array" then error("no list") elif . == [] then "none" else map(.Labels["com.docker.swarm.service.name"]) | join(" ") end') || return 1
  [[ $names == none ]] || { echo "$names" && return 1; }
}

# step_down: makes this manager a worker, so that the majority is one of those that stay.
step_down() {
  local node
  if swarm_cluster >/dev/null 2>&1 && node=$(own_node) && timeout -k 2 10 docker node demote "$node" >/dev/null && wait_for 10 'its demotion' demoted; then
    log 'is a manager no longer'
  fi
}

# leave_swarm: forgets the Swarm, and has the record forget this manager.
leave_swarm() {
  docker_api POST '/swarm/leave?force=true' $((OUT_LEAVE - 5)) </dev/null >/dev/null || log 'the Swarm could not be left'
  rm -f "$STATE/cluster-id" "$STATE/drained"
  record leave "$TWINHOST_INSTANCE" || true
}

demoted() {
  docker_api GET /info 5 | holds '.Swarm.ControlAvailable == false'
}

# activate: what the way down has drained serves again.
activate() {
  local node
  [[ -e $STATE/drained ]] || return 0
  [[ $TWINHOST_ROLE == witness ]] || { node=$(own_node) && timeout -k 5 20 docker node update --availability active "$node" >/dev/null; } || return 1
  rm -f "$STATE/drained" "$STATE/tls/retire"
}

# obtain_release JSON: the release that JSON (the value of the release parameter) names, from this disk, from the bucket, or, where that does not have it
# any more, from the copy that the shared storage keeps of every release that has converged. Prints its folder.
obtain_release() {
  local sha zip
  ! fetch_release "$1" || return 0
  sha=$(jq -er .sha256 <<<"$1") || return 1
  zip=$RELEASES/$sha.zip
  rm -rf "$RELEASES/$sha.new"
  record archive "$sha" >"$zip" && sha256sum --quiet -c - <<<"$sha  $zip" >&2 && unzip -q "$zip" -d "$RELEASES/$sha.new" &&
    mv "$RELEASES/$sha.new" "$RELEASES/$sha" && printf '%s\n' "$1" >"$RELEASES/$sha/release.json" || return 1
  printf '%s\n' "$RELEASES/$sha"
}

# converged_release: the release that converged last, as JSON; nothing where the record says that there was none, and where it is one of another
# stack, with another balancer, from which this one has taken over the shared storage. Returns 1 where that cannot be told.
converged_release() {
  local converged balancer seen
  balancer=$(pick '.balancer | strings' "$RELEASE/release.json") && converged=$(record release) || return 1
  if [[ -z $converged ]]; then
    seen=$(record show) && holds -L "$HOST" 'include "record"; whole.release == ""' <<<"$seen"
    return
  fi
  pick -c --arg balancer "$balancer" 'if ([.sha256, .balancer] | all(type == "string")) | not then error("this is no release")
    elif .balancer == $balancer then . else "another" end' <<<"$converged" | sed '/^another$/d'
}

# install_release RELEASE: makes that release the one whose verbs, units and settings this machine runs with.
install_release() {
  local unit changed='' old
  chmod 0755 "$1/docker/host/twinhost"
  mkdir -p "$ROOT/usr/local/bin" "$ROOT/usr/bin" "$ROOT/etc/systemd/system"
  ln -sfn "$1" "$CURRENT.new" && mv -T "$CURRENT.new" "$CURRENT"
  ln -sfn "$CURRENT/docker/host/twinhost" "$ROOT/usr/local/bin/twinhost"
  ln -sfn "$CURRENT/docker/host/twinhost" "$ROOT/usr/bin/twinhost" # where sudo does not look into the other one
  for unit in "$1"/docker/host/units/*; do
    cmp -s "$unit" "$ROOT/etc/systemd/system/${unit##*/}" && continue
    install -m 0644 "$unit" "$ROOT/etc/systemd/system/"
    changed=yes
  done
  # what only a release before had
  for unit in "$ROOT"/etc/systemd/system/twinhost-*; do
    [[ -f $unit && ! -e $1/docker/host/units/${unit##*/} && $unit != */twinhost-launcher.service ]] || continue
    # a service that runs comes to its end: it may be this very one
    systemctl -q disable "${unit##*/}" || true
    [[ $unit == *.service ]] || systemctl -q stop "${unit##*/}" || true
    rm -f "$unit"
    changed=yes
  done
  [[ -z $changed ]] || systemctl daemon-reload
  systemctl -q enable twinhost-bootstrap.service twinhost-drain.service
  # it waits for an attempt to mount the storage, which this does not
  systemctl -q start --no-block twinhost-drain.service
  for unit in "$1"/docker/host/units/*.{timer,path}; do
    systemctl -q enable --now "${unit##*/}"
  done
  # the three youngest stay: this one, and what a person may want to look at
  find "$RELEASES" -mindepth 1 -maxdepth 1 -type d ! -path "$(readlink -f "$1")" -printf '%T@ %p\n' | sort -rn | tail -n +3 |
    while read -r _ old; do rm -rf "$old" "$old.zip"; done
}

# render SOURCE TARGET: copies a file and fills in the settings, which are the same on every machine; any other ${name} or $name stays as it is. A ${TWINHOST_…} that is no setting is
# refused.
render() {
  local names unknown
  mkdir -p "$(dirname "$2")"
  # shellcheck disable=SC2016 # names for envsubst, not for the shell
  names=$(printf '${%s}\n' "${settings[@]}")
  # shellcheck disable=SC2016
  unknown=$(grep -o '\${TWINHOST_[A-Za-z0-9_]*}' "$1" | grep -vxFf <(printf '%s\n' "$names") | paste -sd ' ') || true
  [[ -z $unknown ]] || die "$1 asks for settings that do not exist: $unknown"
  envsubst "$names" <"$1" >"$2"
}

# render_nginx RELEASE FOLDER: the folder nginx/ of that release, its *.conf filled in, anything else as it is, and the list of headers once more for gRPC,
# which has no connection to upgrade and no cache. The settings must be exported.
render_nginx() {
  local file
  while IFS= read -r file; do
    if [[ $file == *.conf ]]; then
      render "$1/nginx/$file" "$2/$file"
    else
      install -D -m 0600 "$1/nginx/$file" "$2/$file"
    fi
  done < <(cd "$1/nginx" && find . -type f -printf '%P\n' | sort)
  [[ -e $2/snippets/request-headers.conf ]] || die "$1/nginx/snippets/request-headers.conf is missing"
  sed -n '/^proxy_set_header \(Connection\|Upgrade\|If-[^ ]*\) /d; s/^proxy_set_header /grpc_set_header /p' "$2/snippets/request-headers.conf" \
    >"$2/snippets/grpc-request-headers.conf"
}
