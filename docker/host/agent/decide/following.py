"""Whether a machine that is in another cluster than the recorded one leaves its own and joins that, and whether its
own is one that the record was to have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.decide.cluster_record import Record
from agent.decide.targets import Target, spare
from agent.decide.watch import Wait, Watched


@dataclass(frozen=True)
class Follow:
    """The recorded cluster lives, and this machine may leave its own: `next_step` alone says so."""

    generation: int


def has_founded(record: Record, own: str, noted: str | None, cluster: str | None) -> bool:
    """Whether this machine has founded the current generation and was cut short before the record got the cluster's
    id: it has claimed it, which only a machine without a Swarm does, and now leads the cluster that it has noted.

    `cluster` is the one in which this machine sees a leader.
    """
    return not record.cluster and record.founder == own and cluster is not None and cluster == noted


def next_step(watched: Watched, own: str, is_host: bool, targets: Sequence[Target]) -> Follow | Wait:
    """A machine follows when a manager of the recorded cluster sees a leader. A host that clients are served by also
    waits until another one of that cluster serves them: it may be the last. `targets` is empty where the balancer
    cannot be asked: then no host goes.
    """
    if not watched.sees_leader:
        return Wait("the record names another cluster, of which no manager sees a leader yet")
    if is_host and not spare(targets, own, [one.instance for one in watched.managers]):
        return Wait("the record names another cluster, of which no host is healthy yet")
    return Follow(watched.record.generation)
