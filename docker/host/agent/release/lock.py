"""One release at a time in the whole cluster, whichever machines they start on: Swarm lets a config's name be taken
once.

  <volatile>/turn       the config by which this machine has the lock
  <volatile>/turn-seen  another one's, and when this machine saw it first, on its own clock
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import NoReturn

from agent import budgets, files, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.cluster_lock import find_holder, is_gone, is_left_behind
from agent.decide.stack import RELEASE_LOCK
from agent.engine import filters
from agent.errors import Damaged, Hopeless, NotYet, Unavailable
from agent.release.ending import signals_wait
from agent.release.waiting import whole


@contextlib.contextmanager
def cluster_lock(context: Context, limit: int) -> Iterator[bool]:
    """Within it, this release has the lock. Says whether another one had it first: then much may have changed since.
    `limit`: seconds within which a release gives the lock back. TimedOut where another one had it for all that time.
    """
    seen = context.machine.paths.volatile / "turn-seen"
    seen.unlink(missing_ok=True)
    taken: list[str] = []
    attempt = whole(lambda: _take(context, limit, taken))
    try:
        wait_for(context.clock, limit + budgets.LOCK, "another release to end", attempt)
        yield seen.exists()
    finally:
        for config in taken:
            _give_back(context, config)


def _take(context: Context, limit: int, taken: list[str]) -> None:
    """Adds the config that stands for the lock to `taken`. NotYet where another machine has it, Hopeless where Swarm
    does not say.
    """
    instance, _ = context.machine.identity()
    labels = {"twinhost.instance": instance, "twinhost.limit": str(limit)}
    body = {"Name": RELEASE_LOCK, "Labels": labels, "Data": base64.b64encode(instance.encode()).decode()}
    try:
        # who is ended meanwhile knows what to give back
        with signals_wait():
            taken.append(shape.filled(context.engine.post("/configs/create", body), "ID"))
    except Unavailable as refusal:
        if "already exists" not in refusal.reason and "AlreadyExists" not in refusal.reason:
            raise Hopeless(refusal.reason) from None
        _wait_for_holder(context, instance, limit)
    files.write(context.machine.paths.volatile / "turn", f"{taken[-1]}\n")


def _wait_for_holder(context: Context, own: str, limit: int) -> NoReturn:
    """Always raises NotYet, with the machine that has the lock; one that is left behind is taken from it."""
    configs = shape.items(context.engine.get(f"/configs?{filters({'name': RELEASE_LOCK})}"))
    holder = find_holder(configs, RELEASE_LOCK, limit)
    if holder is None:
        raise NotYet("")
    now = context.clock.uptime()
    first_seen = _first_seen(context, holder.config, now)
    if is_left_behind(holder, own, _gone(context, holder.instance), first_seen, now):
        # it may be gone already
        with contextlib.suppress(Unavailable):
            context.engine.delete(f"/configs/{holder.config}")
        raise NotYet("")
    raise NotYet(f"{holder.instance} applies one")


def _first_seen(context: Context, config: str, now: int) -> int | None:
    """When this release saw that config first; None where this is the first time, which is noted."""
    file = context.machine.paths.volatile / "turn-seen"
    words = (files.read(file) or "").split()
    if len(words) == 2 and words[0] == config and words[1].isdecimal():
        return int(words[1])
    files.write(file, f"{config} {now}\n")
    return None


def _gone(context: Context, instance: str) -> bool:
    """Whether that machine is in the Swarm no more; where Swarm does not say so, it is there, and keeps the lock."""
    try:
        return is_gone(context.engine.nodes(), instance)
    except (Unavailable, Damaged):
        return False


def _give_back(context: Context, config: str) -> None:
    """Where Swarm does not take it, the next release finds that it is this machine's, or has had its time."""
    with contextlib.suppress(Unavailable):
        context.engine.delete(f"/configs/{config}")
    (context.machine.paths.volatile / "turn").unlink(missing_ok=True)
