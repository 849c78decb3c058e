# shellcheck shell=bash
# What diff, deploy and drift have in common: which stack, with which credentials, and what the words of the CDK
# command line mean to a person. Sourced, never run. With GITHUB_ACTIONS, the page of the run says it too.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly ASSEMBLY=$root/cdk.out

# summary: puts what it reads on the page of the run, where there is one.
summary() {
  cat >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
}

# say MESSAGE: at the terminal, and on the page of the run.
say() {
  echo "$1"
  echo "$1" | summary
}

# report MESSAGE: says in one line what is wrong, and what to type next. Keeps it in reason.
report() {
  # shellcheck disable=SC2034 # for who sources this
  reason=$1
  echo "$command_name: $1" >&2
  [[ -z ${GITHUB_ACTIONS:-} ]] || echo "::error::$command_name: $1"
  echo "$command_name: $1" | summary
}

# fail, refuse: those of common.sh, on the page of the run as well.
fail() {
  report "$1"
  exit 1
}

refuse() {
  report "$1"
  exit 2
}

# temporary: makes a file, and prints its name.
temporary() {
  mktemp "${TMPDIR:-/tmp}/twinhost.XXXXXX"
}

# choose_stack [ENVIRONMENT]: sets stack, and context, the options that go with it to the CDK command line.
choose_stack() {
  local environment=${1:-}
  [[ $# -le 1 && $environment != -* ]] || refuse "takes one environment of cdk.json at most, got \"$*\"; type: $command_name, or $command_name NAME with an environment of cdk.json"
  # shellcheck disable=SC2034 # for who sources this
  readonly stack=Twinhost${environment:+-$environment}
  context=(${environment:+-c "environment=$environment"})
}

# check_region: without one, the CDK would go to us-east-1 and say so to nobody.
# Sets region, for older versions of AWS's command line under both names.
check_region() {
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
  [[ -n $region ]] || region=$(aws configure get region 2> /dev/null) || true
  [[ -n $region ]] || refuse "no region is set for AWS's command line (the setting region only refuses another one); type: export AWS_REGION=eu-central-1 (the one of the site), or for the workflows: gh variable set AWS_REGION"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
}

# synthesise LOG: the stack, once; what comes after works on that very assembly.
synthesise() {
  # shellcheck disable=SC2119 # npm as oneself
  install_node_modules
  use_node
  cd "$root" || return
  npx cdk synth -q --ci --no-color ${context[@]+"${context[@]}"} > "$1" 2>&1 || {
    cat "$1" >&2
    fail_as_said "$1"
  }
  cat "$1" >&2
}

# lookups_to_commit: says so where CDK has just looked up what the commit does not hold: a later deploy would look again, and might
# find another machine image.
lookups_to_commit() {
  [[ -z $(git -C "$root" status --porcelain -- cdk.context.json) ]] ||
    echo "cdk.context.json lacks what was looked up just now, so any later deploy may find a newer machine image and replace the machines; type: npx cdk synth, and commit that file"
}

# take_lookup_role LOG: goes on as the role of the bootstrap for looking up, which may read everything that is not encrypted with a key of its
# own. Returns 1 with the reason in LOG where the credentials may not take it.
take_lookup_role() {
  local role caller credentials
  caller=$(aws sts get-caller-identity --output json 2> "$1") || return
  role=$(jq -r --arg stack "$stack" --arg region "$region" --argjson caller "$caller" \
    '.artifacts[$stack].properties.lookupRole.arn | gsub("\\$\\{AWS::AccountId}"; $caller.Account) | gsub("\\$\\{AWS::Region}"; $region)
      | gsub("\\$\\{AWS::Partition}"; $caller.Arn | split(":")[1])' "$ASSEMBLY/manifest.json")
  credentials=$(aws sts assume-role --role-arn "$role" --role-session-name "twinhost-${0##*/}" --query Credentials --output json 2> "$1") || return
  AWS_ACCESS_KEY_ID=$(jq -r .AccessKeyId <<< "$credentials")
  AWS_SECRET_ACCESS_KEY=$(jq -r .SecretAccessKey <<< "$credentials")
  AWS_SESSION_TOKEN=$(jq -r .SessionToken <<< "$credentials")
  export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  unset AWS_PROFILE AWS_DEFAULT_PROFILE
}

# zone_name ID LOG: of the hosted zone; as the role for looking up where these credentials lack the right.
zone_name() {
  local question=(aws route53 get-hosted-zone --id "$1" --query HostedZone.Name --output text)
  "${question[@]}" 2> "$2" || { grep -q AccessDenied "$2" && take_lookup_role /dev/null && "${question[@]}" 2> "$2"; }
}

# check_zone: whether the hosted zone of the records owns their names, which CloudFormation would say in the middle of a deploy.
# Where the zone may not be asked, that is said and no more: CloudFormation will tell.
check_zone() {
  local id names name zone log
  log=$(temporary)
  while read -r id names; do
    if ! zone=$(zone_name "$id" "$log"); then
      ! grep -q NoSuchHostedZone "$log" ||
        refuse "hostedZoneId: is no zone of this account, got $id; type: aws route53 list-hosted-zones, and write the id of the domain's zone into cdk.json"
      echo "$command_name: the hosted zone $id was not checked: $(grep . "$log" | tail -n 1)" >&2
      continue
    fi
    for name in $names; do
      [[ ".$name" == *".$zone" ]] ||
        refuse "hostedZoneId: is the zone of ${zone%.}, which does not own ${name%.}, got $id; type: aws route53 list-hosted-zones-by-name --dns-name ${name%.}, and write the id of its zone into cdk.json"
    done
  done < <(jq -r '[.Resources[] | select(.Type == "AWS::Route53::RecordSet").Properties | select(.HostedZoneId | type == "string")]
    | group_by(.HostedZoneId)[] | "\(first.HostedZoneId) \(map(.Name) | unique | join(" "))"' "$ASSEMBLY/$stack.template.json")
  rm -f "$log"
}

# fail_as_said LOG: ends with what the words of the CDK command line, of AWS or of CloudFormation in LOG mean.
# The words of the first are those of aws-cdk 2.1148.1.
fail_as_said() {
  local log=$1 line place
  if line=$(last_said 'Unable to resolve AWS account to use|Could not load credentials from any providers|no credentials have been configured|There are expired AWS credentials|Unable to locate credentials|ExpiredToken'); then
    refuse "there are no credentials, or they have lapsed; type: aws configure (or: aws sso login), or in a workflow look at its step configure-aws-credentials"
  elif line=$(last_said 'Need to perform AWS calls for account [0-9]+, but the current credentials are for [0-9]+'); then
    refuse "the credentials are those of another account (${line#*Need to }); type: export AWS_PROFILE=NAME of the right one"
  elif line=$(last_said '(SSM parameter /cdk-bootstrap/[^ ]+ not found in|, found .* in) aws://[^ ]+'); then
    place=$(grep -oE 'aws://[0-9]+/[a-z0-9-]+' <<< "$line" | tail -n 1)
    refuse "account and region were never bootstrapped, or too long ago; type: npx cdk bootstrap $place"
  elif line=$(last_said 'Is (this account|account [0-9]+) bootstrapped'); then
    [[ $line =~ [0-9]{12} ]] || true
    refuse "the account was never bootstrapped for files and images; type: npx cdk bootstrap aws://${BASH_REMATCH[0]:-ACCOUNT}/${AWS_REGION:-REGION}"
  elif line=$(last_said "Bucket named '[^']+' exists, but we dont have access to it"); then
    place=$(sed -nE "s|.*-assets-([0-9]{12})-([a-z0-9-]+)'.*|aws://\1/\2|p" <<< "$line")
    refuse "the role of the bootstrap that publishes files cannot be taken: the account was never bootstrapped, or the credentials lack sts:AssumeRole for it; type: npx cdk bootstrap ${place:-aws://ACCOUNT/$AWS_REGION}"
  elif line=$(last_said 'role/cdk-[a-z0-9]+-[a-z-]+-role-[0-9]{12}-[a-z0-9-]+' 'Could not assume role in target account'); then
    place=$(sed -E 's|.*-role-([0-9]{12})-([a-z0-9-]+)$|aws://\1/\2|' <<< "$line")
    refuse "the role ${line#role/} cannot be taken: the account was never bootstrapped, or the credentials lack sts:AssumeRole for it; type: npx cdk bootstrap $place"
  elif line=$(last_said 'RRSet with DNS name [^ ]+ is not permitted in zone [^] ]+'); then
    refuse "hostedZoneId: is the zone of another domain (${line%.}); type: aws route53 list-hosted-zones, and write the id of the domain's zone into cdk.json"
  elif line=$(last_said 'Tried to create resource record set [^]]*] but it already exists'); then
    refuse "a record with the same set identifier is there, of an earlier stack perhaps, and CloudFormation takes over none ($line); $(remove_record) and type the same again: $command_name"
  elif line=$(last_said 'RRSet with DNS name [^ ]+,? +(and )?type [A-Z]+,? SetIdentifier [^ ]+ cannot be created as a non-weighted set exists with the same name and type'); then
    refuse "a record without a weight is there ($line); to have both side by side, $(remove_record) and create it again with a weight and a set identifier of its own, both in one change; to try the site before that: \"dns\": \"none\" in cdk.json"
  elif line=$(last_said 'RRSet with DNS name [^ ]+,? +(and )?type [A-Z]+,? SetIdentifier [^ ]+ cannot be created as weighted sets must contain the same TTL'); then
    refuse "a weighted record of another TTL is there ($line); give it the TTL that the record has in cdk.out/$stack.template.json, and type the same again: $command_name"
  elif line=$(last_said 'RRSet of type +CNAME with DNS name [^ ]+ is not permitted (because|as) [^]]*'); then
    refuse "a CNAME suffers no other record of its name, and there is one (${line%.}); $(hand_over)"
  elif line=$(last_said 'RRSet of type +[A-Z]+ with DNS name [^ ]+ is not permitted (because|as) [^]]*'); then
    refuse "a CNAME is there, which suffers no other record of its name (${line%.}); $(hand_over)"
  elif grep -q 'Subprocess exited with error 2' "$log" && line=$(last_said '^(bin/app|(docker|nginx|src)/[^:]*): [^;]*; .*'); then
    # A tool is missing, or a file is not what it has to be.
    refuse "${line#bin/app: }"
  elif grep -q 'Subprocess exited with error 2' "$log"; then
    # bin/app has said it in its own words, a line for each key.
    refuse "the settings are refused: $(grep -E '^[^ ]+: .+(, want |; )' "$log" | paste -sd '|' - | sed 's/|/ | /g'); type the right values into cdk.json"
  elif line=$(last_said 'User: [^ ]+ is not authorized to perform: [^ ]+( on resource: [^ ]+)?'); then
    refuse "a right is missing (${line%,}); add it to that role: those of the pipeline are in DiffRole.java and DeployRole.java of src/main/java/dev/twinhost; then type: npx cdk deploy Pipeline/Access"
  fi
  report "failed, for the reason above${GITHUB_ACTIONS:+ in the log of this step}; type the same here to see it again: $command_name"
  exit 1
}

# remove_record, hand_over: what to type where a record is in the way of the stack's.
remove_record() {
  echo "delete it (aws route53 list-resource-record-sets --hosted-zone-id ID shows it whole, as aws route53 change-resource-record-sets wants it)"
}

hand_over() {
  echo "deploy with \"dns\": \"none\" in cdk.json, look with bin/verify --connect-to, then $(remove_record) and deploy with \"dns\": \"all\""
}

# last_said PATTERN [ONLY]: what LOG last said that is like PATTERN, in lines that are like ONLY.
last_said() {
  local said
  said=$(grep -E "${2:-.}" "$log" | grep -oE "$1" | tail -n 1) && [[ -n $said ]] && echo "$said"
}
