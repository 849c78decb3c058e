#!/bin/bash
# Stands in, under its name, for a tool of macOS: refuses the options and expressions that the manual there does not have, and leaves the
# rest to the tool of this machine, which then takes no option behind an operand either (POSIXLY_CORRECT). As openssl it is LibreSSL
# 3.3.6, in what bin/verify asks of it. Stricter than a Mac where its manuals changed from one version to the next.
# https://github.com/apple-oss-distributions: text_cmds, shell_cmds, file_cmds, all tools from FreeBSD;
# https://github.com/libressl/openbsd/tree/libressl-v3.3.6/src/usr.bin/openssl
set -u
tool=${0##*/}
real=/usr/bin/$tool

illegal() {
  echo "$tool: illegal option -- $1" >&2
  exit 1
}

# short OPTIONS ARGUMENT…: getopt of BSD: letters, a colon behind those with a value; it ends at the first operand. Sets operands, and
# expressions, the values of -e.
short() {
  local options=$1 word letter
  operands=() expressions=()
  shift
  while (($# > 0)); do
    word=$1
    case $word in
      --) shift && break ;;
      --*) illegal - ;;
      -?*) ;;
      *) break ;;
    esac
    word=${word#-}
    while [[ -n $word ]]; do
      letter=${word:0:1}
      word=${word:1}
      [[ $options == *"$letter"* ]] || illegal "$letter"
      [[ $options == *"$letter:"* ]] || continue
      [[ -n $word ]] || { shift; word=${1-}; }
      [[ $letter != e ]] || expressions+=("$word")
      word=''
    done
    shift
  done
  operands=("$@")
}

# plain TEXT…: has nothing that only the regular expressions of GNU have.
plain() {
  local text
  for text in "$@"; do
    [[ ! $text =~ \\[+?|sSwWdDbB\<\>] ]] || illegal "${BASH_REMATCH[0]}"
  done
}

case $tool in
  awk | basename | dirname | cat | chmod | false | id | mkdir | mv | rm | sh | sleep | touch | true | tr | uname | wc) ;;
  cksum) short o: "$@" ;;
  cp) short HLPRXacflnpvsSx "$@" ;;
  cut) short b:c:d:f:nsw "$@" ;;
  date) short jnRuI:r:v:z:f: "$@" ;;
  head | tail)
    short qc:n:rFf "$@"
    [[ ! " $*" =~ \ -n\ ?- ]] || { echo "$tool: illegal line count -- -1" >&2; exit 1; }
    ;;
  mktemp)
    short dqut: "$@"
    [[ ${#operands[@]} -gt 0 ]] || { echo "usage: mktemp [-d] [-q] [-t prefix] [-u] template ..." >&2; exit 1; }
    ;;
  paste)
    short d:s "$@"
    [[ ${#operands[@]} -gt 0 ]] || { echo 'usage: paste [-s] [-d delimiters] file ...' >&2; exit 1; }
    ;;
  readlink) short n "$@" ;;
  sed)
    short EaI:e:f:i:lnrsu "$@"
    [[ ${#expressions[@]} -gt 0 ]] || expressions=("${operands[0]}")
    plain "${expressions[@]}"
    for expression in "${expressions[@]}"; do
      [[ ! $expression =~ (^|[^;\ \\0-9])\} || $expression =~ \$\{ ]] || { echo "sed: 1: \"$expression\": extra characters at the end of p command" >&2; exit 1; }
      [[ ! $expression =~ s[/|].*[/|].*[/|][gp0-9]*I ]] || { echo "sed: 1: \"$expression\": bad flag in substitute command: 'I'" >&2; exit 1; }
    done
    ;;
  sort) short bcCdfghiMmnRrsSTuzk:o:t: "$@" ;;
  stat) short FLlnqrst:f:x "$@" ;;
  tee) short ai "$@" ;;
  xargs) short 0opE:I:J:L:n:P:R:S:s:t "$@" ;;
  grep)
    short EFGHILOSUVZabchiLlmnopqrsuvwxyz:A:B:C:e:f:m: "$@"
    plain "$@"
    ;;
  find)
    for word in "$@"; do
      [[ $word != -* || $word =~ ^-(delete|depth|exec|maxdepth|mindepth|name|newer|o|path|print|print0|prune|type)$ ]] ||
        { echo "find: $word: unknown primary or operator" >&2; exit 1; }
    done
    ;;
  openssl)
    for word in "$@"; do
      case $word in
        -ext | -brief | -checkhost | -noservername | -no_ign_eof) echo "unknown option $word" >&2; exit 1 ;;
        *@SECLEVEL*) echo 'error:14FFF118:SSL routines:(UNKNOWN)SSL_internal:invalid command:ssl_ciph.c:1158:' >&2; exit 1 ;;
      esac
    done
    set -o pipefail
    "$real" "$@" | sed -e 's/^issuer=/issuer= /' -e 's/^subject=/subject= /' -e 's/^New, TLSv1[.0-9]*,/New, TLSv1\/SSLv3,/'
    exit
    ;;
  *) illegal "$tool is none of the tools that stand here" ;;
esac
POSIXLY_CORRECT=1 exec "$real" "$@"
