#!/bin/bash
# Publishes what visitors meet at this host: the certificate that its own edge serves. In CloudWatch, in a namespace named after the stack, two metrics:
#
# - CertificateDaysLeft: whole days until its end. None where the edge shows no certificate.
# - CertificateTrusted: 1 where it is valid now, for every name of the site, and of an authority that this machine's system trusts; otherwise 0, also where
#   the edge shows none. The certificates of a staging authority are trusted by nobody.
#
# Each is there twice: without a dimension, where the minimum is the worst host of the site and the number of samples tells how many hosts have spoken, and
# with the dimension Instance, to see which one it is. A host that is dead says nothing: an alarm has to take missing data for bad.
# Where they cannot be published, nothing else suffers.
. "$(dirname "$0")/lib.sh"
mkdir -p "$VOLATILE"
load_machine
[[ $TWINHOST_ROLE == host && -n ${TWINHOST_INSTANCE:-} ]] || exit 0
load_settings "$RELEASE"

# trusted FILE: whether the first certificate in FILE, with the others there as its chain, would satisfy a visitor of each of the site's names.
trusted() {
  local name names said
  names=$(site_names) && [[ -n $names ]] || return 1
  for name in $names; do
    said=$(openssl verify -purpose sslserver -verify_hostname "$name" -untrusted "$1" "$1" 2>/dev/null) && [[ $said == "$1: OK" ]] || return 1
  done
}

# data: the metrics as the call takes them.
data() {
  local file=$VOLATILE/served.pem days=null trusted=0
  if served >"$file"; then
    days=$(days_left <"$file") || days=null
    ! trusted "$file" || trusted=1
  fi
  jq -cn --argjson days "$days" --argjson trusted "$trusted" --arg instance "$TWINHOST_INSTANCE" '
    [{MetricName: "CertificateDaysLeft", Value: $days, Unit: "None"}, {MetricName: "CertificateTrusted", Value: $trusted, Unit: "None"}
      | select(.Value != null) | ., . + {Dimensions: [{Name: "Instance", Value: $instance}]}]'
}

data=$(data)
if said=$(timeout -k 1 30 aws cloudwatch put-metric-data --namespace "$TWINHOST_STACK" --metric-data "$data" 2>&1); then
  rm -f "$VOLATILE/unpublished"
elif [[ ! -e $VOLATILE/unpublished ]]; then
  touch "$VOLATILE/unpublished"
  log "the metrics cannot be published: $(tail -n 1 <<<"$said")"
fi
