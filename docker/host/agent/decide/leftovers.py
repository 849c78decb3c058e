"""Which configs and secrets of the stack nothing needs any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent import shape
from agent.errors import Damaged


def in_use(services: Sequence[object]) -> set[str]:
    """The ids of the configs and secrets to which a service, or the state that it would roll back to, refers. Damaged
    where no service is named, or one cannot be read: everything would look as if nothing needed it.
    """
    if not services:
        raise Damaged("Swarm names no service")
    used: set[str] = set()
    for service in services:
        for spec in (shape.mapping(service, "Spec"), shape.maybe(service, "PreviousSpec")):
            container = shape.maybe(spec, "TaskTemplate", "ContainerSpec")
            used |= {shape.filled(one, "ConfigID") for one in shape.maybe_items(container, "Configs")}
            used |= {shape.filled(one, "SecretID") for one in shape.maybe_items(container, "Secrets")}
    return used


def unused(kept: Sequence[object], used: Collection[str]) -> list[str]:
    """Of the configs or secrets that Swarm keeps, the ids of those that nothing refers to."""
    ids = [shape.filled(one, "ID") for one in kept]
    return [id_ for id_ in ids if id_ not in used]
