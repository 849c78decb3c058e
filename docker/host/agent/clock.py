"""Time on this machine's own clock, and waiting."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable, Protocol, TypeVar

from agent.errors import NotYet, TimedOut, Unavailable
from agent.log import log
from agent.process import run

T = TypeVar("T")
# of the command `sleep`, beyond what it is to sleep
_LATE = 60


class Clock(Protocol):
    def uptime(self) -> int:
        """Seconds since this machine's start. Wall clocks differ between machines and jump: nothing is decided by
        them.
        """

    def sleep(self, seconds: float) -> None: ...


class MachineClock:
    """The clock of the machine whose root is `root`. Below a root that is not /, as in tests, time passes only where
    somebody sleeps: with the command `sleep` of that machine.
    """

    def __init__(self, root: Path) -> None:
        self._uptime = root / "proc/uptime"
        self._own = root == Path("/")

    def uptime(self) -> int:
        return int(self._uptime.read_text().split(".")[0])

    def sleep(self, seconds: float) -> None:
        if self._own:
            time.sleep(seconds)
        else:
            run(["sleep", f"{seconds:g}"], seconds + _LATE)


def wait_for(clock: Clock, seconds: int, what: str, attempt: Callable[[], T], pace: float = 1) -> T:
    """What `attempt` returns, tried every `pace` seconds for as long as it raises NotYet or Unavailable. Their reason
    is what it still waits for: it is logged when it changes, and is part of the reason when the time is over
    (TimedOut). Hopeless, and any other error, ends the wait at once.
    """
    limit = clock.uptime() + seconds
    said = ""
    while True:
        try:
            return attempt()
        except (NotYet, Unavailable) as problem:
            still = problem.reason
        if still != said:
            log(f"waits for {what}{still and f': {still}'}")
        said = still
        if clock.uptime() >= limit:
            raise TimedOut(f"waited {seconds} s for {what}{still and f', last: {still}'}")
        clock.sleep(pace)
