#!/bin/sh
# Orders and renews the certificate with certbot, so that no loop, crash or wrong record can burn the CA's limits. POSIX sh.
#
# - An order is made only after the host has just said that it can succeed (pre-flight: `twinhost certificate` answers).
# - When to try next is written to the shared storage before the order is made, so that it also holds for a container, or a host, that dies of it:
#   1, 10, 100 minutes after a failure, then daily; half a day, less a bit of chance, after a success. A change of the names is tried at once.
# - Before an order, what certbot would stumble over on the shared storage is put right: it takes a lineage that it cannot read for none, and would order
#   a second one beside it (live/DOMAIN-0001), or order and then refuse to write.
# Each ACME server has its own directory, so that a certificate of a staging server never stands in for one of production.
set -eu
: "${TWINHOST_DOMAIN:?}" "${TWINHOST_EMAIL:?}" "${TWINHOST_ACME_DIRECTORY:?}" "${TWINHOST_ACME_NAME:?}"
: "${TWINHOST_ACME_PROFILE?}" "${TWINHOST_EXTRA_DOMAINS?}" # empty where there is none

# empty in the container, a temporary folder in tests
root=${TWINHOST_ROOT:-}
config=$root/srv/letsencrypt/$TWINHOST_ACME_NAME
plan=$config.next # failures in a row, time of the next attempt, names
status=$config.status
webroot=$root/srv/acme
preflight=$root/srv/preflight
# shellcheck disable=SC2086 # names hold neither spaces nor patterns
names=$(printf '%s,' "www.$TWINHOST_DOMAIN" "$TWINHOST_DOMAIN" $TWINHOST_EXTRA_DOMAINS)
names=${names%,}
# certbot's lineage: links to the pair in use, all pairs that there were, and how it is renewed
live=$config/live/$TWINHOST_DOMAIN
archive=$config/archive/$TWINHOST_DOMAIN
renewal=$config/renewal/$TWINHOST_DOMAIN.conf
parts='cert privkey chain fullchain'
umask 077

# pause SECONDS: ends at once when the container is told to stop.
pause() {
  sleep "$1" &
  wait $! || true
}

# put FILE TEXT: in one step, so that no reader sees half of it.
put() {
  printf '%s\n' "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

# say TEXT: what is going on, for the log and for `twinhost status`; once, until it changes.
said=''
say() {
  [ "$1" != "$said" ] || return 0
  said=$1
  echo "$1"
  put "$status" "$1"
}

# chance LIMIT: a number below LIMIT.
chance() {
  echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# read_plan: sets failures and next; a plan for other names, or one further away than any that is made here, is none. One that cannot be read may hide
# any number of failures: it counts as the last one, which leaves a day.
read_plan() {
  failures=0
  next=0
  planned=''
  [ -e "$plan" ] || return 0
  if ! read -r failures next planned <"$plan" || [ -z "$planned" ] || ! [ "$failures" -ge 0 ] 2>/dev/null || ! [ "$next" -ge 0 ] 2>/dev/null; then
    failures=3
    next=$(($(date +%s) + 86400))
    put "$plan" "$failures $next $names"
    say "waits for a day: the plan of the next attempt could not be read"
  elif [ "$planned" != "$names" ] || [ "$next" -gt $(($(date +%s) + 86400)) ]; then
    failures=0
    next=0
  fi
}

# may_order: asks the host for a pre-flight and waits for its answer to this very question.
may_order() {
  question=$(cat /proc/sys/kernel/random/uuid)
  put "$preflight/request" "$question"
  waited=0
  while [ "$waited" -lt 60 ]; do
    answered=''
    if [ -e "$preflight/answer" ]; then
      read -r answered answer <"$preflight/answer" || true
    fi
    if [ "$answered" = "$question" ]; then
      [ "$answer" != ok ] || return 0
      say "waits: $answer"
      return 1
    fi
    pause 1
    waited=$((waited + 1))
  done
  say 'waits: the host did not answer the pre-flight within 60 s'
  return 1
}

# whole: whether the pair in use can be read and belongs together. The image has openssl:
# https://github.com/certbot/certbot/blob/main/tools/docker/Dockerfile
whole() {
  key=$(openssl pkey -in "$live/privkey.pem" -pubout 2>/dev/null) && [ -n "$key" ] &&
    [ "$key" = "$(openssl x509 -in "$live/cert.pem" -noout -pubkey 2>/dev/null)" ] &&
    openssl x509 -in "$live/chain.pem" -noout 2>/dev/null &&
    cat "$live/cert.pem" "$live/chain.pem" | cmp -s - "$live/fullchain.pem"
}

# setting NAME: what the renewal file says of it.
setting() {
  sed -n "s/^$1 = //p" "$renewal" 2>/dev/null | head -n 1
}

# known: whether the renewal file leads to this lineage, as one does that certbot has written here.
known() {
  for part in $parts; do
    [ "$(setting "$part")" = "$live/$part.pem" ] || return 1
  done
  case $(setting archive_dir) in '' | "$archive") ;; *) return 1 ;; esac
  grep -q '^\[renewalparams\]' "$renewal"
}

