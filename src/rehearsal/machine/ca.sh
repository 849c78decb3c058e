#!/bin/bash
# ca.sh make FOLDER           makes the rehearsal's certificate authority there, unless it is there and valid for long
# ca.sh leaf NAME… FOLDER     issues a server certificate for the DNS names: fullchain.pem and privkey.pem in FOLDER
# Extensions are as strict clients (Python 3.13 and later) want them.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/lib.sh"

YEAR=31536000

make() {
  local folder=$1 new=$1.new
  openssl x509 -in "$folder/ca.pem" -noout -checkend "$YEAR" > /dev/null 2>&1 && return
  rm -rf "$new"
  install -d -m 700 "$new"
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
      -subj '/O=Twinhost/CN=Twinhost rehearsal' -keyout "$new/ca.key" -out "$new/ca.pem" \
      -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign'
  ) 2>/dev/null || fail "openssl could not make a certificate authority in $new"
  chmod 644 "$new/ca.pem"
  rm -rf "$folder"
  mv "$new" "$folder"
}

leaf() {
  [[ $# -ge 2 ]] || fail "usage: ca.sh leaf NAME… FOLDER"
  local folder=${*: -1} names=("${@:1:$#-1}") ca
  ca=$(cache_folder)/ca
  [[ -r $ca/ca.key ]] || fail "$ca: no certificate authority; type: ${here}/rootfs.sh"
  install -d -m 700 "$folder"
  local joined
  joined=$(printf ',DNS:%s' "${names[@]}")
  (
    umask 077
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=${names[0]}" \
      -keyout "$folder/privkey.pem.new" -addext "subjectAltName=${joined#,}" |
      openssl x509 -req -CA "$ca/ca.pem" -CAkey "$ca/ca.key" -days 90 -copy_extensions copyall \
        -extfile "$here/leaf.cnf" -out "$folder/fullchain.pem.new"
    cat "$ca/ca.pem" >> "$folder/fullchain.pem.new"
  ) 2>/dev/null || fail "openssl could not issue a certificate for ${names[*]}"
  mv "$folder/privkey.pem.new" "$folder/privkey.pem"
  mv "$folder/fullchain.pem.new" "$folder/fullchain.pem"
}

need_root
case ${1:-} in
  make) make "${2:?}" ;;
  leaf) leaf "${@:2}" ;;
  *) fail "usage: ca.sh leaf NAME… FOLDER" ;;
esac
