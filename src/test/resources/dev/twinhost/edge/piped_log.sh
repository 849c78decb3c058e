# piped_log.sh: the edge's access log (snippets/access-log.conf) of two busy workers, through a pipe whose reader is slow, as Docker's may be: prints how
# many lines came out, and how many of them are not JSON. In the place `edge`, beside the running Nginx.
set -eu
work=$(mktemp -d)
cat >"$work/nginx.conf" <<END
worker_processes 2;
pid $work/pid;
error_log /dev/stderr;
daemon off;
http {
  map "" \$cache_status { default ""; }
  include /etc/nginx/snippets/access-log.conf;
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:20080 reuseport;
    return 200;
  }
}
events {}
END
{ nginx -c "$work/nginx.conf" || true; } 2>/dev/null | python3 -c '
import json, os, time

text = b""
while piece := os.read(0, 3000):
    text += piece
    time.sleep(0.0001)
lines = text.splitlines()
broken = 0
for line in lines:
    try:
        json.loads(line)
    except ValueError:
        broken += 1
print(len(lines), "lines,", broken, "broken")
' &
tries=50
until [ -s "$work/pid" ] || [ $((tries -= 1)) -le 0 ]; do sleep 0.1; done
long=$(printf 'x%.0s' $(seq 900))
clients=
for client in 1 2; do
  timeout 60 h2load --h1 -n 2000 -c 16 -t 1 "http://127.0.0.1:20080/$client$long" >/dev/null 2>&1 &
  clients="$clients $!"
done
for client in $clients; do wait "$client"; done
kill -QUIT "$(cat "$work/pid")"
wait
