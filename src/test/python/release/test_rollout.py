"""The release before comes back where one does not serve."""

from __future__ import annotations

import unittest
from unittest import mock

from agent.process import CommandFailed
from release.things import BEFORE, HostTest, but, services, task


class GoesBackTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.converged_before()

    def test_the_release_before_comes_back_as_a_whole(self) -> None:
        back = {"State": "rollback_completed", "StartedAt": "now", "Message": "failure of task t9"}
        self.programs.answer("docker stack deploy", self._swarm_says(services(UpdateStatus=back)))
        self.programs.answer("docker service logs", "2026-01-01T00:00:00Z release: it has converged\033[2K\rx\n")

        self.assertEqual(1, self.release())

        command, seconds, environment, _, locks = self.gone_back.call_args[0]
        script = self.machine.paths.releases / BEFORE / "docker/host/release.sh"
        self.assertEqual((["bash", str(script), "--back"], 420), (command, seconds))
        self.assertEqual({"PATH", "HOME", "TWINHOST_ROOT"}, set(environment))
        self.assertEqual(1, len(locks), "the way back has this machine's lock")
        reason = "twinhost_app: failure of task t9"
        self.assertEqual(reason, self.last_line())
        self.assertEqual([f"FAILURE {reason}"], self.reports)
        self.assertIn("\n  task t9: 2026-01-01T00:00:00Z release: it has converged[2Kx\n", self.said)
        self.assertEqual(["docker service logs --raw --tail 10 t9"], self.docker("service logs"))

    def test_the_first_thing_that_swarm_says_of_a_rollback_is_the_reason(self) -> None:
        begun = {"State": "rollback_started", "StartedAt": "now", "Message": "failure of task t9"}
        ended = {"State": "rollback_completed", "StartedAt": "now", "Message": "rollback completed"}
        self.programs.answer("docker stack deploy", self._swarm_says(services(UpdateStatus=begun)))
        self.engine.answer("GET /tasks", [task(), task("failed", "task: non-zero exit (1)", "t9")])

        def end(seconds: float) -> None:
            self.clock.now += seconds
            self.engine.answer("GET /services", services(UpdateStatus=ended))

        with mock.patch.object(self.clock, "sleep", end):
            self.release()
        self.assertEqual("twinhost_app: failure of task t9: task: non-zero exit (1)", self.last_line())

    def test_where_swarm_refuses_the_stack_half_way(self) -> None:
        self.programs.fail("docker stack deploy", "expanding env failed")
        self.assertEqual(1, self.release())
        self.gone_back.assert_called_once()
        self.assertEqual("expanding env failed", self.last_line())

    def test_where_an_edge_gets_no_answer(self) -> None:
        self.paced.pace = 30
        for said, why in (
            ("502 -, -", "the edge on node-1 gets no answer from the application (502)"),
            ("", "the edge on node-1 gets no answer from the application ()"),
            (CommandFailed("x", "curl: (7) refused", 7), "the edge on node-1 cannot be asked: refused"),
            (CommandFailed("x", "", -9), "the edge on node-1 cannot be asked: nothing within 10 s"),
        ):
            with self.subTest(why):
                self.gone_back.reset_mock()
                self.programs.answer("nsenter -t 4711 -n curl", said)
                self.engine.answer("GET /tasks", [but(task(), DesiredState="running")])
                self.assertEqual(1, self.release())
                begin = f"waited 20 s for every edge to pass on an answer of the application, last: {why}: "
                self.assertTrue(self.last_line().startswith(begin), self.last_line())
                self.gone_back.assert_called_once()

    def test_where_nothing_can_be_had_to_go_back_to(self) -> None:
        self.programs.fail("docker stack deploy", "expanding env failed")
        folder = self.machine.paths.releases / BEFORE
        folder.rmdir()
        self.programs.fail("aws s3api", "An error occurred (NoSuchKey)")
        self.assertEqual(1, self.release())
        self.gone_back.assert_not_called()
        self.assertEqual("expanding env failed", self.last_line())

    def _swarm_says(self, answer: object) -> object:
        def says() -> str:
            self.engine.answer("GET /services", answer)
            return ""

        return says


if __name__ == "__main__":
    unittest.main()
