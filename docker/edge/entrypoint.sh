#!/bin/sh
# Runs Nginx and ends it so that nobody notices. Needs only sh and nginx; every file that it works with is final.
#
# TERM: the lame duck. /healthz says 503, so that the balancer sends new connections elsewhere, while everything that still comes is served for
# TWINHOST_LAME_DUCK seconds: the time that the balancer takes to notice. Then Nginx ends what is under way and goes.
# A new certificate in the folder tls, which the host swaps in one step, is loaded within 5 s.
set -eu
: "${TWINHOST_LAME_DUCK:?}"

lame=/run/lame-duck
version=/etc/nginx/tls/current/version
rm -f "$lame"

# loaded: the version of the certificate that Nginx has; taken before it reads the files, so that a swap in between is seen as a change.
loaded=''
read -r loaded <"$version" || true
nginx -g 'daemon off;' &
nginx=$!

retire() {
  trap '' TERM INT
  : >"$lame"
  echo "lame duck for $TWINHOST_LAME_DUCK s"
  sleep "$TWINHOST_LAME_DUCK"
  kill -QUIT "$nginx"
}
trap 'retire' TERM INT

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
