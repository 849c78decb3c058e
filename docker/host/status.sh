#!/bin/bash
# One screen: what is, and what is wrong. --json prints the same for a program. Ends with 1 when something is wrong.
# shellcheck disable=SC2016 # $names of jq, for pick
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
load_settings "$RELEASE"

# engine PATH: what the engine answers, an object or an array of objects; null where that is neither.
engine() {
  docker_api GET "$1" 5 2>/dev/null | pick -c 'if type == "array" then map(objects) else objects end' 2>/dev/null || echo null
}

# noted: the reference that is noted as the application's with the release that converged last, as JSON; null where there is none.
noted() {
  record release 2>/dev/null | pick -c --arg name "$TWINHOST_APP_IMAGE" '.images[if $name | startswith("asset:") then .appImage else $name end]
    | strings | select(test("@sha256:[0-9a-f]{64}$")) | tojson' 2>/dev/null || echo null
}

# meant REFERENCE: what the tag of the application's image, NAME:TAG@DIGEST, means to its registry now, as JSON: {tag, digest}, or {tag, why} where that
# cannot be had; null where there is no tag: the default page, an image by its digest, and the one of a folder, of which the tag is a hash. Docker Hub
# counts what it is asked for (https://docs.docker.com/docker-hub/usage/pulls/): an answer holds for 10 minutes.
meant() {
  local tag said now login=()
  [[ -n $TWINHOST_APP_IMAGE && $TWINHOST_APP_IMAGE != asset:* && $TWINHOST_APP_IMAGE != *@* && $1 =~ ^(.+:[A-Za-z0-9_][A-Za-z0-9_.-]*)@sha256:[0-9a-f]{64}$ ]] ||
    { echo null && return; }
  tag=${BASH_REMATCH[1]}
  now=$(uptime_seconds)
  ! pick -c --arg reference "$1" --argjson now "$now" 'select(.reference == $reference and .asked <= $now and $now - .asked < 600) | {tag, digest}' \
    "$VOLATILE/meant" 2>/dev/null || return 0
  own_login "$tag" || true
  # the login of before may be over, or this machine have had none yet
  said=$(distribution "$tag" 5 2>&1) ||
    { refused <<<"$said" && ((${#login[@]} > 0)) && said=$(login_seconds=5 log_in "${login[@]}") && said=$(distribution "$tag" 5 2>&1); } ||
    { jq -cn --arg tag "$tag" --arg why "$said" '{$tag, $why}' && return; }
  said=$(pick -c --arg reference "$1" --argjson asked "$now" --arg tag "$tag" '{$reference, $asked, $tag, digest: .Descriptor.digest}' <<<"$said")
  write "$VOLATILE/meant" <<<"$said" || true
  jq -c '{tag, digest}' <<<"$said"
}

# certificate: what this machine's edge shows a visitor, or, where that is nothing, what it would show.
certificate() {
  local file=$STATE/tls/current/fullchain.pem own shown answers=true
  [[ -e $file ]] || { echo null && return; }
  own=$(openssl x509 -in "$file")
  shown=$(served | openssl x509 2>/dev/null) || { answers=false && shown=$own; }
  jq -n --arg names "$(openssl x509 -noout -ext subjectAltName <<<"$shown" | grep -o 'DNS:[^, ]*' | cut -d: -f2 | paste -sd ' ')" --arg wanted "$(site_names)" \
    --arg issuer "$(openssl x509 -noout -issuer -nameopt RFC2253 <<<"$shown" | cut -d= -f2-)" --argjson days "$(days_left <<<"$shown")" \
    --argjson served "$answers" --argjson own "$([[ $shown == "$own" ]] && echo true || echo false)" \
    --arg certbot "$(bounded 5 cat "$SHARED/letsencrypt/$TWINHOST_ACME_NAME.status" 2>/dev/null || true)" \
    '($names | split(" ")) as $names
    | {names: $names, missing: (($wanted | split("\n")) - $names), issuer: $issuer, daysLeft: $days, served: $served, own: $own,
      placeholder: ($issuer == "CN=placeholder"), certbot: $certbot}'
}

# collect: all of it as JSON.
collect() {
  local why reason filter services image
  why=''
  refresh_record >/dev/null 2>&1 || true
  reason=$(may_act) || why=${reason:-it is not known whether it may}
  filter=$(filter label com.docker.stack.namespace=twinhost)
  # a service holds the whole environment of the application: too long for an argument, and no business of the list of processes
  services=$(engine "/services?status=true&filters=$filter")
  image=$(printf '%s' "$services" | pick '.[]? | select(.Spec.Name == "twinhost_app") | .Spec.TaskTemplate.ContainerSpec.Image | strings' 2>/dev/null) || image=''
  jq -n -L "$HOST" --arg instance "${TWINHOST_INSTANCE:-unknown}" --arg role "$TWINHOST_ROLE" --arg address "${TWINHOST_ADDRESS:-unknown}" \
    --arg release "${RELEASE##*/}" --arg site "https://www.$TWINHOST_DOMAIN/" --argjson maintenance "$TWINHOST_MAINTENANCE" --arg why "$why" --argjson managers "$TWINHOST_MANAGERS" --argjson now "$(uptime_seconds)" \
    --argjson disk "$(df --output=pcent "$STATE" | tail -n 1 | tr -dc 0-9)" --arg healed "$(cat "$STATE/healed" 2>/dev/null || true)" \
    --argjson record "$(pick -c . "$VOLATILE/record" 2>/dev/null || echo null)" \
    --slurpfile info <(engine /info) --slurpfile nodes <(engine /nodes) --slurpfile services <(printf '%s' "$services") \
    --slurpfile tasks <(engine "/tasks?filters=$filter") --slurpfile turn <(engine "/configs?filters=$(filter name twinhost_release)") \
    --slurpfile noted <(noted) --slurpfile meant <(meant "$image") \
    --argjson certificate "$(certificate)" --arg targets "$(target_health "$RELEASE" 2>/dev/null || true)" -f "$HOST/status.jq"
}

all=$(collect)
if [[ ${1:-} == --json ]]; then
  printf '%s\n' "$all"
else
  jq -rf "$HOST/status-text.jq" <<<"$all"
fi
[[ $(jq '.wrong | length' <<<"$all") == 0 ]] || exit 1
