#!/bin/sh
# Orders and renews the certificate with certbot, so that no loop, crash or wrong record can burn the CA's limits. POSIX sh.
#
# - An order is made only after the host has just said that it can succeed (pre-flight: `twinhost certificate` answers).
# - When to try next is written to the shared storage before the order is made, so that it also holds for a container, or a host, that dies of it:
#   1, 10, 100 minutes after a failure, then daily; half a day, less a bit of chance, after a success. A change of the names is tried at once.
# - Before an order, what certbot would stumble over on the shared storage is put right: it takes a lineage that it cannot read for none, and would order
#   a second one beside it (live/DOMAIN-0001), or order and then refuse to write. Its own libraries say what it can read: check.py.
# - An account that the CA has deactivated or does not know is set aside, and the order made once more.
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
directory=${TWINHOST_ACME_DIRECTORY#*://}
accounts=$config/accounts/$directory
scratch=$root/tmp/certbot
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

# reads VERB ARGUMENT…: what certbot's own libraries make of its files. Without an answer what stands there counts as unreadable.
reads() {
  python3 "$(dirname "$0")/check.py" "$@" 2>/dev/null
}

# there FILE: whether anything has that name, even a link that leads nowhere.
there() {
  [ -e "$1" ] || [ -L "$1" ]
}

# able: whether openssl runs, by which a lineage is judged: one that is killed, or missing, says nothing of it.
able() {
  openssl version >/dev/null 2>&1 || {
    say 'waits: openssl does not run'
    return 1
  }
}

# whole FOLDER NUMBER: whether that pair can be read and belongs together; in live/ there is no number. The image has openssl:
# https://github.com/certbot/certbot/blob/main/tools/docker/Dockerfile
whole() {
  key=$(openssl pkey -in "$1/privkey$2.pem" -pubout 2>/dev/null) && [ -n "$key" ] &&
    [ "$key" = "$(openssl x509 -in "$1/cert$2.pem" -noout -pubkey 2>/dev/null)" ] &&
    openssl x509 -in "$1/chain$2.pem" -noout 2>/dev/null &&
    cat "$1/cert$2.pem" "$1/chain$2.pem" | cmp -s - "$1/fullchain$2.pem"
}

# usable FOLDER NUMBER: whether it is whole and valid now.
usable() {
  whole "$1" "$2" && openssl x509 -in "$1/cert$2.pem" -noout -checkend 0 >/dev/null
}

# serves: whether the pair in use is usable and has all names.
serves() {
  usable "$live" '' || return 1
  for name in $(echo "$names" | tr , ' '); do
    openssl x509 -in "$live/cert.pem" -noout -checkhost "$name" | grep -q 'does match' || return 1
  done
}

# setting NAME: what the renewal file says of it, also where certbot cannot read the file.
setting() {
  LC_ALL=C sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$renewal" 2>/dev/null | tr -d '\000\r"'"'" | sed -n '1s/[[:space:]]*$//p'
}

# set_aside NAME FILE: moves that out of certbot's sight; nothing is deleted.
set_aside() {
  there "$2" || return 0
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

# numbers: those of the archive's pairs, the highest first.
numbers() {
  find "$archive/" -name '*.pem' 2>/dev/null | sed -n 's/.*[a-z]0*\([0-9]\{1,9\}\)\.pem$/\1/p' | sort -rnu
}

# link NUMBER: has live/ lead to that pair of the archive.
link() {
  mkdir -p "$live"
  for part in $parts; do
    rm -rf "$live/$part.new"
    [ ! -d "$live/$part.pem" ] || set_aside "live-$part.pem" "$live/$part.pem"
    ln -s "../../archive/$TWINHOST_DOMAIN/$part$1.pem" "$live/$part.new"
    mv -f "$live/$part.new" "$live/$part.pem"
  done
}

# linked: whether live/ leads to one pair of this archive, whose number is then set. Of links to another archive certbot would not change a single one,
# and order again at every look: https://github.com/certbot/certbot/issues/4940
linked() {
  number=$(readlink "$live/cert.pem" | sed -n 's/.*cert\([0-9]\{1,9\}\)\.pem$/\1/p')
  [ -n "$number" ] || return 1
  for part in $parts; do
    case $(readlink "$live/$part.pem") in
      "../../archive/$TWINHOST_DOMAIN/$part$number.pem" | "$archive/$part$number.pem") ;;
      *) return 1 ;;
    esac
  done
}

