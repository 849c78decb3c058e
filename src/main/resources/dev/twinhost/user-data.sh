# The launcher of one machine. The CDK app puts a shebang and the exported variables checked below in front of it and never edits it.
# It installs packages, starts the log's shipping, mounts the shared storage, fetches the release and hands over to docker/host of that
# release. What may pass by itself is tried again until LIMIT; whatever fails after that is signalled to CloudFormation, once, and the last line of the
# log says why. Then systemd goes on trying: where no deploy waits, nobody would replace this machine.
# Everything that may change without a new machine belongs into docker/host, not in here.
set -Eeuo pipefail
shopt -s inherit_errexit

: "${AWS_REGION:?}" "${TWINHOST_ROLE:?}" "${TWINHOST_FILE_SYSTEM:?}" "${TWINHOST_RELEASE_PARAMETER:?}"
: "${TWINHOST_STACK:?}" "${TWINHOST_SIGNAL_RESOURCE:?}" "${TWINHOST_LOG_GROUP:?}"

export HOME=${HOME:-/root}
readonly LOG=/var/log/twinhost.log UNIT=twinhost-launcher.service SIGNALLED=/opt/twinhost/signalled
# seconds, of the 1800 that a deploy waits for a machine: bootstrap needs some of them, and says by itself what it waited for
readonly LIMIT=1200
# older ones lose tasks of a service that is spread over hosts: https://github.com/moby/moby/pull/50203, 50511 and 50551
readonly DOCKER=25.0.14

log() {
  printf '%s launcher: %s\n' "$(date -u +%FT%TZ)" "$*"
}

die() {
  log "$*"
  exit 1
}

# metadata PATH [RETRIES]: prints what the instance's metadata service says (IMDSv2). The token is in no list of processes.
metadata() {
  local service=http://169.254.169.254/latest token
  token=$(curl -fsS --max-time 5 --retry "${2:-5}" --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/api/token") &&
    curl -fsS --max-time 5 --retry "${2:-5}" -H @- "$service/meta-data/$1" <<<"X-aws-ec2-metadata-token: $token"
}

# fetch_release JSON: brings the release that JSON (the value of the release parameter) names to this disk, verified. Prints its folder, beside
# which its archive stays, with .zip at the end.
fetch_release() {
  local bucket key sha folder
  bucket=$(jq -er .bucket <<<"$1") && key=$(jq -er .key <<<"$1") && sha=$(jq -er .sha256 <<<"$1") || return 1
  folder=/opt/twinhost/releases/$sha
  if [[ ! -d $folder ]]; then
    rm -rf "$folder".* && mkdir -p "$folder.new" &&
      timeout -k 5 300 aws s3api get-object --bucket "$bucket" --key "$key" "$folder.zip.new" >/dev/null &&
      sha256sum --quiet -c - <<<"$sha  $folder.zip.new" >&2 &&
      unzip -q "$folder.zip.new" -d "$folder.new" &&
      mv "$folder.zip.new" "$folder.zip" && mv "$folder.new" "$folder" || return 1
  fi
  printf '%s\n' "$1" >"$folder/release.json" && printf '%s\n' "$folder"
}

# The only place that knows package names: Amazon Linux by dnf, Debian by apt. Installs those of its arguments, too, that are missing, and nothing else.
install_packages() {
  local missing=() name
  # cmp and envsubst are for releases from before the host agent, as launcher.sh is below
  if command -v dnf >/dev/null; then
    for name in amazon-efs-utils docker jq unzip /usr/bin/{aws,cmp,envsubst,openssl} "$@"; do
      rpm -q --whatprovides "$name" >/dev/null 2>&1 || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || timeout -k 10 600 dnf -y -q install "${missing[@]}" || return 1
    # the repositories are those of the day of the image, unless another is named:
    # https://docs.aws.amazon.com/linux/al2023/ug/deterministic-upgrades-usage.html
    docker_is_recent || { timeout -k 10 600 dnf -y -q --releasever=latest upgrade docker && docker_is_recent; }
  else
    for name in awscli curl docker-cli docker.io gettext-base jq openssl python3 unzip; do
      [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) == ii* ]] || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || { timeout -k 10 120 apt-get -q update && DEBIAN_FRONTEND=noninteractive timeout -k 10 600 apt-get -qy install "${missing[@]}"; }
  fi
}

