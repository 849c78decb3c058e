# The launcher of one machine. The CDK app puts a shebang and the exported variables checked below in front of it and never edits it.
# It installs packages, starts the log's shipping, mounts the shared storage, fetches the release and hands over to docker/host of that
# release; whatever fails on the way is signalled to CloudFormation at once, and the last line of the log says why.
# Everything that may change without a new machine belongs into docker/host, not in here.
set -Eeuo pipefail
shopt -s inherit_errexit

: "${AWS_REGION:?}" "${TWINHOST_ROLE:?}" "${TWINHOST_FILE_SYSTEM:?}" "${TWINHOST_RELEASE_PARAMETER:?}"
: "${TWINHOST_STACK:?}" "${TWINHOST_SIGNAL_RESOURCE:?}" "${TWINHOST_LOG_GROUP:?}"

export HOME=${HOME:-/root}
readonly LOG=/var/log/twinhost.log UNIT=twinhost-launcher.service

log() {
  printf '%s launcher: %s\n' "$(date -u +%FT%TZ)" "$*"
}

die() {
  log "$*"
  exit 1
}

# metadata PATH: prints what the instance's metadata service says (IMDSv2).
metadata() {
  local service=http://169.254.169.254/latest token
  token=$(curl -fsS --max-time 5 --retry 5 --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/api/token") &&
    curl -fsS --max-time 5 --retry 5 -H "X-aws-ec2-metadata-token: $token" "$service/meta-data/$1"
}

# fetch_release JSON: brings the release that JSON (the value of the release parameter) names to this disk, verified. Prints its folder, beside
# which its archive stays, with .zip at the end.
fetch_release() {
  local bucket key sha folder
  bucket=$(jq -er .bucket <<<"$1") && key=$(jq -er .key <<<"$1") && sha=$(jq -er .sha256 <<<"$1") || return 1
  folder=/opt/twinhost/releases/$sha
  if [[ ! -d $folder ]]; then
    rm -rf "$folder".* && mkdir -p "$folder.new" &&
      timeout 300 aws s3api get-object --bucket "$bucket" --key "$key" "$folder.zip.new" >/dev/null &&
      sha256sum --quiet -c - <<<"$sha  $folder.zip.new" >&2 &&
      unzip -q "$folder.zip.new" -d "$folder.new" &&
      mv "$folder.zip.new" "$folder.zip" && mv "$folder.new" "$folder" || return 1
  fi
  printf '%s\n' "$1" >"$folder/release.json" && printf '%s\n' "$folder"
}

# The only place that knows package names: Amazon Linux by dnf, Debian by apt. Installs what is missing and nothing else.
install_packages() {
  local missing=() name
  if command -v dnf >/dev/null; then
    for name in amazon-cloudwatch-agent amazon-efs-utils docker jq unzip /usr/bin/envsubst; do
      rpm -q --whatprovides "$name" >/dev/null 2>&1 || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || timeout 600 dnf -y -q install "${missing[@]}"
  else
    for name in awscli curl docker-cli docker.io gettext-base jq openssl unzip; do
      dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || { timeout 120 apt-get -q update && DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qy install "${missing[@]}"; }
  fi || die "packages could not be installed: ${missing[*]}"
}

# Ships the log to the log group, in a stream named by the instance.
start_log_agent() {
  jq -n --arg file "$LOG" --arg group "$TWINHOST_LOG_GROUP" \
    '{logs: {logs_collected: {files: {collect_list: [{file_path: $file, log_group_name: $group, log_stream_name: "{instance_id}"}]}}}}' \
    >/etc/twinhost/cloudwatch-agent.json
  timeout 60 /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/etc/twinhost/cloudwatch-agent.json >/dev/null ||
    die 'the CloudWatch agent did not start'
}

# fstab mounts it again on every boot. The name of a mount target may take a minute to be known after its creation.
# What one machine has just written there the others see within a second (acdirmax, lookupcache; nfs(5)): with the defaults a new claim in the
# cluster record, or a renewed certificate, could go unseen for a minute.
mount_storage() {
  local limit=$((SECONDS + 300))
  local options=_netdev,nofail,x-systemd.mount-timeout=60s,noresvport,lookupcache=pos,acdirmin=1,acdirmax=1,tls,iam
  local line="$TWINHOST_FILE_SYSTEM:/ /srv/twinhost efs $options 0 0"
  mkdir -p /srv/twinhost
  grep -qxF "$line" /etc/fstab || printf '%s\n' "$line" >>/etc/fstab
  systemctl daemon-reload
  until grep -q ' /srv/twinhost ' /proc/self/mounts || timeout -k 5 60 mount /srv/twinhost; do
    ((SECONDS < limit)) || die "the shared storage $TWINHOST_FILE_SYSTEM could not be mounted within 300 s"
    sleep 2
  done
}

# cloud-init runs user-data once per instance, and would leave a machine that restarts during its first boot without a release and without a
# signal. So systemd runs it again on every boot, until it has signalled. What bootstrap does on every boot comes after it.
run_again_until_signalled() {
  [[ $0 -ef /opt/twinhost/user-data ]] || install -D -m 0700 "$0" /opt/twinhost/user-data
  cat >"/etc/systemd/system/$UNIT" <<'EOF'
[Unit]
Description=Twinhost: the first boot, where a restart has cut it short
Wants=network-online.target
After=network-online.target
Before=twinhost-bootstrap.service

[Service]
Type=oneshot
ExecStart=/bin/bash /opt/twinhost/user-data
# what serves the mounted storage stays
KillMode=process

[Install]
WantedBy=multi-user.target
EOF
  systemctl -q enable "$UNIT"
}

prepare() {
  trap 'log "line $LINENO failed: $BASH_COMMAND"' ERR
  local name release folder limit
  log "a $TWINHOST_ROLE starts"
  mkdir -p /etc/twinhost /opt/twinhost
  run_again_until_signalled
  for name in AWS_REGION TWINHOST_ROLE TWINHOST_FILE_SYSTEM TWINHOST_RELEASE_PARAMETER TWINHOST_STACK TWINHOST_SIGNAL_RESOURCE TWINHOST_LOG_GROUP; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done | install -m 0600 /dev/stdin /etc/twinhost/machine.env
  declare -f metadata fetch_release >/opt/twinhost/launcher.sh
  install_packages
  start_log_agent
  mount_storage
  log "fetches the release that $TWINHOST_RELEASE_PARAMETER names"
  limit=$((SECONDS + 60))
  # the machine's role may take a moment to be known everywhere
  until release=$(timeout 60 aws ssm get-parameter --name "$TWINHOST_RELEASE_PARAMETER" --query Parameter.Value --output text); do
    ((SECONDS < limit)) || die "the parameter $TWINHOST_RELEASE_PARAMETER could not be read within 60 s"
    sleep 2
  done
  folder=$(fetch_release "$release") || die "the release could not be fetched: $release"
  ln -sfn "$folder" /opt/twinhost/current
}

# signal STATUS: tells CloudFormation how this machine came up; 0 is success. Once only: where nobody waits for it, it is refused. Where the
# machine shuts down instead (systemd first stops units, then sends everybody SIGTERM), the next boot goes on.
signal() {
  local status=FAILURE said reason
  (($1 != 143)) && [[ $(systemctl is-system-running 2>/dev/null) != stopping ]] || return 0
  (($1 != 0)) || status=SUCCESS
  reason=$(tail -n 1 "$LOG")
  said=$(timeout 60 aws cloudformation signal-resource --stack-name "$TWINHOST_STACK" --logical-resource-id "$TWINHOST_SIGNAL_RESOURCE" \
    --unique-id "$(metadata instance-id)" --status "$status" 2>&1) ||
    printf '%s\n' "$(log "$status could not be signalled: $said")" "$reason" | tee -a "$LOG"
  systemctl -q disable "$UNIT" || true
  rm -f "/etc/systemd/system/$UNIT" /opt/twinhost/user-data
}

trap 'signal $?' EXIT
trap 'exit 143' TERM # without it the status at the exit would be that of the command before
prepare 2>&1 | tee -a "$LOG"
bash /opt/twinhost/current/docker/host/twinhost bootstrap
