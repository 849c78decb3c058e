#!/bin/bash
# answer.sh PARAMETER SHA256 STATUS REASON: tells the deploy that waits for release SHA256 how it ended, SUCCESS or FAILURE, and why, in one line.
# PARAMETER holds the URL of the deploy's wait condition. Whoever has that URL can answer, so it stays out of arguments, files, logs and the environment.
# Once for each deploy, whichever machine comes first: what is answered is noted in the cluster record. Where that cannot be read, it is answered all the same.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
. "$(dirname "$0")/lib.sh"
load_machine

# That page names no limit for a reason; a custom resource's whole answer has 4096 bytes. This much still reads as one line.
readonly LONGEST=500

value=$(parameter "$1" 15) || die "the deploy cannot be told: the parameter $1 could not be read"
# without an input of its own jq would be content with nothing at all
sha=$(jq -enr 'input | select(.url | strings | startswith("http")) | .sha256 | strings' <<<"$value" 2>/dev/null) ||
  die "the deploy cannot be told: the parameter $1 does not hold a release and a URL"
# of another deploy: nobody waits for this release any more
[[ $sha == "$2" ]] || exit 0
deploy=$(jq -j .url <<<"$value" | sha256sum | cut -c1-16)
status=0
record answer "$deploy" || status=$?
((status != 3)) || exit 0
reason=$(tr -s '[:cntrl:][:space:]' ' ' <<<"$4")
reason=${reason% }
((${#reason} <= LONGEST)) || reason=${reason:0:LONGEST-3}...
# with these limits it has ended before who ended a release with TERM follows with KILL
said=$(timeout -k 5 30 curl -sS -f -m 10 --retry 3 --retry-delay 1 --retry-max-time 20 -o /dev/null -X PUT -H 'Content-Type:' -K - \
  --data-binary @<(jq -n --arg status "$3" --arg reason "$reason" --arg id "$TWINHOST_INSTANCE" '{Status: $status, Reason: $reason, UniqueId: $id, Data: ""}') \
  2>&1 < <(jq -r '"url = \"\(.url)\""' <<<"$value")) || {
  ((status != 0)) || record unanswered "$deploy" || true
  die "the deploy could not be told: ${said##*$'\n'}"
}
log "told the deploy: $3"