# link_pair: makes what is in live/, such as files, as a copy that follows links leaves them, the newest pair of the archive, and links to it.
link_pair() {
  mkdir -p "$archive"
  number=$(numbers | head -n 1)
  number=$((${number:-0} + 1))
  for part in $parts; do
    cp "$live/$part.pem" "$archive/$part$number.pem"
  done
  link "$number"
}

# link_newest: links live/ to the newest pair of the archive that is usable.
link_newest() {
  for number in $(numbers); do
    if usable "$archive" "$number"; then
      echo "links live/$TWINHOST_DOMAIN to the newest pair that is whole, number $number"
      link "$number"
      return
    fi
  done
  return 1
}

# leave_newest: sets pairs of a higher number than the one in use aside that are not usable, such as one that was being written when its host died: certbot
# would put the highest number in use, whatever it is. https://github.com/certbot/certbot/issues/10655
leave_newest() {
  for other in $(numbers); do
    if [ "$other" -gt "$number" ] && ! usable "$archive" "$other"; then
      echo "sets pair $other aside in $aside: it is newer than the one in use, and not whole or not valid now"
      for part in $parts; do
        set_aside "$part$other.pem" "$archive/$part$other.pem"
      done
    fi
  done
}

# known: whether certbot takes the renewal file for this lineage's, and it leads here.
known() {
  fault=$(reads renewal "$renewal" "$live" "$archive" "$TWINHOST_ACME_DIRECTORY")
}

# foreign: whether the renewal file names another CA. What was cut off within the name of this one does not.
foreign() {
  server=$(setting server)
  case $server in
    *[!A-Za-z0-9.:/_~%-]*) return 1 ;;
    http*://?*) ;;
    *) return 1 ;;
  esac
  case $TWINHOST_ACME_DIRECTORY in
    "$server"*) return 1 ;;
  esac
}

# write_renewal: the renewal file of a pair that certbot takes as it is; the next renewal completes it.
write_renewal() {
  echo "takes the lineage of $TWINHOST_DOMAIN over as it is; its renewal file: ${fault:-certbot cannot be asked}"
  mkdir -p "$config/renewal"
  set_aside renewal.conf "$renewal"
  {
    for part in $parts; do
      echo "$part = $live/$part.pem"
    done
    echo "archive_dir = $archive"
    echo '[renewalparams]'
    [ -z "$account" ] || echo "account = $account"
    [ -z "$reuse" ] || echo 'reuse_key = True'
    echo "server = $TWINHOST_ACME_DIRECTORY"
  } >"$renewal.new"
  mv -f "$renewal.new" "$renewal"
}

# clear_ways: sets aside what is no folder where certbot needs one.
clear_ways() {
  for folder in accounts "accounts/$directory" live archive renewal "live/$TWINHOST_DOMAIN" "archive/$TWINHOST_DOMAIN"; do
    if there "$config/$folder" && [ ! -d "$config/$folder" ]; then
      echo "sets $config/$folder aside in $aside: it is no folder, or leads nowhere"
      set_aside "no-folder-$(echo "$folder" | tr / -)" "$config/$folder"
    fi
  done
}

# choose_account: sets account to that of the lineage, else to the newest; empty is a new one. certbot ends at one that it cannot read, and at several of
# which none is chosen.
choose_account() {
  wanted=$(setting account)
  account=''
  [ -d "$accounts" ] || return 0
  if ! found=$(reads accounts "$accounts"); then
    [ -z "$wanted" ] || [ ! -d "$accounts/$wanted" ] || account=$wanted
    return 0
  fi
  while read -r id readable; do
    if [ "$readable" = no ]; then
      echo "sets the account $id aside in $aside: certbot cannot read it"
      set_aside "account-$id" "$accounts/$id"
    elif [ "$readable" = yes ] && { [ -z "$account" ] || [ "$id" = "$wanted" ]; }; then
      account=$id
    fi
  done <<END
$found
END
}

# put_right: leaves a lineage that certbot takes, or none at all.
put_right() {
  aside=$config/broken/$(date +%s)
  clear_ways
  choose_account
  case $(setting reuse_key) in
    [Tt]rue | TRUE | [Yy]es | [Oo]n | 1) reuse=yes ;;
    *) reuse='' ;;
  esac
  there "$live" || there "$archive" || there "$renewal" || return 0
  # certbot died while it changed from one pair to the next; from the former one it goes on by itself
  before=0
  for part in $parts; do
    [ ! -e "$live/previous_$part.pem" ] || before=$((before + 1))
  done
  [ "$before" != 4 ] || for part in $parts; do
    mv -f "$live/previous_$part.pem" "$live/$part.pem"
  done
  if foreign; then
    give_up "its certificate is of $server"
  elif ! whole "$live" '' && ! link_newest; then
    able || exit 1
    give_up 'key, certificate and chain are not whole or do not belong together'
  else
    linked || link_pair
    leave_newest
    known || write_renewal
  fi
}

