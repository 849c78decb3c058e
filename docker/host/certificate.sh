#!/bin/bash
# Takes the certificate over from the shared storage to this machine's disk, which is all that the edge mounts, and answers certbot's pre-flight.
. "$(dirname "$0")/lib.sh"
mkdir -p "$STATE/tls" "$STATE/preflight" "$VOLATILE"
load_machine
[[ $TWINHOST_ROLE == host ]] || exit 0 # a witness serves nothing, and needs no key
load_settings "$RELEASE"

readonly TLS=$STATE/tls
mapfile -t names < <(site_names)
exec 7>"$VOLATILE/certificate.lock"
flock -w 60 7 || die 'waited 60 s for another run of this verb'

# belongs FOLDER: whether the key in FOLDER is the one of the certificate there.
belongs() {
  local key certificate
  certificate=$(openssl x509 -in "$1/fullchain.pem" -noout -pubkey 2>/dev/null) && key=$(openssl pkey -in "$1/privkey.pem" -pubout 2>/dev/null) &&
    [[ -n $key && $key == "$certificate" ]]
}

# adopt FOLDER: makes what is in FOLDER the certificate that this machine serves, in one step. The file `version` is what the edge watches.
adopt() {
  local version
  version=$(cat "$1"/*.pem | sha256sum | cut -c1-16)
  printf '%s\n' "$version" >"$1/version"
  # the key is read by Nginx's master process alone, which is root
  chmod 0755 "$1" && chmod 0644 "$1/fullchain.pem" "$1/version" && chmod 0600 "$1/privkey.pem"
  rm -rf "${TLS:?}/$version"
  mv -T "$1" "$TLS/$version"
  ln -sfn "$version" "$TLS/current.new" && mv -T "$TLS/current.new" "$TLS/current"
  find "$TLS" -mindepth 1 -maxdepth 1 -type d ! -name "$version" -exec rm -rf {} +
}

# take_over: the pair from the shared storage, when it is another one than this machine's and whole.
take_over() {
  local live=$SHARED/letsencrypt/$TWINHOST_ACME_NAME/live/$TWINHOST_DOMAIN new=$STATE/certificate
  mounted || return 0
  rm -rf "$new"
  mkdir "$new"
  # both are links into a directory of versions: a renewal changes them one after the other
  bounded 5 cp -L "$live/fullchain.pem" "$live/privkey.pem" "$new/" 2>/dev/null || return 0
  if cmp -s "$new/fullchain.pem" "$TLS/current/fullchain.pem" && cmp -s "$new/privkey.pem" "$TLS/current/privkey.pem"; then
    return 0
  fi
  if belongs "$new"; then
    adopt "$new"
    log "serves the certificate from the shared storage: $(openssl x509 -in "$TLS/current/fullchain.pem" -noout -enddate)"
  elif [[ ! -e $VOLATILE/refused ]] || ! cmp -s "$new/fullchain.pem" "$VOLATILE/refused"; then
    cp "$new/fullchain.pem" "$VOLATILE/refused"
    log 'the key on the shared storage is not the one of the certificate there; what is served stays'
  fi
}

# make_placeholder: signed by itself, so that the edge starts before the first real one and port 80 can answer the challenge.
make_placeholder() {
  local new=$STATE/certificate
  rm -rf "$new"
  mkdir "$new"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=placeholder \
    -addext "subjectAltName=$(printf 'DNS:%s\n' "${names[@]}" | paste -sd ,)" -keyout "$new/privkey.pem" -out "$new/fullchain.pem" 2>/dev/null ||
    die 'the placeholder certificate could not be made'
  adopt "$new"
  log 'serves a placeholder until there is a certificate on the shared storage'
}

# addresses NAME: the IPv4 addresses that visitors reach NAME by. `hosts` is asked for IPv6 because `ahosts` asks only for what this machine has.
addresses() {
  timeout -k 1 5 getent ahostsv4 "$1" | awk '{print $1}' | sort -u | grep .
}

# refusal: ok where an order may be made here and can succeed; otherwise why not.
refusal() {
  local name balancer own other status
  other=$(may_act) || { echo "${other:-it is not known whether this machine may act}" && return; }
  balancer=$(pick '.balancer | strings' "$RELEASE/release.json") || { echo 'the release does not name the balancer' && return; }
  own=$(addresses "$balancer") || { echo "the balancer's name $balancer has no address yet" && return; }
  ((${#names[@]} > 1)) || { echo 'the names of the site are not known' && return; }
  for name in "${names[@]}"; do
    other=$(addresses "$name") || { echo "$name has no A record yet" && return; }
    status=0
    other=$(grep -vxF "$own" <<<"$other") || status=$?
    # grep found such a line, found none, or failed
    ((status != 0)) || { echo "$name points to ${other//$'\n'/ }, which is not the balancer" && return; }
    ((status == 1)) || { echo "the addresses of $name could not be compared" && return; }
    other=$(timeout -k 1 5 getent hosts "$name") || status=$?
    # 1 is from above; 2: getent knows no such name
    ((status <= 2)) || { echo "$name could not be asked for an AAAA record" && return; }
    [[ ! $other =~ (^|$'\n')([^ ]*:[^ ]*) ]] || { echo "$name has an AAAA record, ${BASH_REMATCH[2]}, which is not the balancer's" && return; }
  done
  [[ $(target_health "$RELEASE" 2>/dev/null) == *' healthy'* ]] || { echo 'the balancer has no healthy target yet' && return; }
  echo ok
}

# answer_preflight: certbot writes a line of its own choice into `request`; the answer is that line, a space, and ok or the reason why not.
answer_preflight() {
  local request answered why
  request=$(head -n 1 "$STATE/preflight/request" 2>/dev/null) || return 0
  answered=$(head -n 1 "$STATE/preflight/answer" 2>/dev/null) || answered=''
  [[ $answered != "$request "* ]] || return 0
  why=$(refusal) || why=''
  printf '%s %s\n' "$request" "${why:-the checks before an order broke off}" | write "$STATE/preflight/answer"
}

take_over
[[ -e $TLS/current/fullchain.pem ]] || make_placeholder
answer_preflight
