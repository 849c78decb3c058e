"""The lock of the cluster, of which one release at a time has hold: who may take it from whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent import shape


@dataclass(frozen=True)
class Holder:
    """The machine that has the lock, for less than `limit` seconds, by the config that stands for it."""

    config: str
    instance: str
    limit: int


def find_holder(configs: Sequence[object], name: str, limit: int) -> Holder | None:
    """Who has the lock, as Swarm's configs say; None where nobody has. `limit` is for a holder that names none."""
    for config in configs:
        if shape.maybe_text(config, "Spec", "Name") == name:
            own = shape.maybe_text(config, "Spec", "Labels", "twinhost.limit") or ""
            return Holder(
                shape.filled(config, "ID"),
                shape.filled(config, "Spec", "Labels", "twinhost.instance"),
                int(own) if own.isascii() and own.isdecimal() else limit,
            )
    return None


def is_gone(nodes: Sequence[object], instance: str) -> bool:
    """Whether Swarm says that no node that is ready is that machine; where it names no node, nobody is gone."""
    return bool(nodes) and not any(
        shape.maybe_text(node, "Description", "Engine", "Labels", "twinhost.instance") == instance
        and shape.text(node, "Status", "State") == "ready"
        for node in nodes
    )


def is_left_behind(holder: Holder, own: str, gone: bool, first_seen: int | None, now: int) -> bool:
    """Whether the lock is nobody's any more: of this machine itself, which runs one release at a time, of one that is
    gone, or of one that has had it for longer than its release can take. `first_seen` is when this release saw that
    holder first, None where it has not before.
    """
    return holder.instance == own or gone or (first_seen is not None and now - first_seen > holder.limit)
