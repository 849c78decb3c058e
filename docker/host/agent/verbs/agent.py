"""twinhost agent: the short ticks in one process that stays. twinhost-agent.service runs it, with a watchdog.

It ends where another release has become the one of this machine: systemd starts it again, with that one's code. A
release that has no agent has removed the unit, and brought its own timers.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from agent import budgets, notice, preflight
from agent.context import Context
from agent.decide.ticks import Progress, Tick
from agent.engine import Engine
from agent.errors import Problem
from agent.log import log
from agent.logfile import LogFile
from agent.machine import NOTED, Settings, load_machine, load_settings
from agent.notify import READY, STOPPING, Notifier
from agent.record import RecordStore
from agent.resident import Job, end_all, run_ticks
from agent.verbs import certificate, heartbeat

CERTIFICATE = Tick("certificate", budgets.CERTIFICATE_PERIOD, budgets.CERTIFICATE_LIMIT)
HEARTBEAT = Tick("heartbeat", budgets.HEARTBEAT_PERIOD, budgets.HEARTBEAT_LIMIT)
NOTICE = Tick("notice", budgets.NOTICE_PERIOD, budgets.NOTICE_LIMIT)

Signature = tuple[int, int, int]


def run(context: Context, _: list[str]) -> None:
    """Until systemd ends it, or this machine runs with another release."""
    paths = context.machine.paths
    jobs = create_jobs(time.monotonic())
    watch = Watch(context, jobs[0])
    notifier = Notifier()
    signal.signal(signal.SIGTERM, watch.stop)
    # to the very end: a defect of which this ends is in the log file, too
    sys.stdout = cast(TextIO, LogFile(sys.stdout, paths.root / "var/log/twinhost.log"))
    log("runs " + ", ".join(f"{job.tick.name} every {job.tick.period:g} s" for job in jobs))
    # what is there now stays: children that do not look it through share its memory
    gc.collect()
    gc.freeze()
    notifier.report(READY)
    run_ticks(jobs, Contexts(context), watch.look, notifier)
    notifier.report(STOPPING)
    end_all(jobs, budgets.TICKS_END)
    log(watch.why)


def create_jobs(now: float) -> Sequence[Job]:
    return (
        Job(CERTIFICATE, lambda context: certificate.run(context, []), Progress(now, now)),
        Job(HEARTBEAT, lambda context: heartbeat.run(context, []), Progress(now, now)),
        Job(NOTICE, notice.look, Progress(now + NOTICE.period, now)),
    )


class Watch:
    """What is looked at between two ticks."""

    def __init__(self, context: Context, certificate_job: Job) -> None:
        self._release = context.machine.release
        self._current = context.machine.paths.current
        self._request = preflight.request_file(context)
        self._job = certificate_job
        self._seen = self._look_at_request()
        self.why = ""

    def look(self) -> bool:
        """Whether to stay. A new question of certbot is answered at once."""
        seen = self._look_at_request()
        if seen != self._seen:
            self._seen = seen
            self._job.asked = True
        if not self.why and self._has_other_release():
            self.why = "ends: this machine runs with another release"
        return not self.why

    def stop(self, *_: object) -> None:
        self.why = self.why or "ends: systemd wants it"

    def _look_at_request(self) -> Signature | None:
        # certbot's container may put a link there, which could lead to where this process would hang
        return signature(self._request, follow=False)

    def _has_other_release(self) -> bool:
        try:
            # `current` without a target is no release
            return self._current.resolve(strict=True) != self._release
        except OSError:
            return False


@dataclass(frozen=True)
class ResidentContext(Context):
    """With settings that have been read already, or why they cannot be."""

    kept: Settings | Problem

    def settings(self) -> Settings:
        if isinstance(self.kept, Problem):
            raise self.kept
        return self.kept


class Contexts:
    """The context of now: what is noted of this machine, and the site's settings, are read again where their files
    have changed.
    """

    def __init__(self, first: Context) -> None:
        self._release = first.machine.release
        self._paths = first.machine.paths
        self._seen: list[Signature | None] = []
        self._context = first

    def __call__(self) -> Context:
        files = [*(self._paths.root / file for file in NOTED), self._release / "settings.env"]
        seen = [signature(file) for file in (*files, self._paths.root / "etc/twinhost/images.env")]
        if seen != self._seen:
            self._context = self._load()
            self._seen = seen
        return self._context

    def _load(self) -> Context:
        machine = load_machine(str(self._paths.root), self._release)
        kept: Settings | Problem
        try:
            kept = load_settings(machine.paths, machine.release)
        except Problem as problem:
            # a tick that needs none goes on
            kept = problem
        return ResidentContext(machine, Engine(machine.paths.engine), RecordStore(machine), kept)


def signature(file: Path, follow: bool = True) -> Signature | None:
    """What is another one as soon as the file has been written; None where there is none."""
    try:
        found = file.stat() if follow else file.lstat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)
