"""What runs in a child that is killed after its limit."""

from __future__ import annotations

import os
import signal
import time
import unittest
from functools import partial
from pathlib import Path
from unittest import mock

from agent.contained import contained
from agent.engine import EngineRefused
from agent.errors import Damaged, Unavailable
from agent.locks import held, is_free
from agent.process import CommandFailed
from fakes import MachineTest


class ContainedTest(unittest.TestCase):
    def test_it_returns_what_the_function_does(self) -> None:
        values: list[object] = [None, 7, "text", {"a": [1, None]}, b"k" * 1_000_000]
        for number, value in enumerate(values):
            self.assertEqual(value, contained(5, "it", partial(values.__getitem__, number)))

    def test_a_problem_comes_back_as_it_is(self) -> None:
        for problem in (
            Damaged("it is damaged"),
            CommandFailed("it failed", "words", 3, "output"),
            EngineRefused("no", 404),
        ):

            def fail(problem: Exception = problem) -> None:
                raise problem

            with self.assertRaises(type(problem)) as raised:
                contained(5, "it", fail)
            self.assertEqual((str(problem), vars(problem)), (str(raised.exception), vars(raised.exception)))

    def test_it_holds_no_log_open_unless_it_speaks(self) -> None:
        """Beside one that no signal ends, a launcher would wait for the end of the log."""

        def outputs() -> list[str]:
            return [str(Path(f"/proc/self/fd/{number}").readlink()) for number in (1, 2)]

        self.assertEqual(["/dev/null"] * 2, contained(5, "it", outputs))
        self.assertEqual(outputs(), contained(5, "it", outputs, speaks=True))

    def test_without_room_for_a_child_it_is_unavailable(self) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        no_room = mock.patch("os.fork", side_effect=BlockingIOError(11, "Resource temporarily unavailable"))
        with no_room, self.assertRaisesRegex(Unavailable, "it could not be asked: Resource temporarily unavailable"):
            contained(5, "it", lambda: None)
        self.assertEqual(before, len(list(Path("/proc/self/fd").iterdir())))

    def test_a_file_that_cannot_be_read_is_unavailable(self) -> None:
        with self.assertRaises(Unavailable) as raised:
            contained(5, "it", lambda: Path("/nowhere/at/all").stat())
        self.assertEqual("No such file or directory: /nowhere/at/all", raised.exception.reason)

    def test_what_hangs_is_left_after_its_limit(self) -> None:
        def hang() -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)

        begin = time.monotonic()
        with self.assertRaises(Unavailable) as raised:
            contained(0.1, "the shared storage", hang)
        self.assertEqual("the shared storage did not answer within 0.1 s", raised.exception.reason)
        self.assertLess(time.monotonic() - begin, 5)
        with self.assertRaises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    def test_a_child_that_dies_has_no_answer(self) -> None:
        for end in (lambda: os._exit(0), lambda: os.kill(os.getpid(), signal.SIGKILL)):
            with self.assertRaises(Unavailable) as raised:
                contained(5, "the shared storage", end)
            self.assertEqual(
                "the shared storage could not be asked: the process that asked has died", raised.exception.reason
            )


class LockTest(MachineTest):
    def test_the_child_shares_no_lock(self) -> None:
        file = self.root / "run/twinhost/some.lock"
        with held(file, 0):
            self.assertFalse(contained(5, "it", lambda: is_free(file)))
        self.assertTrue(is_free(file))
