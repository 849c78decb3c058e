# shellcheck shell=bash
# What the commands of this folder that need root stand on: a machine that can do it, and its packages. Linux alone.
# Sourced, never run. What is written into the working copy is written by its owner, who need not be root.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly SPACE_MB=2500 LOCK_SECONDS=300
# shellcheck disable=SC2034 # for who sources this
readonly CLASS_PATH=$root/target/rehearsal.classpath

# Command, or file, and the Debian package that brings it.
# shellcheck disable=SC2034 # for who sources this
readonly NEEDED=(
  ip=iproute2 nft=nftables mmdebstrap=mmdebstrap nsenter=util-linux unshare=util-linux sysctl=procps openssl=openssl
  systemctl=systemd curl=curl javac=default-jdk-headless mvn=maven node=nodejs npx=npm
  /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
)

# as_owner CMD…: runs CMD in the working copy as its owner.
as_owner() {
  local owner home
  owner=$(stat -c %U "$root")
  if [[ $owner == root || $owner == "$(id -un)" ]]; then
    (cd "$root" && "$@")
  else
    home=$(getent passwd "$owner" | cut -d: -f6)
    (cd "$root" && runuser -u "$owner" -- env "HOME=$home" "$@")
  fi
}

# check_machine ARGUMENT…: the arguments of the command, for the line that says how to call it.
check_machine() {
  [[ $(uname -s) == Linux ]] || fail "needs Linux, for its namespaces; run it on a Debian 12 machine, a virtual one will do"
  [[ $EUID -eq 0 ]] || fail "needs root, for namespaces and mounts of its own; type: sudo $command_name${*:+ $*}"
  check_kernel
}

# check_kernel: cgroup.kill, with which all of a rehearsal is ended, came with Linux 5.14.
check_kernel() {
  local release
  release=$(uname -r)
  printf '5.14\n%s\n' "${release%%-*}" | sort -CV || fail "needs Linux 5.14 or later and this is $release; use a newer kernel"
}

check_space() {
  local free
  free=$(df --output=avail -BM /var/lib | tail -n 1 | tr -dc 0-9)
  [[ $free -ge $SPACE_MB ]] || fail "/var/lib has $free MB free and the machines take $SPACE_MB; make room there"
}

# install_missing COMMAND=PACKAGE…: installs the packages of the commands, or files, that are not there.
install_missing() {
  local pair packages=() log reason
  for pair in "$@"; do
    command -v "${pair%%=*}" > /dev/null || [[ -e ${pair%%=*} ]] || packages+=("${pair#*=}")
  done
  [[ ${#packages[@]} -gt 0 ]] || return 0
  command -v apt-get > /dev/null || fail "needs ${packages[*]}, and there is no apt-get here to install them; install them"
  echo "Installing ${packages[*]}"
  log=$(mktemp)
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"; } > "$log" 2>&1; then
    reason=$(grep -m 1 '^E: ' "$log" || tail -n 1 "$log")
    rm -f "$log"
    fail "cannot install ${packages[*]} (${reason#E: }); see to that and try again"
  fi
  rm -f "$log"
}

# compile_tests: the classes of the rehearsal and of the tests, one run at a time, and CLASS_PATH, what they need beside themselves.
compile_tests() {
  exec 9< "$root/pom.xml"
  flock -w "$LOCK_SECONDS" 9 || fail "another run has held pom.xml locked for $LOCK_SECONDS s; end it and try again"
  echo "Compiling the rehearsal"
  as_owner mvn -q -B -Dstyle.color=never -DskipStyle process-test-classes || fail "the rehearsal cannot be compiled, for the reason above"
  exec 9<&-
}
