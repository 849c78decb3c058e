"""The secrets of the application: Swarm holds what Secrets Manager calls the current value.

<volatile>/secrets  those that the application has had so far, a line each: its name for the application, a tab, and
                    its name in Swarm; by it the way back finds them, whatever has become of them in Secrets Manager
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import partial

from agent import aws, budgets, files, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.stack import APPLICATION, LABEL, STACK
from agent.engine import filters
from agent.errors import Unavailable
from agent.lease import Lease
from agent.machine import Settings
from agent.release.waiting import whole


def note_secrets(context: Context) -> None:
    """Notes those that the application has, before this release changes that."""
    lines: list[str] = []
    for service in context.engine.services(name=APPLICATION):
        if shape.text(service, "Spec", "Name") == APPLICATION:
            for secret in shape.maybe_items(service, "Spec", "TaskTemplate", "ContainerSpec", "Secrets"):
                name, in_swarm = shape.maybe_text(secret, "File", "Name"), shape.maybe_text(secret, "SecretName")
                # the way back brings one without a name from Secrets Manager
                if name and in_swarm:
                    lines.append(f"{name}\t{in_swarm}\n")
    files.write(context.machine.paths.volatile / "secrets", "".join(lines))


def noted_secrets(context: Context) -> Mapping[str, str]:
    """Those that the application has had so far; nothing where that was not noted since this machine started."""
    kept = files.read(context.machine.paths.volatile / "secrets") or ""
    pairs = (line.split("\t") for line in kept.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and all(pair)}


def bring_secrets(_: Lease, context: Context, settings: Settings, had: Mapping[str, str]) -> dict[str, str]:
    """Has Swarm hold all that the application reads, and returns their names there. Of those that it `had`, the same
    ones. A permission that came with this very deploy may take a moment to be known everywhere.
    """
    wanted = shape.mapping(shape.parse(settings["TWINHOST_APP_SECRETS"], "TWINHOST_APP_SECRETS"))
    found: dict[str, str] = {}
    for name in wanted:
        arn = shape.filled(wanted, name)
        found[name] = had.get(name) or wait_for(
            context.clock,
            budgets.SECRET,
            f"the secret {name}",
            whole(partial(_bring, context, name, arn), f"the secret {name} cannot be read"),
        )
    return found


def _bring(context: Context, name: str, arn: str) -> str:
    """The name in Swarm is a hash of the version, which says nothing about the value. That is in memory alone, and is
    fetched only where Swarm does not have it.
    """
    version = aws.secret_version(arn)
    in_swarm = f"app_{name}_{hashlib.sha256(f'{arn} {version}'.encode()).hexdigest()[:16]}"
    if _has(context, in_swarm):
        return in_swarm
    body = {
        "Name": in_swarm,
        "Labels": {LABEL: STACK},
        "Data": _encoded(aws.secret(arn, version)),
    }
    try:
        context.engine.post("/secrets/create", body)
    except Unavailable:
        # another machine may have made it at the same time
        if not _has(context, in_swarm):
            raise
    return in_swarm


def _encoded(value: object) -> str:
    """As the Engine API takes it; Secrets Manager has what is binary in this form already."""
    text = shape.maybe_text(value, "SecretString")
    return shape.filled(value, "SecretBinary") if text is None else base64.b64encode(text.encode()).decode()


def _has(context: Context, name: str) -> bool:
    found = shape.items(context.engine.get(f"/secrets?{filters({'name': name})}"))
    return any(shape.maybe_text(one, "Spec", "Name") == name for one in found)
