"""In which generation a manager's heartbeat beats, and whether it says that it sees a leader."""

from __future__ import annotations

from dataclasses import dataclass

from agent import shape
from agent.decide.cluster_record import Record


@dataclass(frozen=True)
class Membership:
    """What this machine's engine says of its place in a Swarm. `cluster` is None where it sees no leader."""

    manager: bool
    cluster: str | None


@dataclass(frozen=True)
class Beat:
    generation: int
    leader: bool


# an engine that waits for a leader may not say more
UNKNOWN = Membership(True, None)


def membership(info: object) -> Membership:
    """By the engine's answer of /info."""
    return Membership(
        shape.maybe_truth(info, "Swarm", "ControlAvailable") is True,
        shape.maybe_text(info, "Swarm", "Cluster", "ID") or None,
    )


def beat(record: Record, member: Membership, noted: str | None, own: str, founding: bool) -> Beat | None:
    """The heartbeat of `own`; None where it stands still: of a machine that is no manager, or none of the recorded
    cluster. A founder's beats from its claim on, for as long as it founds. `noted` is the cluster that this machine
    joined last, which counts while it sees no leader.
    """
    if not record.cluster:
        if record.founder != own or not founding:
            return None
        return Beat(record.generation, member.manager and member.cluster is not None)
    if not member.manager or record.cluster != (member.cluster or noted):
        return None
    return Beat(record.generation, member.cluster is not None)
