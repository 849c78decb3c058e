"""Whether the application's replicas have to be spread over the hosts again: Swarm leaves them together on one host
when the other one comes back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent import shape
from agent.decide.nodes import Node, Task, is_updating

# the service's label that says that a spread is under way, and to how many replicas it returns
LABEL = "twinhost.spread"
_NUMBER = re.compile(r"[1-9][0-9]*")


def replicas_to_spread(
    nodes: Sequence[Node], tasks: Sequence[Task], service: object, only_on: str | None = None
) -> int | None:
    """The number of replicas to start one more beside, and to return to. None where nothing is to be spread: all is
    well, an update moves them anyway, no other host could take one, or they are together on another node than
    `only_on`. A spread that is under way, whoever has begun it, is always brought to its end.

    `service` is the application's service as the engine shows it, `tasks` are its tasks; Damaged where it is not whole.
    """
    begun = shape.maybe_text(service, "Spec", "Labels", LABEL)
    if begun is not None:
        return int(begun) if _NUMBER.fullmatch(begun) else None
    if is_updating(service):
        return None
    replicas = shape.maybe_number(service, "Spec", "Mode", "Replicated", "Replicas")
    if replicas is None or replicas < 2:
        return None
    on = [task.node for task in tasks if task.runs]
    if len(on) != replicas or len(set(on)) != 1:
        return None
    if only_on is not None and on[0] != only_on:
        return None
    others = [node for node in nodes if node.takes_tasks and node.id != on[0]]
    return replicas if others else None
