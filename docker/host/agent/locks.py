"""Locks between the runs of verbs on this machine: flock(2) on files of a folder that is gone with a restart. A lock
ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from agent.errors import Refused

# how often a lock that another run holds is tried again
_PACE = 0.1
_open: set[int] = set()


@contextlib.contextmanager
def held(file: Path, wait: float) -> Iterator[None]:
    """Within it, this run holds the lock. Refused where another run holds it for longer than `wait` seconds."""
    limit = time.monotonic() + wait
    with _opened(file) as descriptor:
        while not _taken(descriptor):
            if time.monotonic() >= limit:
                raise Refused(f"waited {wait:g} s for another run of this verb")
            time.sleep(_PACE)
        yield


@contextlib.contextmanager
def try_held(file: Path) -> Iterator[bool]:
    """Whether this run got the lock at once; if so, it holds it within."""
    with _opened(file) as descriptor:
        yield _taken(descriptor)


def is_free(file: Path) -> bool:
    """Whether no run holds the lock now; so it is where there is no such file. Two that ask at once do not disturb
    each other.
    """
    if not file.exists():
        return True
    with _opened(file) as descriptor:
        return _taken(descriptor, fcntl.LOCK_SH)


def open_locks() -> tuple[int, ...]:
    """The descriptors of the locks of this run. A child that is given them keeps the locks, whatever becomes of this
    run.
    """
    return tuple(_open)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _open.add(descriptor)
    try:
        yield descriptor
    finally:
        _open.discard(descriptor)
        os.close(descriptor)


def _taken(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leave_to_the_parent() -> None:
    """A child shares its parent's locks: one that hangs in the storage would keep them when the parent has ended."""
    for descriptor in _open:
        os.close(descriptor)
    _open.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)
