"""The right to change anything. Whatever changes the cluster, the site or another machine takes a Lease, and only
this room makes one: from a record that was read within LEASE seconds and names this machine's own cluster. No other
way leads to an action, and no failure on the way to one is a yes.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent import budgets
from agent.decide.cluster_record import Seen
from agent.errors import Damaged, NotAllowed
from agent.machine import Machine
from agent.record import last_seen

_MAKER = object()


@dataclass(frozen=True)
class Lease:
    """Permission to act for this generation of the cluster. Who has waited for minutes since asks for another one."""

    generation: int
    cluster: str
    _maker: object

    def __post_init__(self) -> None:
        if self._maker is not _MAKER:
            raise TypeError("a lease is made by agent.lease alone")


def decide(seen: Seen | None, own: str | None, now: int) -> Lease:
    """The lease that follows from `seen`, this machine's last look at the record; NotAllowed with the reason
    otherwise.
    """
    if not own:
        raise NotAllowed("this machine is in no cluster")
    if seen is None:
        raise NotAllowed("the cluster record was not read since this machine started")
    age = now - seen.read
    if age < 0:
        raise NotAllowed("what was read of the cluster record cannot be understood")
    if age > budgets.LEASE:
        raise NotAllowed(f"the cluster record was last read {age} s ago")
    if seen.record.cluster != own:
        raise NotAllowed("the cluster record names another cluster than the one of this machine")
    return Lease(seen.record.generation, own, _MAKER)


def lease(machine: Machine) -> Lease:
    """The lease of this machine now, from what it read of the record last."""
    try:
        seen = last_seen(machine.paths)
    except (Damaged, OSError):
        raise NotAllowed("what was read of the cluster record cannot be understood") from None
    return decide(seen, machine.own_cluster(), machine.clock.uptime())
