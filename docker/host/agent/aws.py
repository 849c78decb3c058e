"""The calls of AWS that a machine makes, by the command line that the launcher installs. Each has a limit. What a
call may do is in MachineRole.java.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent import budgets, shape
from agent.decide.groups import Group, Instance
from agent.decide.targets import Target
from agent.errors import Damaged, Unavailable
from agent.lease import Lease
from agent.process import CommandFailed, run


def parameter(name: str, limit: float) -> str:
    """The value of a parameter of the site as it is now."""
    return _aws(limit, "ssm", "get-parameter", "--name", name, "--query", "Parameter.Value", "--output", "text").rstrip(
        "\n"
    )


def fetch_object(bucket: str, key: str, file: Path) -> None:
    """Writes an object of the site's bucket into `file`."""
    _aws(budgets.AWS_FETCH, "s3api", "get-object", "--bucket", bucket, "--key", key, str(file))


def target_health(arns: Sequence[str]) -> list[Target]:
    """What each of these target groups says of its targets. Unavailable where one of them cannot be asked, Damaged
    where one names no target: what the others say is not the whole.
    """
    found: list[Target] = []
    for arn in arns:
        said = _json(budgets.AWS, "elbv2", "describe-target-health", "--target-group-arn", arn)
        group = arn.split("/")[1] if "/" in arn else arn
        own = [
            Target(group, shape.filled(one, "Target", "Id"), shape.filled(one, "TargetHealth", "State"))
            for one in shape.items(said, "TargetHealthDescriptions")
        ]
        if not own:
            raise Damaged(f"the target group {group} names no target")
        found += own
    if not found:
        raise Damaged("the release names no target group")
    return found


def groups(stack: str) -> list[Group]:
    """The site's auto scaling groups. Damaged where there is none, or one is only half there: its instances would be
    taken for ended.
    """
    said = _json(
        budgets.AWS,
        "autoscaling",
        "describe-auto-scaling-groups",
        "--filters",
        f"Name=tag:twinhost:stack,Values={stack}",
    )
    found = [_group(one) for one in shape.items(said, "AutoScalingGroups")]
    if not found:
        raise Damaged("the site has no auto scaling group")
    return found


def _group(group: object) -> Group:
    tags = {shape.text(tag, "Key"): shape.maybe_text(tag, "Value") or "" for tag in shape.maybe_items(group, "Tags")}
    return Group(
        name=shape.filled(group, "AutoScalingGroupName"),
        role=tags.get("twinhost:role", ""),
        desired=shape.number(group, "DesiredCapacity"),
        suspended=tuple(shape.text(one, "ProcessName") for one in shape.items(group, "SuspendedProcesses")),
        instances=tuple(
            Instance(
                shape.filled(one, "InstanceId"), shape.filled(one, "LifecycleState"), shape.filled(one, "HealthStatus")
            )
            for one in shape.items(group, "Instances")
        ),
    )


def have_replaced(_: Lease, instance: str) -> None:
    """Its group terminates that instance and launches another one."""
    _aws(
        budgets.AWS,
        "autoscaling",
        "set-instance-health",
        "--instance-id",
        instance,
        "--health-status",
        "Unhealthy",
        "--no-should-respect-grace-period",
    )


def complete_lifecycle(group: str, instance: str) -> None:
    """Has the group's termination hook end at once instead of after its time-out."""
    _aws(
        budgets.AWS,
        "autoscaling",
        "complete-lifecycle-action",
        "--lifecycle-hook-name",
        "goodbye",
        "--auto-scaling-group-name",
        group,
        "--lifecycle-action-result",
        "CONTINUE",
        "--instance-id",
        instance,
    )


def secret_version(arn: str) -> str:
    """The id of the version that Secrets Manager calls the current one."""
    said = _json(budgets.AWS_OTHER, "secretsmanager", "describe-secret", "--region", _region(arn), "--secret-id", arn)
    for version, stages in shape.maybe_mapping(said, "VersionIdsToStages").items():
        if isinstance(stages, list) and "AWSCURRENT" in stages:
            return version
    raise Damaged(f"the secret {arn} has no current version")


def secret(arn: str, version: str | None = None, limit: float = budgets.AWS_OTHER) -> object:
    """The answer of GetSecretValue: a secret, which goes into no log, argument or file."""
    which = ["--version-id", version] if version else []
    return _json(limit, "secretsmanager", "get-secret-value", "--region", _region(arn), "--secret-id", arn, *which)


def registry_password(region: str, limit: float = budgets.AWS_OTHER) -> str:
    """A password for the account's registries in that region, good for 12 hours."""
    return _aws(limit, "ecr", "get-login-password", "--region", region).strip()


def put_metrics(namespace: str, data: Sequence[Mapping[str, object]]) -> None:
    _aws(
        budgets.AWS_OTHER,
        "cloudwatch",
        "put-metric-data",
        "--namespace",
        namespace,
        "--metric-data",
        shape.compact(list(data)),
    )


def _json(limit: float, *arguments: str) -> object:
    return shape.parse(_aws(limit, *arguments, "--output", "json"), f"the answer of aws {' '.join(arguments[:2])}")


def _aws(limit: float, *arguments: str) -> str:
    try:
        return run(["aws", *arguments], limit)
    except CommandFailed as failure:
        raise Unavailable(_reason(failure)) from failure


def _reason(failure: CommandFailed) -> str:
    """AWS's own line, which names the error, where there is one."""
    for line in failure.said.splitlines():
        if line.startswith("An error occurred"):
            return line.strip()
    return failure.reason


def _region(arn: str) -> str:
    return arn.split(":")[3]
