"""The log of a machine: lines on standard output, which the launcher `twinhost` writes to the log file, too."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import datetime, timezone

from agent.words import plain

_names: list[str] = ["twinhost"]


def log(text: str) -> None:
    """One line, with the time and the verb that speaks. A reader who has gone is no reason to end."""
    line = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} {_names[-1]}: {text}\n"
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(line)
        sys.stdout.flush()


@contextlib.contextmanager
def speaking_as(name: str) -> Iterator[None]:
    """Within it, log lines carry this name."""
    _names.append(name)
    try:
        yield
    finally:
        _names.pop()


def quote(name: str, text: str) -> None:
    """What another program has said: plain, with NAME before each line, so that none can pass for one of ours."""
    with contextlib.suppress(BrokenPipeError):
        for line in plain(text).splitlines():
            sys.stdout.write(f"  {name}: {line}\n")
        sys.stdout.flush()
