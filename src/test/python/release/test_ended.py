"""A release that is ended from outside."""

from __future__ import annotations

import os
import signal
import unittest
from unittest import mock

from agent.release.ending import Ended
from fakes import SHA
from release.things import HostTest, task


class EndedTest(HostTest):
    def test_term_ends_a_release_with_its_report(self) -> None:
        self.engine.answer("GET /tasks", [task("pending")])
        handler = signal.getsignal(signal.SIGTERM)

        def end(_: float) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        with mock.patch.object(self.clock, "sleep", end):
            self.assertEqual(1, self.release())
        self.assertEqual(["FAILURE was ended before it had an end of its own"], self.reports)
        self.assertEqual("was ended before it had an end of its own", self.last_line())
        self.assertEqual(["/configs/turn"], self.asked("DELETE"))
        self.assertIs(handler, signal.getsignal(signal.SIGTERM))

    def test_term_during_the_report_lets_it_come_to_its_end(self) -> None:
        reported = self._reported

        def end() -> str:
            os.kill(os.getpid(), signal.SIGTERM)
            return reported()

        self.programs.answer("curl", end)
        self.assertEqual(1, self.release())
        self.assertEqual([f"SUCCESS release {SHA} has converged"], self.reports)
        self.assertEqual("was ended before it had an end of its own", self.last_line())

    def test_term_during_a_trial_leaves_none_behind(self) -> None:
        self.with_application()
        self.converged_before()
        self.programs.answer("docker stack deploy", self._end)
        self.assertEqual(1, self.release())
        self.assertEqual(2, len(self.docker("service rm twinhost-trial_trial")))

    def _end(self) -> str:
        raise Ended("was ended")


if __name__ == "__main__":
    unittest.main()
