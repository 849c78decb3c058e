"""Runs ticks for ever. Each run is a child of this process, which is ended at its limit: one that hangs or dies holds
up no other. This process itself touches nothing that may hang.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NoReturn

from agent import budgets
from agent.context import Context
from agent.decide import ticks
from agent.decide.ticks import Progress, Step, Tick
from agent.errors import Problem
from agent.log import log, speaking_as
from agent.notify import ALIVE, Notifier
from agent.words import last_line

# seconds between two looks
PACE = 1
# of a reason, what a pipe takes in one step
_LONGEST = 4000


@dataclass
class Job:
    """A tick, and how it stands with it."""

    tick: Tick
    run: Callable[[Context], object]
    progress: Progress
    child: int = 0
    reader: int = -1
    # wanted at once
    asked: bool = False
    # told to end
    ended: bool = False
    # why it failed the last time: said once, until it changes
    failed: str = ""


def run_ticks(
    jobs: Sequence[Job],
    context: Callable[[], Context],
    look: Callable[[], bool],
    notifier: Notifier,
) -> None:
    """Runs the jobs until `look`, which is called before each round and may ask for jobs, says no. Each run gets the
    context of its time. Systemd's watchdog gets a report for as long as every tick comes to its end in time.
    """
    reported = float("-inf")
    while look():
        now = time.monotonic()
        for job in jobs:
            _advance(job, context, now)
        if now - reported >= budgets.REPORT_ALIVE and ticks.well(((job.tick, job.progress) for job in jobs), now):
            notifier.report(ALIVE)
            reported = now
        time.sleep(PACE)


def end_all(jobs: Sequence[Job], limit: float) -> None:
    """Has every run end; kills what has not after `limit` seconds."""
    for job in jobs:
        _signal(job, signal.SIGTERM)
    end = time.monotonic() + limit
    while any(job.child and not _reap(job) for job in jobs) and time.monotonic() < end:
        time.sleep(0.05)
    for job in jobs:
        _signal(job, signal.SIGKILL)


def _advance(job: Job, context: Callable[[], Context], now: float) -> None:
    if job.child and not _reap(job):
        step = ticks.step(job.tick, job.progress, now, job.asked)
        if step is Step.KILL:
            _signal(job, signal.SIGKILL)
        elif step is Step.END and not job.ended:
            job.ended = True
            _signal(job, signal.SIGTERM)
        return
    if ticks.step(job.tick, job.progress, now, job.asked) is Step.BEGIN:
        job.asked = False
        _begin(job, context, now)


def _begin(job: Job, context: Callable[[], Context], now: float) -> None:
    job.ended = False
    try:
        given = context()
    except Problem as problem:
        _say(job, problem.reason)
        job.progress = ticks.over(job.tick, job.progress, now, True)
        return
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _live(job, given, writer)
    os.close(writer)
    job.child, job.reader, job.progress = child, reader, ticks.begun(job.progress, now)


def _live(job: Job, context: Context, writer: int) -> NoReturn:
    """A run's whole life, in the child."""
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, _end)
        with speaking_as(job.tick.name):
            reason = _run(job, context)
        os.write(writer, reason.encode()[:_LONGEST])
    finally:
        os._exit(0)


def _end(*_: object) -> NoReturn:
    """Once: what it interrupts ends its programs."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def _run(job: Job, context: Context) -> str:
    """Why it failed; empty where it did not."""
    try:
        job.run(context)
    except Problem as problem:
        _say(job, problem.reason)
        return job.failed
    except Exception:
        # a defect, or a disk that is full: this run ends with it, as any verb does; where it happened, once
        trace = traceback.format_exc()
        reason = f"broke off: {last_line(trace)}"
        if reason != job.failed:
            with contextlib.suppress(OSError):
                sys.stdout.write("".join(f"  {line}\n" for line in trace.splitlines()[:-1]))
        _say(job, reason)
        return job.failed
    _say(job, "")
    return ""


def _say(job: Job, reason: str) -> None:
    """Notes why a job failed, and says so where it is another reason than before."""
    if reason != job.failed:
        with contextlib.suppress(OSError):
            log(reason or "works again")
    job.failed = reason


def _reap(job: Job) -> bool:
    """Whether the run has ended; what became of it is noted then."""
    child, status = os.waitpid(job.child, os.WNOHANG)
    if child == 0:
        return False
    with os.fdopen(job.reader, "rb") as pipe:
        os.set_blocking(pipe.fileno(), False)
        reason = (pipe.read() or b"").decode(errors="replace")
    now = time.monotonic()
    by_itself = not job.ended and os.WIFEXITED(status)
    with speaking_as(job.tick.name):
        if job.ended:
            _say(job, f"had no end within {job.tick.limit:g} s")
        elif not by_itself:
            _say(job, f"was ended by signal {os.WTERMSIG(status)}")
        else:
            # the child has said it already
            job.failed = reason
    job.child, job.reader = 0, -1
    job.progress = ticks.over(job.tick, job.progress, now, by_itself)
    return True


def _signal(job: Job, number: int) -> None:
    if job.child:
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.child, number)
