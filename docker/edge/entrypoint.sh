#!/bin/sh
# Runs Nginx and ends it so that nobody notices. Needs only what the image has: sh, nginx, curl, getent, hostname; every file that it works with is final.
#
# TERM: the lame duck. /healthz says 503, so that the balancer sends new connections elsewhere, while everything that still comes is served for
# TWINHOST_LAME_DUCK seconds: the time that the balancer takes to notice. Then Nginx ends what is under way, for at most TWINHOST_EDGE_LAST seconds,
# and goes. But where no other edge is healthy, nobody is sent away: it serves as before until there is one, for at most TWINHOST_EDGE_PATIENCE
# seconds in all. A file `retire` in the folder tls says that this machine goes in any case.
# It begins as it ends: /healthz says 503 until the application is known, which in a new cluster takes longer than Nginx, or for TWINHOST_EDGE_FIRST
# seconds. Afterwards the application decides nothing here.
# A new certificate in the folder tls, which the host swaps in one step, is loaded within 5 s, until TERM.
set -eu
: "${TWINHOST_LAME_DUCK:?}" "${TWINHOST_EDGE_FIRST:?}" "${TWINHOST_EDGE_LAST:?}" "${TWINHOST_EDGE_PATIENCE:?}"

early=/run/early
lame=/run/lame-duck
tls=/etc/nginx/tls
version=$tls/current/version
rm -f "$lame"
: >"$early"

# uptime: seconds on a clock that nobody sets.
uptime() {
  read -r up _ </proc/uptime
  echo "${up%%.*}"
}

# healthy ADDRESS: whether the edge there tells the balancer that it is.
healthy() {
  curl -fsS -m 2 -o /dev/null "http://$1:8080/healthz" 2>/dev/null
}

# another_serves: whether another edge is healthy; Docker's DNS has the addresses of all of them.
another_serves() {
  own=" $(hostname -I) "
  for address in $(getent ahostsv4 twinhost_edge | cut -d ' ' -f 1 | sort -u); do
    case $own in
      *" $address "*) ;;
      *)
        # one that is late once is not gone
        if healthy "$address" || healthy "$address"; then
          return 0
        fi
        ;;
    esac
  done
  return 1
}

retire() {
  trap '' TERM INT
  patience=$(($(uptime) + TWINHOST_EDGE_PATIENCE))
  left=$TWINHOST_LAME_DUCK
  said=''
  while [ "$left" -gt 0 ] && kill -0 "$nginx" 2>/dev/null; do
    if [ -e "$tls/retire" ] || [ "$(uptime)" -ge "$patience" ] || another_serves; then
      doing="lame duck for $TWINHOST_LAME_DUCK s"
      : >"$lame"
      left=$((left - 1))
    else
      doing='no other edge is healthy: serves on'
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

# loaded: the version of the certificate that Nginx has; taken before it reads the files, so that a swap in between is seen as a change.
loaded=''
read -r loaded <"$version" || true
asked=''
trap 'asked=yes' TERM INT
nginx -g 'daemon off;' &
nginx=$!
await_application &
trap 'retire' TERM INT
[ -z "$asked" ] || retire

while kill -0 "$nginx" 2>/dev/null && [ ! -e "$lame" ]; do
  sleep 5 &
  wait $! || true
  found=''
  read -r found <"$version" || true
  if [ ! -e "$lame" ] && [ -n "$found" ] && [ "$found" != "$loaded" ]; then
    # a pair that is swapped while it is read is refused here, and read again at the next look
    if nginx -t -q && kill -HUP "$nginx"; then
      loaded=$found
      echo "serves certificate $loaded"
    fi
  fi
done
wait "$nginx"
