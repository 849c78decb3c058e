"""Whether a manager stands in for a leader that cannot read the record, and so may change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from agent.budgets import FRESH
from agent.decide.nodes import Node
from agent.decide.watch import Watched
from agent.errors import Damaged


def stands_in(nodes: Sequence[Node], watched: Watched, own: str) -> bool:
    """Whether the leader's heartbeat does not beat in the record, which this machine has watched for long enough to
    tell, and of the managers whose heartbeat does, `own` has been in the cluster for longest: one that has just joined
    waits for this very work. Damaged where Swarm does not say for how long.
    """
    beating = {one.instance for one in watched.managers if one.beats}
    managers = [node for node in nodes if node.manager and node.instance]
    candidates = [node for node in managers if node.instance in beating]
    if watched.watched <= FRESH or not candidates:
        return False
    if not any(node.leader and node.instance not in beating for node in managers):
        return False
    if not all(node.created for node in candidates):
        raise Damaged("Swarm does not say since when each manager is there")
    return min(candidates, key=lambda node: node.created).instance == own
