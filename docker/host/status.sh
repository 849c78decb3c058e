#!/bin/bash
# One screen: what is, and what is wrong. --json prints the same for a program. Ends with 1 when something is wrong.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
load_settings "$RELEASE"

# engine PATH: what the engine answers; null where it does not.
engine() {
  docker_api GET "$1" 5 2>/dev/null || echo null
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
  local why reason filter
  why=''
  refresh_record >/dev/null 2>&1 || true
  reason=$(may_act) || why=${reason:-it is not known whether it may}
  filter=$(filter label com.docker.stack.namespace=twinhost)
  jq -n -L "$HOST" --arg instance "${TWINHOST_INSTANCE:-unknown}" --arg role "$TWINHOST_ROLE" --arg address "${TWINHOST_ADDRESS:-unknown}" \
    --arg release "${RELEASE##*/}" --arg site "https://www.$TWINHOST_DOMAIN/" --argjson maintenance "$TWINHOST_MAINTENANCE" --arg why "$why" --argjson managers "$TWINHOST_MANAGERS" --argjson now "$(uptime_seconds)" \
    --argjson disk "$(df --output=pcent "$STATE" | tail -n 1 | tr -dc 0-9)" --arg healed "$(cat "$STATE/healed" 2>/dev/null || true)" \
    --argjson record "$(pick -c . "$VOLATILE/record" 2>/dev/null || echo null)" \
    --slurpfile info <(engine /info) --slurpfile nodes <(engine /nodes) --slurpfile services <(engine "/services?status=true&filters=$filter") \
    --slurpfile tasks <(engine "/tasks?filters=$filter") \
    --argjson certificate "$(certificate)" --arg targets "$(target_health "$RELEASE" 2>/dev/null || true)" -f "$HOST/status.jq"
}

all=$(collect)
if [[ ${1:-} == --json ]]; then
  printf '%s\n' "$all"
else
  jq -rf "$HOST/status-text.jq" <<<"$all"
fi
[[ $(jq '.wrong | length' <<<"$all") == 0 ]] || exit 1
