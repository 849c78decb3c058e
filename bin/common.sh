# shellcheck shell=bash
# What every command of this folder stands on: the working copy, one line of error, the tools that it needs.
# Sourced, never run. Sets root, the working copy.
#
# This file and each command that is typed on a laptop run under bash 3.2 with the tools of BSD and with LibreSSL, as macOS
# has them: no associative array, no mapfile, no ${name,,}, and an array that may be empty is written
# ${name[@]+"${name[@]}"}, for bash before 4.4 calls it unbound. LaptopTest knows the rest.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root
readonly command_name=bin/${0##*/}

# The CDK ended its support of Node 20 in October 2026: https://docs.aws.amazon.com/cdk/v2/guide/node-versions.html
readonly LEAST_NODE=22

# fail MESSAGE: one line that says what is wrong and what to do, then the end.
fail() {
  echo "$command_name: $*" >&2
  exit 1
}

# refuse MESSAGE: likewise, where what was given or what is installed is wrong, and nothing has been touched.
refuse() {
  echo "$command_name: $*" >&2
  exit 2
}

# need TOOL…: all of them are installed, or the first that is not is named, and how to get it.
need() {
  local tool
  case $(uname -s) in
    MINGW* | MSYS* | CYGWIN*) refuse "runs on Linux and macOS, got $(uname -s); on Windows type: wsl --install, and clone the repository inside WSL" ;;
  esac
  for tool in "$@"; do
    command -v "$tool" > /dev/null || refuse "needs $tool, which is not installed; $(how_to_get "$tool")"
  done
}

how_to_get() {
  case $1 in
    aws) echo "install AWS's command line, version 2: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html" ;;
    gh) echo "install GitHub's command line: https://cli.github.com" ;;
    java) echo "install a JDK, 17 or later (macOS: brew install openjdk@17; Debian: apt-get install openjdk-17-jdk-headless)" ;;
    mvn) echo "install Maven 3.8 or later (macOS: brew install maven; Debian: apt-get install maven)" ;;
    node | npm | npx) echo "install Node $LEAST_NODE or later, which brings it: https://nodejs.org" ;;
    *) echo "install it (macOS: brew install $1; Debian: apt-get install $1)" ;;
  esac
}

# use_node: puts the Node of package.json first, where the machine has it, and refuses one that the CDK no longer supports.
use_node() {
  local version
  export PATH="$root/node_modules/.bin:$PATH"
  need node
  version=$(node --version) || refuse "node does not start; $(how_to_get node)"
  version=${version#v}
  [[ ${version%%.*} =~ ^[0-9]+$ && ${version%%.*} -ge $LEAST_NODE ]] || refuse "needs Node $LEAST_NODE or later, got $version; $(how_to_get node)"
}

# install_node_modules [COMMAND…]: what package.json asks for, if it is not there; COMMAND runs npm as somebody else.
install_node_modules() {
  npm_ci "$root" 'the CDK command line' "$@"
}

# install_test_node_modules [COMMAND…]: what the tests and the rehearsal run on Node, no part of the npm ci of somebody who deploys.
install_test_node_modules() {
  npm_ci "$root/src/test/node" 'what the tests and the rehearsal need' "$@"
}

# npm_ci FOLDER WHAT [COMMAND…]: what the package-lock.json of that folder names, unless it is there.
npm_ci() {
  local folder=$1 what=$2
  shift 2
  [[ -e $folder/node_modules/.package-lock.json && ! $folder/package-lock.json -nt $folder/node_modules/.package-lock.json ]] && return
  need npm
  echo "Installing $what: npm ci"
  # npm says why it failed only above the log level "silent". Offline, its own retries take over a minute.
  (cd "$root" && "$@" npm ci --prefix "$folder" --loglevel=error --no-fund --no-audit --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000) > /dev/null ||
    fail "npm ci failed, for the reason above; see to that and try again"
}
