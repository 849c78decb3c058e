"""Which service Swarm has forgotten: nothing of it runs though a host could take it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.decide.nodes import Node, Task


def pending_service(nodes: Sequence[Node], tasks: Sequence[Task]) -> str | None:
    """The first service of which every task that should run is pending; None where there is none, or no host takes
    tasks.
    """
    if not any(node.takes_tasks for node in nodes):
        return None
    states: dict[str, set[str]] = {}
    for task in tasks:
        if task.desired == "running" and task.service:
            states.setdefault(task.service, set()).add(task.state)
    return min((service for service, found in states.items() if found == {"pending"}), default=None)
