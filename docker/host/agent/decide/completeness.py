"""What is missing until a machine is all that it should be, in the order in which it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from agent import shape
from agent.decide import targets as balancer
from agent.decide.nodes import name_of
from agent.decide.targets import Target
from agent.errors import Damaged


@dataclass(frozen=True)
class Complete:
    """Nothing is missing, of what was asked for."""


@dataclass(frozen=True)
class Missing:
    reason: str


Completeness = Union[Complete, Missing]


def of_swarm(state: str) -> Completeness:
    """From the engine's state in its Swarm."""
    return Complete() if state == "active" else Missing("this machine is not active in the Swarm")


def of_managers(nodes: Sequence[object]) -> Completeness:
    """From the managers among the nodes, which only a leader lists. Damaged where there are none."""
    if not nodes:
        raise Damaged("Swarm has no managers")
    down = [name_of(node) for node in nodes if shape.maybe_text(node, "Status", "State") != "ready"]
    return Missing(f"these managers are down: {', '.join(down)}") if down else Complete()


def of_edge(tasks: Iterable[object], node: str) -> Completeness:
    """From the tasks of the edge, of which the youngest on this node counts."""
    own = [task for task in tasks if shape.maybe_text(task, "NodeID") == node]
    if not own:
        return Missing("the edge on this machine: no task yet")
    status = shape.mapping(max(reversed(own), key=lambda task: shape.maybe_text(task, "CreatedAt") or ""), "Status")
    state = shape.text(status, "State")
    error = shape.maybe_text(status, "Err")
    if error is None and state == "running":
        return Complete()
    return Missing(f"the edge on this machine: {state if error is None else error}")


def of_targets(targets: Sequence[Target], instance: str) -> Completeness:
    """From what the balancer says: every target group has to call this machine healthy."""
    if balancer.healthy(targets, instance):
        return Complete()
    own = [one for one in targets if one.instance == instance]
    healthy = sum(one.state == "healthy" for one in own)
    groups = len({one.group for one in targets})
    said = [f"{one.group} says {one.state}" for one in own if one.state != "healthy"]
    return Missing(", ".join([*said, f"{healthy} of {groups} target groups call it healthy"]))
