"""The process that stays: its ticks, each a child of its own."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import sys
import time
from typing import Callable
from unittest import mock

from agent.context import Context
from agent.decide.ticks import Progress, Tick
from agent.errors import Damaged, Unavailable
from agent.logfile import LogFile
from agent.notify import ALIVE, READY, Notifier
from agent.process import run
from agent.resident import Job, end_all, run_ticks
from fakes import MachineTest


class Reports(Notifier):
    def __init__(self) -> None:
        self.states: list[str] = []

    def report(self, state: str) -> None:
        self.states.append(state)


class ResidentTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.said = self.root / "said"
        for name, value in (("resident.PACE", 0.005), ("budgets.REPORT_ALIVE", 0), ("resident.ticks.GRACE", 0.1)):
            patch = mock.patch(f"agent.{name}", value)
            patch.start()
            self.addCleanup(patch.stop)
        # a line that a child writes is there when it has ended
        output = self.said.open("w", buffering=1)
        self.addCleanup(output.close)
        redirect = contextlib.redirect_stdout(output)
        redirect.__enter__()
        self.addCleanup(redirect.__exit__, None, None, None)
        self.reports = Reports()

    def job(self, function: Callable[[Context], object], name: str = "tick", limit: float = 60) -> Job:
        return Job(Tick(name, 0, limit), function, Progress(0, time.monotonic()))

    def run_until(self, *jobs: Job, until: Callable[[], bool], grace: float = 1) -> None:
        end = time.monotonic() + 60  # on a machine that does much else, too
        run_ticks(jobs, lambda: self.context, lambda: not until() and time.monotonic() < end, self.reports)
        self.assertTrue(until(), self.lines())
        end_all(jobs, grace)
        for job in jobs:
            if job.child:
                os.waitpid(job.child, 0)

    def lines(self) -> list[str]:
        """What was said, without the time."""
        return [line.split(" ", 1)[1] if line[0].isdigit() else line for line in self.said.read_text().splitlines()]

    def count(self, name: str) -> int:
        file = self.root / name
        return file.stat().st_size if file.exists() else 0

    def note(self, name: str) -> None:
        with (self.root / name).open("a") as file:
            file.write(".")

    def test_each_tick_runs_again_and_again_with_the_context_of_now(self) -> None:
        def tick(context: Context) -> None:
            self.assertIs(context, self.context)
            self.note("ticks")

        self.run_until(self.job(tick), until=lambda: self.count("ticks") > 2)
        self.assertEqual([], self.lines())
        self.assertIn(ALIVE, self.reports.states)

    def test_a_tick_that_fails_says_so_once_until_it_changes(self) -> None:
        def tick(_: Context) -> None:
            self.note("ticks")
            number = self.count("ticks")
            if number <= 3:
                raise Unavailable("the storage is away")
            if number <= 5:
                raise Damaged("it is damaged")

        self.run_until(self.job(tick), until=lambda: self.count("ticks") > 6)
        self.assertEqual(["tick: the storage is away", "tick: it is damaged", "tick: works again"], self.lines())
        self.assertIn(ALIVE, self.reports.states)

    def test_a_defect_ends_one_run_and_shows_once_where_it_was(self) -> None:
        def tick(_: Context) -> None:
            self.note("ticks")
            raise ZeroDivisionError("a defect")

        self.run_until(self.job(tick), until=lambda: self.count("ticks") > 3)
        lines = self.lines()
        self.assertEqual("  Traceback (most recent call last):", lines[0])
        self.assertEqual("tick: broke off: ZeroDivisionError: a defect", lines[-1])
        self.assertEqual(1, len([line for line in lines if line.startswith("tick: ")]))

    def test_a_tick_that_hangs_holds_up_no_other_and_is_ended(self) -> None:
        def hangs(_: Context) -> None:
            self.note("begun")
            run(["sleep", "60"], 60)

        hanging = self.job(hangs, "hangs", limit=0.2)
        other = self.job(lambda _: self.note("ticks"), "other")
        self.run_until(hanging, other, until=lambda: self.count("begun") > 1 and self.count("ticks") > 5)
        self.assertEqual(["hangs: had no end within 0.2 s"], self.lines())
        with self.assertRaises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    def test_one_that_ignores_its_end_is_killed(self) -> None:
        def ignores(_: Context) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self.note("begun")
            time.sleep(60)

        self.run_until(self.job(ignores, limit=0.5), until=lambda: self.count("begun") > 1, grace=0)
        self.assertEqual(["tick: had no end within 0.5 s"], self.lines())

    def test_no_report_while_a_tick_does_not_come_to_its_end(self) -> None:
        hanging = self.job(lambda _: time.sleep(60), limit=0.05)
        hanging.progress = Progress(0, time.monotonic() - 1000)
        begin = time.monotonic()
        self.run_until(hanging, until=lambda: time.monotonic() > begin + 0.3)
        self.assertEqual([], self.reports.states)

    def test_one_that_is_killed_by_the_system_is_named(self) -> None:
        def dies(_: Context) -> None:
            self.note("begun")
            os.kill(os.getpid(), signal.SIGKILL)

        self.run_until(self.job(dies), until=lambda: self.count("begun") > 1)
        self.assertEqual("tick: was ended by signal 9", self.lines()[0])

    def test_what_is_asked_for_runs_at_once_and_again_after_a_run_that_is_under_way(self) -> None:
        job = self.job(lambda _: self.note("ticks"))
        job.tick = Tick("tick", 3600, 5)
        asked = iter([3, 6])
        wanted = next(asked)

        def look() -> bool:
            nonlocal wanted
            if self.count("ticks") == 1 and wanted == 3:
                job.asked, wanted = True, next(asked)
            return self.count("ticks") < 2

        run_ticks([job], lambda: self.context, look, self.reports)
        end_all([job], 1)
        self.assertEqual(2, self.count("ticks"))

    def test_without_a_context_no_tick_runs(self) -> None:
        def broken() -> Context:
            self.note("looks")
            raise Damaged("machine.env: TWINHOST_ROLE is None, wanted host or witness")

        job = self.job(lambda _: self.note("ticks"))
        run_ticks([job], broken, lambda: self.count("looks") < 3, self.reports)
        self.assertEqual(0, self.count("ticks"))
        self.assertEqual(1, len(self.lines()))

    def test_the_end_leaves_no_run_behind(self) -> None:
        def ignores(_: Context) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self.note("begun")
            time.sleep(60)

        job = self.job(ignores)
        run_ticks([job], lambda: self.context, lambda: self.count("begun") < 1, self.reports)
        end_all([job], 0.05)
        os.waitpid(job.child, 0)
        self.assertEqual([], self.lines())


class NotifierTest(MachineTest):
    def test_it_reports_to_where_systemd_says_and_lets_nobody_else(self) -> None:
        for address in (str(self.root / "notify"), f"\0twinhost-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
                systemd.bind(address)
                with mock.patch.dict(os.environ, {"NOTIFY_SOCKET": address.replace("\0", "@")}):
                    notifier = Notifier()
                    self.assertNotIn("NOTIFY_SOCKET", os.environ)
                notifier.report(READY)
                self.assertEqual(b"READY=1", systemd.recv(100))
            notifier.report(READY)  # nobody listens any more

    def test_without_systemd_it_reports_to_nobody(self) -> None:
        with mock.patch.dict(os.environ, clear=True), mock.patch("socket.socket", side_effect=AssertionError):
            Notifier().report(READY)


class LogFileTest(MachineTest):
    def test_lines_are_in_both_and_a_new_file_begins(self) -> None:
        output = io.StringIO()
        file = self.root / "twinhost.log"
        log_file = LogFile(output, file)
        log_file.write("first\n")
        with mock.patch("agent.logfile.LIMIT", 6):
            log_file.write("second\n")
        log_file.write("third\n")
        self.assertEqual("first\nsecond\nthird\n", output.getvalue())
        self.assertEqual("first\n", (self.root / "twinhost.log.1").read_text())
        self.assertEqual("second\nthird\n", file.read_text())

    def test_what_is_no_text_ends_nothing(self) -> None:
        file = self.root / "twinhost.log"
        LogFile(io.StringIO(), file).write("half of a pair: \ud83d, a byte: \udcff\n")
        self.assertEqual("half of a pair: \\ud83d, a byte: \\udcff\n", file.read_text())

    def test_a_file_that_cannot_be_written_ends_nothing(self) -> None:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            sys.stdout.flush()
            LogFile(output, self.root / "nowhere/twinhost.log").write("line\n")
        self.assertEqual("line\n", output.getvalue())
