"""Removes the configs and secrets of the stack that nothing needs any more."""

from __future__ import annotations

import contextlib

from agent import shape
from agent.context import Context
from agent.decide import leftovers
from agent.decide.convergence import Converged
from agent.decide.stack import OF_STACK
from agent.engine import filters
from agent.errors import Unavailable

_QUERY = filters({"label": OF_STACK})


def remove_leftovers(_: Converged, context: Context) -> None:
    """Removes those to which neither a service nor the state that it would roll back to refers. Unavailable or Damaged,
    with everything left as it is, where Swarm does not say what its services refer to.
    """
    engine = context.engine
    used = leftovers.in_use(engine.services())
    for kind in ("configs", "secrets"):
        for id_ in leftovers.unused(shape.items(engine.get(f"/{kind}?{_QUERY}")), used):
            # what Swarm still needs it does not remove
            with contextlib.suppress(Unavailable):
                engine.delete(f"/{kind}/{id_}")
