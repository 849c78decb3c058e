"""How a signal ends a release, and how one goes over to the code of another."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from agent.locks import held, is_free, open_locks
from agent.process import CommandTimedOut, pass_on, run
from agent.release.ending import Ended, ended_by_signals, hand_over, signals_wait


class EndingTest(unittest.TestCase):
    def test_term_is_raised_once(self) -> None:
        with ended_by_signals():
            with self.assertRaises(Ended) as end:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(1)
            os.kill(os.getpid(), signal.SIGTERM)
        self.assertEqual("was ended before it had an end of its own", end.exception.reason)

    def test_a_terminal_that_is_closed_and_a_person_at_one_end_it_as_well(self) -> None:
        for number, words in ((signal.SIGHUP, "ended with status 129"), (signal.SIGINT, "ended with status 130")):
            before = signal.signal(number, signal.default_int_handler)
            self.addCleanup(signal.signal, number, before)
            with self.subTest(words), ended_by_signals():
                with self.assertRaises(Ended) as end:
                    os.kill(os.getpid(), number)
                    time.sleep(1)
                self.assertEqual(words, end.exception.reason)

    def test_what_was_ignored_before_still_is(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_IGN))
        with ended_by_signals(), signals_wait():
            os.kill(os.getpid(), signal.SIGHUP)
        self.assertIs(signal.SIG_IGN, signal.getsignal(signal.SIGHUP))

    def test_nothing_that_tries_again_takes_it_for_a_failure(self) -> None:
        self.assertNotIsInstance(Ended(), Exception)

    def test_what_has_begun_comes_to_its_end_first(self) -> None:
        done: list[str] = []
        with ended_by_signals(), self.assertRaises(Ended), signals_wait():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("all of it")
        self.assertEqual(["all of it"], done)

    def test_a_program_is_ended_with_the_release(self) -> None:
        begun = time.monotonic()
        first_look = mock.patch("subprocess.Popen.communicate", self._ended(begun))
        with ended_by_signals(), self.assertRaises(Ended), first_look:
            run(["sleep", "30"], 30)
        self.assertLess(time.monotonic() - begun, 5)

    def _ended(self, begun: float) -> object:
        """The first look at the program is when TERM comes."""
        looks: list[float] = []

        def communicate(process: object, *_: object, **__: object) -> tuple[bytes, bytes]:
            looks.append(time.monotonic() - begun)
            if len(looks) == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            process.wait(5)  # type: ignore[attr-defined]
            return b"", b""

        return communicate

    def test_the_code_of_another_release_begins_as_a_shell_expects(self) -> None:
        kept = signal.getsignal(signal.SIGPIPE)
        self.addCleanup(signal.signal, signal.SIGPIPE, kept)
        with mock.patch("os.execvp", side_effect=InterruptedError) as execvp, self.assertRaises(InterruptedError):
            hand_over(Path("/opt/twinhost/releases/x"), "--resolve")
        execvp.assert_called_once_with("bash", ["bash", "/opt/twinhost/releases/x/docker/host/release.sh", "--resolve"])
        self.assertEqual(signal.SIG_DFL, signal.getsignal(signal.SIGPIPE))


class PassOnTest(unittest.TestCase):
    def test_the_environment_is_what_is_given_and_nothing_else(self) -> None:
        os.environ["TWINHOST_EDGE_IMAGE"] = "of another release"
        self.addCleanup(os.environ.pop, "TWINHOST_EDGE_IMAGE")
        script = '[ -z "${TWINHOST_EDGE_IMAGE:-}" ] && [ "$A" = 1 ] && exit 7'
        self.assertEqual(7, pass_on(["sh", "-c", script], 5, {"PATH": os.environ["PATH"], "A": "1"}))

    def test_a_child_keeps_the_locks_that_it_is_given(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "lock"
            environment = {"PATH": os.environ["PATH"]}
            with held(file, 0):
                pass_on(["sh", "-c", "sleep 0.2 &"], 5, environment, keeps=open_locks())
            self.assertFalse(is_free(file))
            time.sleep(0.3)
            self.assertTrue(is_free(file))

    def test_it_has_a_limit(self) -> None:
        with self.assertRaises(CommandTimedOut):
            pass_on(["sleep", "30"], 0.05, {"PATH": os.environ["PATH"]}, 0.05)

    def test_what_a_program_said_by_its_limit_is_kept(self) -> None:
        with self.assertRaises(CommandTimedOut) as late:
            run(["sh", "-c", "echo first; exec sleep 30"], 0.1, merge=True)
        self.assertEqual("first\n", late.exception.said)


if __name__ == "__main__":
    unittest.main()
