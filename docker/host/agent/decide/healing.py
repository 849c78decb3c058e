"""What the one who leads the Swarm does next: nodes to remove, and a machine that its group has to replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent import shape
from agent.budgets import Limits
from agent.decide.groups import Group, Instance
from agent.decide.nodes import Node
from agent.decide.targets import Target, serves, spare


@dataclass(frozen=True)
class Since:
    """Since when each node is down, and each instance is missing in the Swarm, on this machine's own clock."""

    down: Mapping[str, int]
    missing: Mapping[str, int]

    def json(self) -> dict[str, object]:
        return {"down": dict(self.down), "missing": dict(self.missing)}

    @staticmethod
    def parse(value: object) -> Since:
        return Since(_times(value, "down"), _times(value, "missing"))


NOTHING_SINCE = Since({}, {})


@dataclass(frozen=True)
class Removal:
    """A node to remove. `ended`: the instance that is gone with it, if one is, which the record forgets."""

    node: Node
    ended: str | None
    why: str


@dataclass(frozen=True)
class Replace:
    """That instance is to be replaced by its group: `plan` alone says so."""

    instance: str
    why: str


@dataclass(frozen=True)
class Postponed:
    """Something should be replaced, and may not be now."""

    reason: str


@dataclass(frozen=True)
class Plan:
    """`replacement` is None where nothing has to be replaced."""

    since: Since
    removals: tuple[Removal, ...]
    replacement: Replace | Postponed | None


def all_there(nodes: Sequence[Node], managers: int) -> bool:
    """Whether every node is ready and no manager is missing: then there is nothing to ask AWS for."""
    return all(node.ready for node in nodes) and sum(node.manager for node in nodes) >= managers


def plan(
    nodes: Sequence[Node],
    groups: Sequence[Group] | None,
    targets: Sequence[Target],
    own: str,
    since: Since,
    now: int,
    limits: Limits,
) -> Plan:
    """What follows from what is seen.

    `groups` is None where they were not asked, or could not be; `targets` is empty where the balancer cannot be asked.
    `own` is this machine's instance: a list without it was not asked rightly, and proves nothing of others. Of a node
    that does not say which machine it is nothing is known, so nothing is done about it.
    """
    listed = [instance for group in groups or () for instance in group.instances]
    asked = any(instance.id == own for instance in listed)
    known = {node.instance for node in nodes}
    now_since = Since(
        {node.id: since.down.get(node.id, now) for node in nodes if node.down},
        {
            one.id: since.missing.get(one.id, now)
            for one in listed
            if one.state == "InService" and one.id not in known and one.id != own
        },
    )
    removals = _removals(nodes, listed if asked else None)
    removed = {removal.node.id for removal in removals}
    wanted = [
        Replace(node.instance, f"Swarm has called {node.name} down for {now - now_since.down[node.id]} s")
        for node in nodes
        if node.down and node.instance and node.id not in removed and now - now_since.down[node.id] >= limits.down
    ] + [
        Replace(instance, f"it has not been in the Swarm for {now - start} s")
        for instance, start in now_since.missing.items()
        if now - start >= limits.missing
    ]
    return Plan(now_since, removals, _replacement(wanted, groups if asked else None, targets))


def _removals(nodes: Sequence[Node], listed: Sequence[Instance] | None) -> tuple[Removal, ...]:
    """`listed` is None where nothing is known of the groups."""
    alive = {node.instance for node in nodes if node.ready}
    removals: list[Removal] = []
    for node in nodes:
        if not node.down or not node.instance:
            continue
        if node.instance in alive:
            removals.append(Removal(node, None, "its machine is in the Swarm as another node"))
        elif listed is not None and _has_ended(node.instance, listed):
            removals.append(Removal(node, node.instance, f"its instance {node.instance} is gone"))
    return tuple(removals)


def _has_ended(instance: str, listed: Sequence[Instance]) -> bool:
    found = [one for one in listed if one.id == instance]
    return not found or any(one.ended for one in found)


def _replacement(
    wanted: Sequence[Replace], groups: Sequence[Group] | None, targets: Sequence[Target]
) -> Replace | Postponed | None:
    if not wanted:
        return None
    # one that clients are served by comes last
    first = min(wanted, key=lambda one: serves(targets, one.instance))
    hindrance = _hindrance(first.instance, groups, targets)
    if hindrance is None:
        return first
    return Postponed(f"{first.instance} should be replaced, because {first.why}, but {hindrance}")


def _hindrance(instance: str, groups: Sequence[Group] | None, targets: Sequence[Target]) -> str | None:
    """Why nothing may be replaced now; None where that instance may be."""
    if groups is None:
        return "the auto scaling groups cannot be asked"
    if any(process in group.suspended for group in groups for process in ("ReplaceUnhealthy", "HealthCheck")):
        return "the groups are being updated"
    listed = [instance for group in groups for instance in group.instances]
    if not all(one.serves for one in listed):
        return "another machine is being replaced"
    if any(len(group.instances) < group.desired for group in groups):
        return "another machine is being launched"
    if not targets:
        return "the balancer cannot be asked"
    if not spare(targets, instance, [one.id for one in listed]):
        return "it is the last one that the balancer calls healthy"
    return None


def _times(value: object, name: str) -> dict[str, int]:
    return {key: shape.number(time) for key, time in shape.mapping(value, name).items()}
