"""A signal ends a release as any failure does: with its report, and with what it leaves put in order."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

# of the limit of a deploy, of a terminal that is closed, and of a person at one
_WORDS = {
    signal.SIGTERM: "was ended before it had an end of its own",
    signal.SIGHUP: "ended with status 129",
    signal.SIGINT: "ended with status 130",
}


class Ended(BaseException):
    """A signal came. No Problem and no Exception: nothing on the way takes it for something that may be tried again."""

    @property
    def reason(self) -> str:
        return str(self)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it, the first signal raises Ended, and no further one counts. What was ignored before still is."""
    before = {number: signal.getsignal(number) for number in _WORDS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Within it, a signal is kept for its end: what has begun here comes to its own."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _WORDS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        os.kill(os.getpid(), came[0])


def hand_over(folder: Path, *arguments: str) -> NoReturn:
    """Goes over to the code of the release in `folder`, whichever language it is in. Does not return."""
    sys.stdout.flush()
    # Python ignores it, and a shell that has begun so cannot be ended by it any more
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp("bash", ["bash", str(folder / "docker/host/release.sh"), *arguments])


def _end(number: int, _: FrameType | None) -> None:
    # the reader of what is said here may be gone; the end itself takes no further signal
    for each in _WORDS:
        signal.signal(each, signal.SIG_IGN)
    raise Ended(_WORDS[signal.Signals(number)])
