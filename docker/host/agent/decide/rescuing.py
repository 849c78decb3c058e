"""What a manager does when nobody has seen a leader for long: it has one of the lost managers replaced, because only a
fresh machine founds. One survivor does it, the one that claims the rescue; another may follow as long afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.decide.groups import Group
from agent.decide.targets import Target, spare
from agent.decide.watch import Watched

_PROCESS = "ReplaceUnhealthy"


@dataclass(frozen=True)
class Rescue:
    """That instance is to be replaced, after the rescue of that number was claimed: `rescue` alone says so."""

    instance: str
    number: int


def leaderless(watched: Watched) -> int:
    """For how many seconds no manager has seen a leader, as far as this machine has watched."""
    return min([watched.watched, *(one.led for one in watched.managers if one.led is not None)])


def is_due(watched: Watched, since_last: int, limit: int) -> bool:
    """Whether a rescue is due: `limit` seconds without a leader, and as long since the rescue before.

    `since_last`: for how many seconds this machine has seen the record at the same number of rescues.
    """
    return leaderless(watched) >= limit and (watched.record.rescues == 0 or since_last >= limit)


def rescue(watched: Watched, groups: Sequence[Group], targets: Sequence[Target], own: str) -> Rescue | None:
    """The lost manager to replace, the witness first. None where none may be: no heartbeat is lost, a machine is on its
    way or its group is being updated, or the last one that serves would go.
    """
    listed = [(group, instance) for group in groups for instance in group.instances]
    if not all(instance.serves for _, instance in listed):
        return None
    if any(len(group.instances) < group.desired for group in groups):
        return None
    everyone = [instance.id for _, instance in listed]
    lost = [one.instance for one in watched.managers if one.instance != own and not one.beats]
    found = [
        (group.role != "witness", manager)
        for manager in lost
        for group, instance in listed
        if instance.id == manager and _PROCESS not in group.suspended and spare(targets, manager, everyone)
    ]
    if not found:
        return None
    _, instance_id = min(found, key=lambda one: one[0])
    return Rescue(instance_id, watched.record.rescues + 1)
