"""Whether every host has an image, by the tasks of a service that has them pull it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent import shape
from agent.decide.convergence import is_active_host
from agent.decide.nodes import name_of
from agent.words import one_line

# the containers of that service cannot start: of what is pulled Swarm says that it has failed
# https://github.com/moby/swarmkit/blob/master/agent/exec/controller.go, Do
_PULLED = ("running", "complete", "failed")


@dataclass(frozen=True)
class Pulled:
    """Every host has it."""


@dataclass(frozen=True)
class Missing:
    """Not every host has it yet, or it is not known."""

    reason: str


@dataclass(frozen=True)
class Rejected:
    """A host cannot pull it."""

    reason: str


def pulled(nodes: Sequence[object], tasks: Sequence[object]) -> Pulled | Missing | Rejected:
    """What these answers of the Engine API say; Damaged where one cannot be read."""
    rejected: list[str] = []
    missing: list[str] = []
    hosts = [node for node in nodes if is_active_host(node)]
    for host in hosts:
        id_ = shape.filled(host, "ID")
        name = name_of(host)
        own = [task for task in tasks if shape.maybe_text(task, "NodeID") == id_]
        newest = max(own, key=lambda task: shape.maybe_text(task, "CreatedAt") or "", default=None)
        state = None if newest is None else shape.text(newest, "Status", "State")
        if state == "rejected":
            rejected.append(f"{name}: {one_line(shape.maybe_text(newest, 'Status', 'Err') or '')}")
        elif state not in _PULLED:
            missing.append(name)
    if rejected:
        return Rejected(f"rejected by {'; '.join(rejected)}")
    if not hosts:
        return Missing("Swarm names no host that is ready")
    return Missing(f"it is not yet on {', '.join(missing)}") if missing else Pulled()