docker_is_recent() {
  local version
  version=$(rpm -q --qf '%{VERSION}' docker) && [[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] && printf '%s\n' "$DOCKER" "$version" | sort -CV
}

# prepare_packages: a mirror that is away comes back. A machine that ships no log serves all the same.
prepare_packages() {
  local agent=amazon-cloudwatch-agent
  until install_packages ${agent:+"$agent"}; do
    agent=''
    ((SECONDS < LIMIT)) || die "packages could not be installed within $LIMIT s, or Docker is older than $DOCKER"
    log 'packages could not be installed, or Docker is too old: tries again'
    sleep 10
  done
}

# Ships the log to the log group, in a stream named by the instance.
start_log_agent() {
  jq -n --arg file "$LOG" --arg group "$TWINHOST_LOG_GROUP" \
    '{logs: {logs_collected: {files: {collect_list: [{file_path: $file, log_group_name: $group, log_stream_name: "{instance_id}"}]}}}}' \
    >/etc/twinhost/cloudwatch-agent.json
  timeout -k 5 60 /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/etc/twinhost/cloudwatch-agent.json >/dev/null ||
    log 'the CloudWatch agent did not start: this log stays on this machine'
}

# fstab mounts it again on every boot. Through systemd: a mount by hand would race it there, and leave a process behind for each that hangs. The name of a mount target may take a minute to be known after its creation.
# What one machine has just written there the others see within a second (acdirmax, lookupcache; nfs(5)): with the defaults a new claim in the
# cluster record, or a renewed certificate, could go unseen for a minute.
mount_storage() {
  local options=_netdev,nofail,x-systemd.mount-timeout=60s,noresvport,lookupcache=pos,acdirmin=1,acdirmax=1,tls,iam
  local line="$TWINHOST_FILE_SYSTEM:/ /srv/twinhost efs $options 0 0"
  mkdir -p /srv/twinhost
  grep -qxF "$line" /etc/fstab || printf '%s\n' "$line" >>/etc/fstab
  systemctl daemon-reload
  until grep -q ' /srv/twinhost ' /proc/self/mounts || timeout -k 5 70 systemctl start srv-twinhost.mount; do
    ((SECONDS < LIMIT)) || die "the shared storage $TWINHOST_FILE_SYSTEM could not be mounted within $LIMIT s"
    sleep 5
  done
}

# cloud-init runs user-data once per instance, and would leave a machine that restarts during its first boot, or that has failed, without a release. So
# systemd runs it again, on every boot and after every failure, until it has succeeded. What bootstrap does on every boot comes after it.
run_again_until_it_succeeds() {
  [[ $0 -ef /opt/twinhost/user-data ]] || install -D -m 0700 "$0" /opt/twinhost/user-data
  cat >"/etc/systemd/system/$UNIT" <<'EOF'
[Unit]
Description=Twinhost: the first boot, where it was cut short or has failed
Wants=network-online.target
After=network-online.target
Before=twinhost-bootstrap.service
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/bash /opt/twinhost/user-data
TimeoutStartSec=2h
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
EOF
  systemctl daemon-reload
  systemctl -q enable "$UNIT"
}

prepare() {
  trap 'log "line $LINENO failed: $BASH_COMMAND"' ERR
  local name release='' folder
  log "a $TWINHOST_ROLE starts"
  mkdir -p /etc/twinhost /opt/twinhost
  run_again_until_it_succeeds
  for name in AWS_REGION TWINHOST_ROLE TWINHOST_FILE_SYSTEM TWINHOST_RELEASE_PARAMETER TWINHOST_STACK TWINHOST_SIGNAL_RESOURCE TWINHOST_LOG_GROUP; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done | install -m 0600 /dev/stdin /etc/twinhost/machine.env
  # The host agent has both of its own. Releases from before it read this file; a machine boots with the one that converged last, whatever the parameter
  # names. So it is written until no site can have such a release in its record any more: each has to have deployed once with the agent.
  declare -f metadata fetch_release >/opt/twinhost/launcher.sh
  prepare_packages
  start_log_agent
  mount_storage
  log "fetches the release that $TWINHOST_RELEASE_PARAMETER names"
  # the machine's role may take a moment to be known everywhere
  until release=$(timeout -k 5 60 aws ssm get-parameter --name "$TWINHOST_RELEASE_PARAMETER" --query Parameter.Value --output text) &&
    folder=$(fetch_release "$release"); do
    ((SECONDS < LIMIT)) || die "the release could not be fetched within $LIMIT s: ${release:-the parameter $TWINHOST_RELEASE_PARAMETER could not be read}"
    sleep 5
  done
  ln -sfn "$folder" /opt/twinhost/current
}

# signal STATUS: tells CloudFormation how this machine came up; 0 is success. Once only: a second signal of a machine does not count, and where nobody
# waits for one, it is refused. Where the machine shuts down instead (systemd first stops units, then sends everybody SIGTERM), the next boot goes on.
signal() {
  local status=FAILURE said reason
  [[ $(systemctl is-system-running 2>/dev/null) != stopping ]] || return 0
  (($1 != 0)) || status=SUCCESS
  if (($1 != 143)) && [[ ! -e $SIGNALLED ]]; then
    reason=$(tail -n 1 "$LOG")
    said=$(timeout -k 5 60 aws cloudformation signal-resource --stack-name "$TWINHOST_STACK" --logical-resource-id "$TWINHOST_SIGNAL_RESOURCE" \
      --unique-id "$(metadata instance-id)" --status "$status" 2>&1) ||
      printf '%s\n' "$(log "$status could not be signalled: $said")" "$reason" | tee -a "$LOG"
    printf '%s\n' "$status" >"$SIGNALLED"
  fi
  if [[ $status == SUCCESS ]]; then
    systemctl -q disable "$UNIT" || true
    rm -f "/etc/systemd/system/$UNIT" /opt/twinhost/user-data
  elif [[ ! $0 -ef /opt/twinhost/user-data ]]; then
    # from cloud-init; from the unit, systemd starts it again
    systemctl start --no-block "$UNIT" || true
  fi
}

trap 'signal $?' EXIT
trap 'exit 143' TERM # without it the status at the exit would be that of the command before
prepare 2>&1 | tee -a "$LOG"
bash /opt/twinhost/current/docker/host/twinhost bootstrap
