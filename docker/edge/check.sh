#!/bin/sh
# check.sh NAME…: whether the edge's files are fit to serve, for the domain, which comes first, and the extra ones: Nginx takes them, and whatever rules they
# hold, an edge with them answers the balancer's check, Docker's check and the CA's challenge. `release` runs it in a container of the edge's own image,
# without a network, before Swarm hears of the files. Where they are not fit, the reason is Nginx's own word ([emerg]) or the last line. Needs only what the
# image has: sh, nginx, curl, head, sed, awk.
set -eu
: "${1:?}"

files=/run/candidate
challenge=/run/challenge
balancer='10.42.0.10 192.168.1.10:80' # it asks by the host's address

# as the entry point starts it, with keys of its own
(umask 077 && mkdir /run/tickets)
for key in now previous next; do
  head -c 80 /dev/urandom >"/run/tickets/$key"
done
nginx -t -q -g 'daemon off;'
[ -s /etc/nginx/maintenance.html ] || {
  echo 'nginx/maintenance.html is missing'
  exit 1
}

# nothing that a client forges is passed on, and no error page is without effect
sh "${0%/*}/check-headers.sh"

# A copy, so that files can be left out; and the challenge's service is somewhere else than in a cluster.
mkdir "$files"
for entry in /etc/nginx/*; do
  [ "$entry" = /etc/nginx/tls ] || cp -r "$entry" "$files/"
done
sed -i "s#twinhost_challenge:8080 resolve#unix:$challenge.sock#" "$files"/conf.d/*.conf
cat >"$challenge.conf" <<END
pid $challenge.pid;
error_log /dev/stderr;
events {}
http {
  access_log off;
  server {
    listen unix:$challenge.sock;
    default_type text/plain;
    return 200 \$request_uri;
  }
}
END
nginx -c "$challenge.conf"
trap 'nginx -c "$challenge.conf" -s stop 2>/dev/null' EXIT

# expect HOST PATH ANSWER: asks the candidate over port 8080; prints what is wrong where it does not answer so, with status and type.
expect() {
  answer=$(curl -s -m 5 -o /run/body -w '%{http_code} %{content_type}' -H "Host: $1" "http://127.0.0.1:8080$2") || true
  [ "$answer" = "$3" ] || {
    echo "http://$1$2 is answered with $answer instead of $3"
    return 1
  }
}

# ask URL OPTION…: the head of the answer; empty where there is none.
ask() {
  curl -sk -m 5 -o /dev/null -D - --connect-to ::127.0.0.1: "$@" | tr -d '\r' || true
}

# status_of HEAD
status_of() {
  printf '%s\n' "$1" | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p'
}

# answers NAME…: whether all that has to be answered is; prints what is not.
answers() {
  domain=$1
  expect 127.0.0.1:8080 /livez '200 text/plain' || return 1
  for host in $balancer; do
    expect "$host" /healthz '200 text/plain' || return 1
    : >/run/lame-duck
    expect "$host" /healthz '503 text/html' || return 1
    rm -f /run/lame-duck
  done
  for host in "www.$domain" "$@" other.example.net; do
    expect "$host" /.well-known/acme-challenge/token '200 text/plain' || return 1
    [ "$(cat /run/body)" = /.well-known/acme-challenge/token ] || {
      echo "http://$host/.well-known/acme-challenge/token is not answered by the challenge's service"
      return 1
    }
  done
  # the application is away here
  answer=$(ask "https://www.$domain:8443/")
  case $answer in
    HTTP/*' 500 '*)
      echo "https://www.$domain/ is answered with 500 while the application is away: a page of nginx/errors.d must not come from the application"
      return 1
      ;;
  esac
  # each of the ways in conf.d/site.conf
  for way in '--http1.1' '-H Cookie:a=b' '--http1.1 -X GET -H Transfer-Encoding:chunked -d a=b'; do
    # shellcheck disable=SC2086 # options with spaces between
    other=$(ask "https://www.$domain:8443/" $way)
    [ "$(status_of "$other")" = "$(status_of "$answer")" ] || {
      echo "https://www.$domain/ is answered with $(status_of "$answer"), and with curl $way with $(status_of "$other"): what holds for the whole site belongs into nginx/site.d, outside of a location"
      return 1
    }
  done
  for header in Strict-Transport-Security X-Content-Type-Options Referrer-Policy X-Frame-Options; do
    [ "$(printf '%s\n' "$answer" | grep -ci "^$header:")" -le 1 ] || {
      echo "https://www.$domain/ is answered with $header more than once: nginx/snippets/headers.conf has it"
      return 1
    }
  done
  answer=$(curl -s -m 5 -o /dev/null -D - "http://127.0.0.1:8081/" | tr -d '\r' | sed -n 's/^twinhost-answered:.*/asked/Ip') || true
  [ "$answer" = asked ] || {
    echo 'port 8081, where a release asks for the application, is not answered as nginx/conf.d/release.conf does'
    return 1
  }
}

# fit NAME…: whether an edge with the copy starts and answers; prints why not.
fit() {
  rm -f /run/lame-duck
  nginx -c "$files/nginx.conf" >/dev/null 2>/run/errors || {
    cat /run/errors
    return 1
  }
  status=0
  answers "$@" || status=1
  nginx -c "$files/nginx.conf" -s stop >/dev/null 2>&1 || true
  tries=50
  while [ -e /run/nginx.pid ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
  return "$status"
}

reason=$(fit "$@") && exit 0
for file in "$files"/site.d/*.conf "$files"/errors.d/*.conf "$files"/apex.d/*.conf "$files"/conf.d/*.conf "$files"/snippets/*.conf; do
  [ -e "$file" ] || continue
  mv "$file" /run/left-out
  : >"$file"
  if fit "$@" >/dev/null; then
    echo "$reason, because of nginx/${file#"$files/"}"
    exit 1
  fi
  mv /run/left-out "$file"
done
echo "$reason"
exit 1
