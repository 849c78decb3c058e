#!/bin/sh
# Runs Nginx and ends it so that nobody notices. Needs only what the image has: sh, nginx, curl, getent, hostname, od, head, wc; every file that it works
# with is final.
#
# TERM: the lame duck. /healthz says 503, so that the balancer sends new connections elsewhere, while everything that still comes is served for
# TWINHOST_LAME_DUCK seconds: the time that the balancer takes to notice. Then Nginx ends what is under way, for at most TWINHOST_EDGE_LAST seconds,
# and goes. But where no other edge is healthy, nobody is sent away: it serves as before until there is one, for at most TWINHOST_EDGE_PATIENCE
# seconds in all. Of several that are told to end at once, one goes first. A file `retire` in the folder tls says that this machine goes in any case.
# It begins as it ends: /healthz says 503 until the application is known, which in a new cluster takes longer than Nginx, or for TWINHOST_EDGE_FIRST
# seconds. Afterwards the application decides nothing here.
# A new certificate in the folder tls, which the host swaps in one step, is loaded within 5 s, until TERM. So are the keys of session tickets that the
# hosts share; it begins with some of its own, so that it serves whatever has become of those.
set -eu
: "${TWINHOST_LAME_DUCK:?}" "${TWINHOST_EDGE_FIRST:?}" "${TWINHOST_EDGE_LAST:?}" "${TWINHOST_EDGE_PATIENCE:?}"

early=/run/early
lame=/run/lame-duck
tls=/etc/nginx/tls
version=$tls/current/version
shared=/srv/memory/twinhost
keys=/run/tickets
rm -f "$lame"
: >"$early"

# uptime: seconds on a clock that nobody sets.
uptime() {
  read -r up _ </proc/uptime
  echo "${up%%.*}"
}

# chance LIMIT: a number below LIMIT.
chance() {
  echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# healthy ADDRESS: whether there is an edge that tells the balancer that it is healthy. An address may have gone over to a container of the
# application, which is not taken for one.
healthy() {
  [ "$(curl -fsS -m 2 "http://$1:8080/healthz" 2>/dev/null)" = edge ]
}

# find_others: sets others to the addresses of the other edges. Docker's DNS has those that were not told to end: where it has none, those stay
# that it had last, because they may serve on.
others=''
find_others() {
  own=" $(hostname -I) "
  found=''
  for address in $(getent ahostsv4 twinhost_edge | cut -d ' ' -f 1 | sort -u); do
    case $own in
      *" $address "*) ;;
      *) found="$found $address" ;;
    esac
  done
  others=${found:-$others}
}

# another_serves: whether another edge is healthy.
another_serves() {
  find_others
  for address in $others; do
    # one that is late once is not gone
    if healthy "$address" || healthy "$address"; then
      return 0
    fi
  done
  return 1
}

# retire: the way out. Edges that see each other would all go, and then all stay, at the same time: each one first serves on for some seconds that are
# drawn, and whoever comes later finds that the other is a lame duck.
retire() {
  trap '' TERM INT
  patience=$(($(uptime) + TWINHOST_EDGE_PATIENCE))
  left=$TWINHOST_LAME_DUCK
  turn=$((1 + $(chance 4)))
  said=''
  while [ "$left" -gt 0 ] && kill -0 "$nginx" 2>/dev/null; do
    doing="lame duck for $TWINHOST_LAME_DUCK s"
    if [ -e "$tls/retire" ] || [ "$(uptime)" -ge "$patience" ]; then
      turn=0
    elif another_serves; then
      turn=$((turn > 0 ? turn - 1 : 0))
      [ "$turn" = 0 ] || doing='another edge is healthy: waits for its turn'
    else
      turn=$((1 + $(chance 4)))
      doing='no other edge is healthy: serves on'
    fi
    if [ "$turn" = 0 ]; then
      : >"$lame"
      left=$((left - 1))
    else
      rm -f "$lame"
      left=$TWINHOST_LAME_DUCK
    fi
    [ "$doing" = "$said" ] || echo "$doing"
    said=$doing
    sleep 1
  done
  : >"$lame"
  kill -QUIT "$nginx" 2>/dev/null || true
  (sleep "$TWINHOST_EDGE_LAST" && kill -TERM "$nginx") 2>/dev/null &
}

# await_application: until Docker's DNS knows it.
await_application() {
  limit=$(($(uptime) + TWINHOST_EDGE_FIRST))
  said=''
  until getent ahostsv4 twinhost_app >/dev/null || [ "$(uptime)" -ge "$limit" ]; do
    [ -n "$said" ] || echo 'waits for the application'
    said=yes
    sleep 1
  done
  rm -f "$early"
}

# make_keys: session tickets that this edge alone accepts.
make_keys() {
  (umask 077 && mkdir -p "$keys")
  for key in now previous next; do
    (umask 077 && head -c 80 /dev/urandom >"$keys/$key")
  done
}

# take_keys: whether there were other keys than those taken last, and whole: Nginx would refuse a broken one, and a new certificate with it.
taken=''
take_keys() {
  folder=$(readlink "$shared/current") || return 1
  # everybody on the host may make a folder there
  [ "$folder" != "$taken" ] && [ -O "$shared" ] && [ ! -h "$shared" ] || return 1
  rm -rf "$keys.new"
  # the host removes the folder when it has made the next
  (umask 077 && mkdir "$keys.new" && cd "$shared/$folder" && cp now previous next "$keys.new/") 2>/dev/null || return 1
  for key in now previous next; do
    [ "$(wc -c <"$keys.new/$key")" -eq 80 ] || return 1
  done
  mv -f "$keys.new"/* "$keys/" || return 1
  taken=$folder
}

# loaded: the version of the certificate that Nginx has; taken before it reads the files, so that a swap in between is seen as a change.
loaded=''
read -r loaded <"$version" || true
asked=''
trap 'asked=yes' TERM INT
make_keys
take_keys || true
other_keys=''
nginx -g 'daemon off;' &
nginx=$!
await_application &
trap 'retire' TERM INT
[ -z "$asked" ] || retire

while kill -0 "$nginx" 2>/dev/null && [ ! -e "$lame" ]; do
  find_others
  sleep 5 &
  wait $! || true
  offered=''
  read -r offered <"$version" || true
  if [ ! -e "$lame" ] && take_keys; then
    other_keys=yes
  fi
  if [ ! -e "$lame" ] && { [ -n "$other_keys" ] || { [ -n "$offered" ] && [ "$offered" != "$loaded" ]; }; }; then
    # a pair that is swapped while it is read is refused here, and read again at the next look
    if nginx -t -q && kill -HUP "$nginx"; then
      [ -z "$other_keys" ] || echo 'takes the keys of session tickets that the hosts share'
      [ "${offered:-$loaded}" = "$loaded" ] || echo "serves certificate $offered"
      loaded=${offered:-$loaded}
      other_keys=''
    fi
  fi
done
wait "$nginx"
