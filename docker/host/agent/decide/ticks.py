"""When a tick of the resident agent begins, when it is ended, and whether all of them are well."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

# a tick that is told to end has so many seconds, in which it ends its programs, before it is killed
GRACE = 12
# so much later than it has to may a tick end before it counts as hanging: a machine may be busy
SLACK = 5


@dataclass(frozen=True)
class Tick:
    """What is done again and again: `period` seconds after it has ended, each time within `limit` seconds."""

    name: str
    period: float
    limit: float


@dataclass(frozen=True)
class Progress:
    """Of one tick, on this machine's own clock."""

    # when it is to begin
    due: float
    # when it came to its end the last time, by itself; at first when the agent began
    ended: float
    # when the run that is under way has begun
    began: float | None = None


class Step(enum.Enum):
    WAIT = enum.auto()
    BEGIN = enum.auto()
    END = enum.auto()
    KILL = enum.auto()


def step(tick: Tick, progress: Progress, now: float, asked: bool) -> Step:
    """What to do about a tick now; `asked`: it is wanted at once."""
    if progress.began is None:
        return Step.BEGIN if asked or now >= progress.due else Step.WAIT
    over = now - progress.began - tick.limit
    if over >= GRACE:
        return Step.KILL
    return Step.END if over >= 0 else Step.WAIT


def begun(progress: Progress, now: float) -> Progress:
    return Progress(progress.due, progress.ended, now)


def over(tick: Tick, progress: Progress, now: float, by_itself: bool) -> Progress:
    """After a run: one that had to be ended does not count as one that came to its end."""
    return Progress(now + tick.period, now if by_itself else progress.ended)


def well(ticks: Iterable[tuple[Tick, Progress]], now: float) -> bool:
    """Whether each tick has come to its end as lately as it has to."""
    return all(now - progress.ended <= tick.period + tick.limit + SLACK for tick, progress in ticks)
