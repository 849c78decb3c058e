#!/bin/bash
# Has the edges of both hosts share the keys of TLS session tickets, so that a client resumes its session with whichever host it comes to. The shared
# storage holds a key for every 12 hours, made by whichever host finds it missing. Each host copies three to its memory, from which its edge takes them:
# the present one, the one before and the next, which every host has before any of them encrypts with it. None is on a disk of a machine, and those that
# no ticket is accepted by any more are removed. Where the storage cannot be had, what is there stays; an edge that has none begins with its own.
# --copy FOLDER: said by this verb: everything that touches the shared storage.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
[[ $TWINHOST_ROLE == host ]] || exit 0 # a witness serves nothing

# SLOT: seconds for which a key encrypts, as in nginx/snippets/tls.conf; SLACK: those by which two hosts may differ about the end of a slot.
# MEMORY: a folder of a tmpfs that is there on every machine from the begin of its boot (https://systemd.io/API_FILE_SYSTEMS/), so that the edge can mount it.
readonly SLOT=43200 SLACK=600 KEYS=$SHARED/tickets MEMORY=$ROOT/dev/shm/twinhost

# is_key FILE: whether that is a key, and no file of which a fault has left the size alone: of 10^24 keys one holds 17 zeros.
is_key() {
  [[ $(stat -c %s "$1") == 80 && $(tr -d '\000' <"$1" | wc -c) -ge 64 ]]
}

# make_key SLOT: makes the key of that slot. It gets its name when it is complete, and only where no other host has been first.
make_key() {
  local new
  new=$(mktemp "$KEYS/new.XXXXXX")
  head -c 80 /dev/urandom >"$new"
  sync "$new"
  ln -T "$new" "$KEYS/$1" 2>/dev/null || [[ -e $KEYS/$1 ]]
  rm -f "$new"
}

# copy_keys FOLDER: copies the keys of this time to FOLDER, and makes those that are missing. Which slot it is, the storage's clock says: it is the same for
# every host. A file that is touched has its server's time (https://github.com/torvalds/linux/blob/v6.1/fs/nfs/nfs4xdr.c, encode_attrs).
copy_keys() {
  local clock slot name file
  install -d -m 0700 "$KEYS"
  touch "$KEYS/clock"
  clock=$(stat -c %Y "$KEYS/clock")
  [[ $clock =~ ^[1-9][0-9]{8,10}$ ]] || { echo "the clock of the shared storage says ${clock@Q}" && exit 1; }
  slot=$((clock / SLOT - 1))
  for name in previous now next; do
    [[ -e $KEYS/$slot ]] || make_key "$slot"
    cp "$KEYS/$slot" "$1/$name"
    if ! is_key "$1/$name"; then
      rm -f "$KEYS/$slot"
      echo "tickets/$slot on the shared storage is no key; the next look makes it anew"
      exit 1
    fi
    slot=$((slot + 1))
  done
  for file in "$KEYS"/*; do
    case ${file##*/} in
      new.*) [[ $(stat -c %Y "$file" 2>/dev/null) -ge $((clock - SLACK)) ]] || rm -f "$file" ;; # of a host that was killed over it
      *[!0-9]*) ;;
      *) ((10#${file##*/} >= (clock - SLACK) / SLOT - 1 && 10#${file##*/} <= (clock + SLACK) / SLOT + 1)) || rm -f "$file" ;;
    esac
  done
}

# same FOLDER FOLDER: whether both hold the same three keys.
same() {
  cmp -s "$1/previous" "$2/previous" && cmp -s "$1/now" "$2/now" && cmp -s "$1/next" "$2/next"
}

if [[ ${1:-} == --copy ]]; then
  trap - ERR
  copy_keys "$2"
  exit
fi
exec 7>"$VOLATILE/tickets.lock"
flock -w 30 7 || die 'waited 30 s for another run of this verb'
mounted || exit 0
# everybody may make something there
[[ -d $MEMORY && ! -L $MEMORY && -O $MEMORY ]] || { rm -rf "$MEMORY" && mkdir "$MEMORY"; }
new=$(mktemp -d "$MEMORY/XXXXXXXX")
trap 'rm -rf "$new"' EXIT
status=0
said=$(bounded 5 bash "$0" --copy "$new" 2>&1 7>&-) || status=$?
if ((status != 0)); then
  ((status != 137)) || said='the shared storage did not answer within 5 s'
  [[ -e $VOLATILE/no-tickets ]] || log "the keys of session tickets cannot be had; those that are there stay: ${said##*$'\n'}"
  : >"$VOLATILE/no-tickets"
  exit 0
fi
if [[ -e $VOLATILE/no-tickets ]]; then
  log 'the keys of session tickets can be had again'
  rm "$VOLATILE/no-tickets"
fi
! same "$new" "$MEMORY/current" || exit 0
# in one step; the name of the folder is what the edge watches
ln -sfn "${new##*/}" "$MEMORY/current.new" && mv -T "$MEMORY/current.new" "$MEMORY/current"
trap - EXIT
find "$MEMORY" -mindepth 1 -maxdepth 1 -type d ! -name "${new##*/}" -exec rm -rf {} +
log 'gives the edge other keys of session tickets'
