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
#   generations/<n>/rescues/<k>          instance that had a lost manager replaced when nobody saw a leader; claimed by mkdir, too
#   archives/<sha256>.zip                the last releases that converged, for when the bucket has lost them
#   answers/<deploy>                     the last deploys that have been told how their release ended; claimed by mkdir
#
# A held lock would decide nothing here: on NFS it lapses with its client's lease while the holder runs on. A heartbeat is a counter and not a
# time: its reader judges its age by how long it stood still on the reader's own clock.
. "$(dirname "$0")/lib.sh"

readonly generations=$SHARED/swarm/generations archives=$SHARED/swarm/archives answers=$SHARED/swarm/answers

# newest: the current generation's number; 0 where there is none.
newest() {
  local numbers
  numbers=$(find "$generations" -mindepth 1 -maxdepth 1 -type d -name '[1-9]*' -printf '%f\n') || exit 1
  sort -n <<<"${numbers:-0}" | tail -n 1
}

# text FILE: what is in it; nothing where there is no such file.
text() {
  [[ ! -e $1 ]] || cat "$1"
}

# released FILE: the newest generation's FILE, of those that have a converged release: what a cluster served last outlives it.
released() {
  local n
  n=$(newest)
  for (( ; n > 0; n--)); do
    [[ ! -e $generations/$n/release ]] || { printf '%s\n' "$generations/$n" && return; }
  done
}

# show: the current generation as one line of JSON.
show() {
  local n folder file founder cluster converged='' rescues=0
  n=$(newest)
  folder=$generations/$n
  founder=$(text "$folder/founder")
  cluster=$(text "$folder/cluster-id")
  file=$(released)
  [[ -z $file ]] || converged=$(<"$file/release")
  while [[ -e $folder/rescues/$((rescues + 1)) ]]; do
    rescues=$((rescues + 1))
  done
  for file in "$folder"/managers/*; do
    [[ ! -e $file ]] || printf '%s %s\n' "${file##*/}" "$(<"$file")"
  done | jq -cnR --argjson generation "$n" --arg founder "$founder" --arg cluster "$cluster" --arg release "$converged" \
    --argjson rescues "$rescues" '{
      generation: $generation, founder: $founder, cluster: $cluster, release: $release, rescues: $rescues,
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

# leave INSTANCE: this manager is none any more.
leave() {
  rm -f "$generations/$(newest)/managers/$1"
}

# rescue N K INSTANCE: claims the K-th rescue of generation N; returns 1 where another machine was first.
rescue() {
  mkdir -p "$generations/$1/rescues"
  mkdir "$generations/$1/rescues/$2" 2>/dev/null || exit 1
  printf '%s\n' "$3" | write "$generations/$1/rescues/$2/by"
}

# token N: prints the manager join token; meant for a pipe.
token() {
  cat "$generations/$1/token"
}

# converged N SHA: notes the last release that converged; its JSON comes on standard input. Keeps its archive, and those of two others.
converged() {
  local old
  write "$generations/$1/releases/$2.json"
  if [[ -e $RELEASES/$2.zip ]]; then
    mkdir -p "$archives"
    write "$archives/$2.zip" <"$RELEASES/$2.zip"
    # of a copy that was ended half-way
    find "$archives" -name '*.zip.*' -mmin +1440 -delete
    find "$archives" -name '*.zip' -printf '%T@ %p\n' | sort -rn | tail -n +4 | while read -r _ old; do rm -f "$old"; done
  fi
  printf '%s\n' "$2" | write "$generations/$1/release"
}

# archive SHA: prints the archive of a release that converged.
archive() {
  cat "$archives/$1.zip"
}

# release: prints the JSON of the last release that converged; nothing where there was none.
release() {
  local folder
  folder=$(released)
  [[ -z $folder ]] || cat "$folder/releases/$(<"$folder/release").json"
}

# answer DEPLOY: claims the answer to that deploy; returns 3 where it has been given.
answer() {
  local old
  mkdir -p "$answers"
  mkdir "$answers/$1" 2>/dev/null || {
    [[ ! -d $answers/$1 ]] || exit 3
    exit 1
  }
  find "$answers" -mindepth 1 -printf '%T@ %p\n' | sort -rn | tail -n +21 | while read -r _ old; do rmdir "$old"; done
}

# unanswered DEPLOY: gives that claim back.
unanswered() {
  rmdir "$answers/$1"
}

mounted || die 'the shared storage is not mounted'
mkdir -p "$generations"
"$@"
