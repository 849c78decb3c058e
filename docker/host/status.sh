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

# certificate: what this machine serves.
certificate() {
  local file=$STATE/tls/current/fullchain.pem end
  [[ -e $file ]] || { echo null && return; }
  end=$(date -d "$(openssl x509 -in "$file" -noout -enddate | cut -d= -f2)" +%s)
  jq -n --arg names "$(openssl x509 -in "$file" -noout -ext subjectAltName | grep -o 'DNS:[^, ]*' | cut -d: -f2 | paste -sd ' ')" \
    --arg issuer "$(openssl x509 -in "$file" -noout -issuer -nameopt RFC2253 | cut -d= -f2-)" --argjson days "$(((end - $(date +%s)) / 86400))" \
    --arg certbot "$(bounded 5 cat "$SHARED/letsencrypt/$TWINHOST_ACME_NAME.status" 2>/dev/null || true)" \
    '{names: ($names | split(" ")), issuer: $issuer, daysLeft: $days, placeholder: ($issuer == "CN=placeholder"), certbot: $certbot}'
}

# collect: all of it as JSON.
collect() {
  local why reason filter
  why=''
  refresh_record >/dev/null 2>&1 || true
  reason=$(may_act) || why=$reason
  filter=$(filter label com.docker.stack.namespace=twinhost)
  jq -n -L "$HOST" --arg instance "${TWINHOST_INSTANCE:-unknown}" --arg role "$TWINHOST_ROLE" --arg address "${TWINHOST_ADDRESS:-unknown}" \
    --arg release "${RELEASE##*/}" --arg site "https://www.$TWINHOST_DOMAIN/" --arg why "$why" --argjson managers "$TWINHOST_MANAGERS" --argjson now "$(uptime_seconds)" \
    --argjson disk "$(df --output=pcent "$STATE" | tail -n 1 | tr -dc 0-9)" --arg healed "$(cat "$STATE/healed" 2>/dev/null || true)" \
    --argjson record "$(cat "$VOLATILE/record" 2>/dev/null || echo null)" \
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