# key_options: certbot refuses to use a key again that is not of its own default size: https://github.com/certbot/certbot/issues/9975
key_options() {
  openssl pkey -in "$live/privkey.pem" -noout -text_pub 2>/dev/null | sed -n \
    -e 's/^ASN1 OID: \(secp[35][0-9]*r1\)$/--elliptic-curve \1/p' \
    -e '/^Public-Key:/h' -e '/^Modulus:/{g;s/.*(\([0-9]*\) bit.*/--rsa-key-size \1/p;}'
}

# order: one run of certbot; it orders only what is missing or due. With --cert-name the list of names is the whole of what the certificate has, and
# --renew-with-new-domains says that a longer or shorter one than before is meant. A profile is asked for where the CA still has it: else its own choice
# is better than no certificate. Whether the key stays is up to the lineage. Hooks that came with a copied folder belong to another host.
# https://eff-certbot.readthedocs.io/en/stable/using.html#changing-a-certificate-s-domains
order() {
  set --
  [ -z "$TWINHOST_ACME_PROFILE" ] || set -- --preferred-profile "$TWINHOST_ACME_PROFILE"
  [ -z "$account" ] || set -- "$@" --account "$account"
  # shellcheck disable=SC2046 # two words or none
  [ -z "$reuse" ] || set -- "$@" --reuse-key $(key_options)
  certbot certonly -n --agree-tos -m "$TWINHOST_EMAIL" --server "$TWINHOST_ACME_DIRECTORY" \
    --webroot -w "$webroot" --cert-name "$TWINHOST_DOMAIN" -d "$names" --renew-with-new-domains --keep-until-expiring --no-directory-hooks "$@" \
    --config-dir "$config" --work-dir "$scratch/work" --logs-dir "$scratch/logs"
}

# answered FOLDER TYPES: whether certbot's log there ends with such an answer of the CA: https://www.rfc-editor.org/rfc/rfc8555#section-6.7
answered() {
  grep -qE "^acme\.messages\.Error: urn:ietf:params:acme:error:($2)( |$)" "$scratch/$1/letsencrypt.log" 2>/dev/null
}

# account_refused: whether the CA does not know the account that was used, or has ended it. An order can be "unauthorized" for other reasons, too, and one of
# an account of another CA is "malformed" to Let's Encrypt; so the CA is asked for nothing but the account's key. One that was deactivated may do nothing at
# all. https://www.rfc-editor.org/rfc/rfc8555#section-7.3.1 and #section-7.3.6, https://github.com/letsencrypt/boulder/blob/main/wfe2/verify.go
account_refused() {
  [ -n "$account" ] || return 1
  ! answered logs accountDoesNotExist || return 0
  answered logs 'unauthorized|malformed' || return 1
  rm -rf "$scratch/account"
  ! certbot show_account -n --account "$account" --server "$TWINHOST_ACME_DIRECTORY" \
    --config-dir "$config" --work-dir "$scratch/work" --logs-dir "$scratch/account" >/dev/null 2>&1 && answered account 'accountDoesNotExist|unauthorized'
}

# run_order: sets result to that of an order, which is brought to its end whatever this container is told.
run_order() {
  order &
  child=$!
  result=0
  while kill -0 "$child" 2>/dev/null; do
    wait "$child" && result=0 || result=$?
  done
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
  run_order
  if [ "$result" != 0 ] && account_refused; then
    echo "sets the account $account aside in $aside: the CA has deactivated it or does not know it"
    set_aside "account-$account" "$accounts/$account"
    choose_account
    run_order
  fi
  if [ "$result" = 0 ] && serves; then
    put "$plan" "0 $(($(date +%s) + 43200 - $(chance 7200))) $names"
    say "has a certificate for $names"
  elif [ "$result" = 0 ]; then
    say "certbot reports success, but live/$TWINHOST_DOMAIN has no valid certificate for $names ($failures in a row), the next attempt is in $((delay / 60)) min"
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
  elif able && may_order; then
    attempt
  else
    pause 5
  fi
done