# set_aside NAME FILE: moves that out of certbot's sight; nothing is deleted.
set_aside() {
  [ -e "$2" ] || return 0
  mkdir -p "$aside"
  mv "$2" "$aside/$1"
}

# give_up WHY: sets the whole lineage aside; the account stays.
give_up() {
  echo "sets the lineage aside in $aside: $1"
  set_aside renewal.conf "$renewal"
  set_aside live "$live"
  set_aside archive "$archive"
}

# linked: whether live/ holds links.
linked() {
  for part in $parts; do
    [ -L "$live/$part.pem" ] || return 1
  done
}

# link_pair: makes files in live/, as a copy that follows links leaves them, the newest pair of the archive, and links to it.
link_pair() {
  mkdir -p "$archive"
  number=1
  while [ -n "$(find "$archive" -name "*[a-z]$number.pem")" ]; do
    number=$((number + 1))
  done
  for part in $parts; do
    cp "$live/$part.pem" "$archive/$part$number.pem"
  done
  for part in $parts; do
    ln -sf "../../archive/$TWINHOST_DOMAIN/$part$number.pem" "$live/$part.new"
    mv -f "$live/$part.new" "$live/$part.pem"
  done
}

# write_renewal: the renewal file of a pair that certbot takes as it is; the next renewal completes it.
write_renewal() {
  echo "takes the lineage of $TWINHOST_DOMAIN over as it is"
  account=$(setting account)
  mkdir -p "$config/renewal"
  set_aside renewal.conf "$renewal"
  {
    for part in $parts; do
      echo "$part = $live/$part.pem"
    done
    echo "archive_dir = $archive"
    echo '[renewalparams]'
    [ -z "$account" ] || echo "account = $account"
    echo "server = $TWINHOST_ACME_DIRECTORY"
  } >"$renewal.new"
  mv -f "$renewal.new" "$renewal"
}

# put_right: leaves a lineage that certbot takes, or none at all.
put_right() {
  [ -e "$live" ] || [ -e "$archive" ] || [ -e "$renewal" ] || return 0
  aside=$config/broken/$(date +%s)
  # certbot died while it changed from one pair to the next; from the former one it goes on by itself
  before=0
  for part in $parts; do
    [ ! -e "$live/previous_$part.pem" ] || before=$((before + 1))
  done
  [ "$before" != 4 ] || for part in $parts; do
    mv -f "$live/previous_$part.pem" "$live/$part.pem"
  done
  server=$(setting server)
  if ! whole; then
    give_up 'key, certificate and chain are not whole or do not belong together'
  elif [ -n "$server" ] && [ "$server" != "$TWINHOST_ACME_DIRECTORY" ]; then
    give_up "its certificate is of $server"
  else
    linked || link_pair
    known || write_renewal
  fi
}

# order: one run of certbot; it orders only what is missing or due. With --cert-name the list of names is the whole of what the certificate has, and
# --renew-with-new-domains says that a longer or shorter one than before is meant. A profile is asked for where the CA still has it: else its own choice
# is better than no certificate. Of several accounts it is that of the lineage. Hooks that came with a copied folder belong to another host.
# https://eff-certbot.readthedocs.io/en/stable/using.html#changing-a-certificate-s-domains
order() {
  set --
  [ -z "$TWINHOST_ACME_PROFILE" ] || set -- --preferred-profile "$TWINHOST_ACME_PROFILE"
  account=$(setting account)
  folder=${TWINHOST_ACME_DIRECTORY#*://}
  [ -z "$account" ] || [ ! -d "$config/accounts/$folder/$account" ] || set -- "$@" --account "$account"
  certbot certonly -n --agree-tos -m "$TWINHOST_EMAIL" --server "$TWINHOST_ACME_DIRECTORY" \
    --webroot -w "$webroot" --cert-name "$TWINHOST_DOMAIN" -d "$names" --renew-with-new-domains --keep-until-expiring --no-directory-hooks "$@" \
    --config-dir "$config" --work-dir /tmp/certbot/work --logs-dir /tmp/certbot/logs
}

# attempt: writes the plan for the case of a failure, orders, and writes the plan for a success.
attempt() {
  failures=$((failures + 1))
  case $failures in
    1) delay=60 ;;
    2) delay=600 ;;
    3) delay=6000 ;;
    *) delay=86400 ;;
  esac
  put "$plan" "$failures $(($(date +%s) + delay)) $names"
  put_right
  order &
  child=$!
  result=0
  while kill -0 "$child" 2>/dev/null; do
    wait "$child" && result=0 || result=$?
  done
  if [ "$result" = 0 ]; then
    put "$plan" "0 $(($(date +%s) + 43200 - $(chance 7200))) $names"
    say "has a certificate for $names"
  else
    say "the attempt failed ($failures in a row), the next one is in $((delay / 60)) min"
  fi
}

stopped=''
trap 'stopped=yes' TERM INT
while [ -z "$stopped" ]; do
  read_plan
  if [ "$(date +%s)" -lt "$next" ]; then
    pause 10
  elif may_order; then
    attempt
  else
    pause 5
  fi
done
