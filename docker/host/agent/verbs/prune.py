"""twinhost prune: removes the images that nothing needs."""

from __future__ import annotations

import contextlib

from agent import shape
from agent.context import Context
from agent.decide.pruning import unneeded
from agent.errors import Refused, Unavailable
from agent.process import run as call

# seconds for the removal of an image
_REMOVAL = 60


def run(context: Context, _: list[str]) -> None:
    """What is not known to be needless stays: an answer that is missing, or not whole, ends the verb."""
    engine = context.engine
    try:
        services = engine.services()
    except Unavailable:
        raise Refused("removes nothing: no leader of the Swarm says what its services need") from None
    containers = shape.items(engine.get("/containers/json?all=true"))
    images = shape.items(engine.get("/images/json"))
    for image in unneeded(images, services, containers):
        _remove(image)


def _remove(image: str) -> None:
    """One that is used since, or that somebody holds by a tag, stays."""
    with contextlib.suppress(Unavailable):
        call(["docker", "image", "rm", "--force", image], _REMOVAL)
