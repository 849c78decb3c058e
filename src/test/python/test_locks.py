"""Locks between the runs of verbs."""

from __future__ import annotations

import os
import subprocess
from unittest import mock

from agent.errors import Refused
from agent.locks import held, is_free, try_held
from fakes import MachineTest


class LocksTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.file = self.root / "run/twinhost/some.lock"

    def test_one_run_at_a_time_holds_it(self) -> None:
        with held(self.file, 0):
            self.assertFalse(is_free(self.file))
            with try_held(self.file) as mine:
                self.assertFalse(mine)
        self.assertTrue(is_free(self.file))
        with try_held(self.file) as mine:
            self.assertTrue(mine)
            self.assertFalse(is_free(self.file))

    def test_waiting_has_an_end_and_a_reason(self) -> None:
        with held(self.file, 0), self.assertRaises(Refused) as raised, held(self.file, 0.2):
            self.fail("two hold it")
        self.assertEqual("waited 0.2 s for another run of this verb", raised.exception.reason)

    def test_a_lock_that_nobody_has_made_is_free_and_is_not_made_by_the_question(self) -> None:
        self.assertTrue(is_free(self.file))
        self.assertFalse(self.file.exists())

    def test_it_is_the_lock_that_shells_take(self) -> None:
        with held(self.file, 0):
            self.assertEqual(1, subprocess.run(["flock", "-n", str(self.file), "true"], check=False).returncode)
        self.assertEqual(0, subprocess.run(["flock", "-n", str(self.file), "true"], check=False).returncode)

    def test_a_child_that_lives_on_does_not_keep_it(self) -> None:
        begun, begin = os.pipe()
        ended, end = os.pipe()
        with held(self.file, 0):
            child = os.fork()
            if child == 0:
                # as one that hangs
                os.close(end)
                os.write(begin, b"!")
                os.read(ended, 1)
                os._exit(0)
            os.read(begun, 1)
            self.assertFalse(is_free(self.file))
        self.assertTrue(is_free(self.file))
        os.close(end)
        os.waitpid(child, 0)
        for descriptor in (begun, begin, ended):
            os.close(descriptor)

    def test_it_is_tried_again_until_it_is_free(self) -> None:
        other = held(self.file, 0)
        other.__enter__()
        with mock.patch("agent.locks.time.sleep", side_effect=lambda _: other.__exit__(None, None, None)) as sleep:
            with held(self.file, 60):
                pass
            self.assertEqual(1, sleep.call_count)
