"""Whether the application's service may be given a fresh password now."""

from __future__ import annotations

from collections.abc import Sequence

from agent import shape
from agent.decide.nodes import is_updating

_NOT_PLACED = ("new", "allocated", "pending")


def rests(service: object, tasks: Sequence[object]) -> bool:
    """Whether nothing of it is on its way. What is on its way has a fresh password, and must stay the state that
    Swarm rolls back from. A task that waits for a host would wait for ever after an update that changes the service
    but not its tasks (https://github.com/moby/moby/issues/53722). Damaged where an answer is not whole.
    """
    if is_updating(service):
        return False
    return not any(
        shape.text(task, "DesiredState") == "running" and shape.text(task, "Status", "State") in _NOT_PLACED
        for task in tasks
    )
