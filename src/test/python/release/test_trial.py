"""Which image of the application a release runs, and what it has to show before Swarm hears of it."""

from __future__ import annotations

import os
import unittest

from agent.engine import EngineRefused
from agent.process import CommandFailed
from fakes import SHA
from release.things import DIGEST, IMAGE, HostTest, task

PULL = "docker service rm twinhost-pull-"


class ApplicationTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.with_application()
        self.converged_before()
        # the hosts have pulled it
        self.write("proc/4711/oom_score_adj", "0\n")

    def test_the_application_is_tried_before_swarm_hears_of_the_release(self) -> None:
        self.assertEqual(0, self.release(), self.said)
        sums = [call.replace(call[len(PULL) :], "SUM") if call.startswith(PULL) else call for call in self.docker()]
        self.assertEqual(
            [
                "docker service rm twinhost-pull-SUM",
                "docker service rm twinhost-trial_trial",
                "docker stack deploy -c trial-service.yml -c trial-trial.yml -c trial.json --prune"
                " --with-registry-auth --resolve-image never twinhost-trial",
                "docker service rm twinhost-trial_trial",
                "docker stack deploy -c stack.yml -c service.yml -c configs.json -c app.json --prune"
                " --with-registry-auth --resolve-image never twinhost",
                "docker service rm twinhost-trial_trial",
            ],
            [call for call in sums if call.startswith(("docker stack deploy", "docker service rm"))],
        )
        trial = self.read("var/lib/twinhost/stack/trial-service.yml")
        self.assertIn("\n  trial:\n", trial)
        self.assertNotIn("\n  app:\n", trial)
        self.assertEqual("1000\n", self.read("proc/4711/oom_score_adj"))
        self.assertEqual("node-1", self._environment_of("twinhost-trial")["TWINHOST_NODE"])

    def test_the_digest_of_the_tag_runs_and_is_noted(self) -> None:
        self.release()
        self.assertEqual(f"{IMAGE}{DIGEST}", self.environment("docker stack deploy")["TWINHOST_APP_IMAGE"])
        noted = self.context.record.release() or {}
        self.assertEqual({IMAGE: f"{IMAGE}{DIGEST}"}, noted["images"])

    def test_the_next_container_waits_for_as_long_as_the_trial_took(self) -> None:
        refusals = [CommandFailed("x", "curl: (7) refused", 7)] * 4

        def answers() -> str:
            if refusals:
                raise refusals.pop()
            return "200 0.003"

        self.programs.answer("nsenter -t 4711 -n curl", answers)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual("6", self.environment("docker stack deploy")["TWINHOST_APP_DELAY"])
        self.assertEqual(6, (self.context.record.release() or {})["appDelay"])

    def test_it_does_not_wait_where_a_check_says_that_it_listens(self) -> None:
        self.engine.answer("GET /containers/c0ffee/json", {"State": {"Health": {"Status": "healthy", "Log": []}}})
        self.release()
        self.assertEqual("2", self.environment("docker stack deploy")["TWINHOST_APP_DELAY"])

    def test_why_a_trial_failed(self) -> None:
        self.programs.answer("docker logs", "listening soon\033[2K\n")
        self.engine.answer("GET /tasks", [task("failed", "task: non-zero exit (1)")])
        self._refused("the application was tried and is not released: task: non-zero exit (1)")
        self.assertIn("\n  application: listening soon[2K\n", self.said)

    def test_what_listens_instead(self) -> None:
        self.paced.pace = 30
        self.programs.fail("nsenter -t 4711 -n curl", "000 curl: (7) Failed to connect to 10.0.1.7 port 3000", 7)
        self.programs.answer("nsenter -t 4711 -n ss", "LISTEN 0 511 127.0.0.1:3000 0.0.0.0:*\n")
        self._refused(
            "the application was tried and is not released: within 60 s (appStartSeconds) there was no answer: Failed"
            " to connect to 10.0.1.7 port 3000, as it listens on 127.0.0.1:3000 only: let it listen on 0.0.0.0"
        )

    def test_a_question_that_breaks_is_no_answer(self) -> None:
        self.paced.pace = 30
        for said in ("", "000 ", CommandFailed("x", "", -9), CommandFailed("x", "", 127)):
            self.programs.answer("nsenter -t 4711 -n curl", said)
            self.assertEqual(1, self.release())
            self.assertIn("there was no answer: nothing within 10 s", self.last_line())

    def test_what_answers_and_then_ends_is_refused(self) -> None:
        asked: list[int] = []

        def answers() -> str:
            asked.append(1)
            if len(asked) > 2:
                self.engine.answer("GET /tasks", [task("failed", "task: non-zero exit (3)")])
            return "200 0.003"

        self.programs.answer("nsenter -t 4711 -n curl", answers)
        self._refused("the application was tried and is not released: task: non-zero exit (3)")

    def test_a_trial_that_swarm_does_not_start(self) -> None:
        self.paced.pace = 30
        self.engine.answer("GET /tasks?filters=%7B%22service%22%3A%5B%22twinhost-trial_trial%22%5D%7D", [])
        self._refused("the application was tried and is not released: Swarm did not bring it further than nothing")

    def test_what_runs_already_is_not_tried(self) -> None:
        self.release()
        runs = {"Spec": {"Labels": {"twinhost.application": self.environment("docker stack")["TWINHOST_APP_SUM"]}}}
        self.engine.answer("GET /services/twinhost_app", runs)
        self.programs.calls.clear()
        self.programs.environments.clear()
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual(1, len(self.docker("stack deploy")))

    def test_nobody_is_asked_in_maintenance(self) -> None:
        self.with_application(TWINHOST_MAINTENANCE="true")
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual([], [call for call in self.programs.calls if call.startswith("nsenter")])

    def test_an_image_for_other_machines_is_refused_before_it_is_pulled(self) -> None:
        platforms = [{"architecture": "arm64", "os": "linux"}, {"architecture": "unknown", "os": "unknown"}]
        self.engine.answer(
            f"GET /distribution/{IMAGE}/json", {"Descriptor": {"digest": DIGEST[1:]}, "Platforms": platforms}
        )
        reason = (
            f"the image {IMAGE} cannot be had: it is for linux/arm64, and the machines are linux/amd64: build it for"
            " linux/amd64, or choose an instanceType for which it is, as t4g.small"
        )
        self._refused(reason)
        self.assertEqual([], [call for call in self.programs.calls if call.startswith("systemd-run")])

        self.engine.answer(f"GET /distribution/{IMAGE}/json", {"Descriptor": {"digest": DIGEST[1:]}, "Platforms": None})
        self.programs.answer("docker image inspect --format {{.Os}}", "linux/arm64\n")
        self._refused(reason)

    def test_a_tag_that_cannot_be_resolved_is_refused(self) -> None:
        self.engine.answer(f"GET /distribution/{IMAGE}/json", EngineRefused("Get https://registry-1: refused", 500))
        self._refused(f"the image {IMAGE} cannot be had: Get https://registry-1: refused")

    def test_what_was_noted_is_taken_once_the_release_has_converged(self) -> None:
        self.converged_before(SHA, images={IMAGE: f"{IMAGE}{DIGEST}"})
        self.engine.answer(f"GET /distribution/{IMAGE}/json", EngineRefused("away", 500))
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual(f"{IMAGE}{DIGEST}", self.environment("docker stack deploy")["TWINHOST_APP_IMAGE"])
        self.assertEqual(1, self.release("--resolve"))
        self.assertEqual(f"the image {IMAGE} cannot be had: away", self.last_line())

    def test_a_first_application_has_no_trial_and_its_start_instead(self) -> None:
        folder = self.root / "srv/twinhost/swarm/generations/1"
        (folder / "release").unlink()
        self.engine.answer("GET /tasks", [task("failed", "task: non-zero exit (1)", f"t{n}") for n in range(3)])
        self.assertEqual(1, self.release())
        self.assertEqual(
            "twinhost_app: 3 containers have ended one after the other: task: non-zero exit (1)", self.last_line()
        )
        self.assertEqual([], self.docker("stack deploy -c trial"))
        self.assertEqual(1, len(self.docker("stack deploy")))

    def test_the_health_is_asked_for_with_what_the_image_has(self) -> None:
        self.with_application(TWINHOST_APP_HEALTH_PATH="/up")
        self.programs.fail("docker run --rm --name twinhost-release-" + str(os.getpid()), "", 127)
        self.assertEqual(1, self.release())
        self.assertIn("has no shell with curl or wget", self.last_line())
        self.assertEqual([], self.docker("stack deploy"))

    def _refused(self, reason: str) -> None:
        self.assertEqual(1, self.release(), self.said)
        self.assertEqual(reason, self.last_line())
        self.assertEqual(f"FAILURE {reason}", self.reports[-1])
        self.assertEqual([], self.docker("stack deploy -c stack.yml"))
        # what another deploy waits for is answered by itself
        claimed = self.root / "srv/twinhost/swarm/answers"
        for answer in claimed.iterdir():
            answer.rmdir()

    def _environment_of(self, stack: str) -> dict[str, str]:
        called = zip(self.programs.calls, self.programs.environments)
        return [dict(found) for call, found in called if call.endswith(f" never {stack}")][-1]


if __name__ == "__main__":
    unittest.main()
