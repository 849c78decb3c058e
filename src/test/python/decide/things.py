"""Nodes, groups, targets and a watched record, as the tests of decisions write them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.decide.cluster_record import Manager, Record
from agent.decide.groups import Group, Instance
from agent.decide.nodes import Node, Task
from agent.decide.targets import Target
from agent.decide.watch import Watched, WatchedManager


def node(
    name: str,
    instance: str,
    state: str = "ready",
    role: str = "host",
    *,
    leader: bool = False,
    manager: bool = True,
    created: str = "2026-01-02T03:04:05Z",
) -> Node:
    availability = "active" if role == "host" else "drain"
    return Node(name, name, instance, role, state, availability, created, manager, leader)


def tasks(*on: str, service: str = "s", state: str = "running") -> list[Task]:
    return [Task(service, one, "running", state) for one in on]


def instance(name: str, state: str = "InService", health: str = "Healthy") -> Instance:
    return Instance(name, state, health)


def group(role: str, *instances: Instance, desired: int | None = None, suspended: Sequence[str] = ()) -> Group:
    return Group(f"{role}s", role, len(instances) if desired is None else desired, tuple(suspended), instances)


def targets(**states: str) -> list[Target]:
    """What both target groups call the instances: i_0a for i-0a."""
    return [Target(name, one.replace("_", "-"), state) for name in ("http", "https") for one, state in states.items()]


def watched(
    *managers: tuple[str, int | None, int | None], since: int = 1000, rescues: int = 0, cluster: str = "cluster-a"
) -> Watched:
    """Each manager as (instance, still, led)."""
    found = [WatchedManager(Manager(one, 7, led is not None, "10.0.0.9"), still, led) for one, still, led in managers]
    record = Record(1, "i-0a", cluster, "", rescues, tuple(one.manager for one in found))
    return Watched(record, since, tuple(found))
