#!/bin/bash
# record.sh VERB …: the cluster record on the shared storage, and the only code that touches it. A process of its own, so that `record` in lib.sh
# can end it with SIGKILL when the storage stalls. The form of the record:
#
#   generations/<n>/                     claimed by mkdir, which succeeds for one machine alone; the highest is current
#   generations/<n>/founder              instance id
#   generations/<n>/cluster-id           the Swarm's cluster id; there as soon as the generation is founded
#   generations/<n>/token                manager join token
#   generations/<n>/managers/<instance>  "<counter> <leader yes|no> <address>"
#   generations/<n>/release              sha256 of the last release that converged
#   generations/<n>/releases/<sha256>.json   the release parameter's value of that release
#
# A held lock would decide nothing here: on NFS it lapses with its client's lease while the holder runs on. A heartbeat is a counter and not a
# time: its reader judges its age by how long it stood still on the reader's own clock.
. "$(dirname "$0")/lib.sh"

readonly generations=$SHARED/swarm/generations

# newest: the current generation's number; 0 where there is none.
newest() {
  find "$generations" -mindepth 1 -maxdepth 1 -type d -name '[1-9]*' -printf '%f\n' | sort -n | tail -n 1 | grep . || echo 0
}

# released FILE: the newest generation's FILE, of those that have a converged release: what a cluster served last outlives it.
released() {
  local n
  for ((n = $(newest); n > 0; n--)); do
    [[ ! -e $generations/$n/release ]] || { printf '%s\n' "$generations/$n" && return; }
  done
}

# show: the current generation as one line of JSON.
show() {
  local n folder file converged=''
  n=$(newest)
  folder=$generations/$n
  file=$(released)
  [[ -z $file ]] || converged=$(<"$file/release")
  for file in "$folder"/managers/*; do
    [[ ! -e $file ]] || printf '%s %s\n' "${file##*/}" "$(<"$file")"
  done | jq -cnR --argjson generation "$n" --arg founder "$(cat "$folder/founder" 2>/dev/null || true)" \
    --arg cluster "$(cat "$folder/cluster-id" 2>/dev/null || true)" --arg release "$converged" '{
      generation: $generation, founder: $founder, cluster: $cluster, release: $release,
      managers: [inputs | split(" ") | {instance: .[0], counter: (.[1] | tonumber), leader: (.[2] == "yes"), address: .[3]}]}'
}

# claim N INSTANCE ADDRESS: claims generation N; returns 1 where another machine was first.
claim() {
  mkdir "$generations/$1" 2>/dev/null || exit 1
  mkdir "$generations/$1/managers" "$generations/$1/releases"
  printf '%s\n' "$2" | write "$generations/$1/founder"
  beat "$1" "$2" no "$3"
}

# found N CLUSTER: the Swarm of generation N exists; its manager token comes on standard input. The id comes last: who sees it can join.
found() {
  write "$generations/$1/token"
  printf '%s\n' "$2" | write "$generations/$1/cluster-id"
}

# beat N INSTANCE LEADER ADDRESS: advances the counter of a manager.
beat() {
  local file=$generations/$1/managers/$2 new=$generations/$1/.$2.$$ counter=0
  [[ ! -e $file ]] || read -r counter _ <"$file"
  printf '%s %s %s\n' "$((counter + 1))" "$3" "$4" >"$new"
  mv -f "$new" "$file"
}

# token N: prints the manager join token; meant for a pipe.
token() {
  cat "$generations/$1/token"
}

# converged N SHA: notes the last release that converged; its JSON comes on standard input.
converged() {
  write "$generations/$1/releases/$2.json"
  printf '%s\n' "$2" | write "$generations/$1/release"
}

# release: prints the JSON of the last release that converged; nothing where there was none.
release() {
  local folder
  folder=$(released)
  [[ -z $folder ]] || cat "$folder/releases/$(<"$folder/release").json"
}

mounted || die 'the shared storage is not mounted'
mkdir -p "$generations"
"$@"
