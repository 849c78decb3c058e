"""What may hang for ever, run in a child that is killed after its limit: every touch of the shared storage."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import time
from typing import Callable, TypeVar

from agent.errors import Problem, Unavailable

T = TypeVar("T")


def contained(limit: float, what: str, function: Callable[[], T], speaks: bool = False) -> T:
    """What `function` returns or the Problem that it raises, run in a child of this process. After `limit` seconds
    the child is killed, and Unavailable says that `what` did not answer: a process that hangs in the storage obeys
    nothing but SIGKILL. What the child has changed in memory is lost. What it says is in the log only where it
    `speaks`: who reads a log waits for all that could still write to it, also for what no signal ends.
    """
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise Unavailable(f"{what} could not be asked: {error.strerror}") from error
    if child == 0:
        _answer(writer, function, speaks)
    os.close(writer)
    try:
        answer = _read(reader, time.monotonic() + limit)
    finally:
        os.close(reader)
        _reap(child)
    if answer is None:
        raise Unavailable(f"{what} did not answer within {limit:g} s")
    if not answer:
        raise Unavailable(f"{what} could not be asked: the process that asked has died")
    succeeded, result = pickle.loads(answer)
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]


def _answer(writer: int, function: Callable[[], T], speaks: bool) -> None:
    """The child's whole life."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if not speaks:
            _fall_silent()
        try:
            answer = pickle.dumps((True, function()))
        except Problem as problem:
            answer = pickle.dumps((False, problem))
        except OSError as error:
            answer = pickle.dumps(
                (False, Unavailable(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")))
            )
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)


def _fall_silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        os.dup2(nowhere, output)


def _read(reader: int, limit: float) -> bytes | None:
    """All that comes until the other end is closed; None where that takes too long."""
    parts: list[bytes] = []
    while True:
        left = limit - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            return None
        part = os.read(reader, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _reap(child: int) -> None:
    """Kills the child and takes it in. One that hangs in the kernel all the same is left behind rather than waited
    for.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    for pause in (0, *[0.001] * 20, *[0.01] * 98):
        time.sleep(pause)
        try:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return
        except ChildProcessError:
            return
