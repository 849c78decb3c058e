"""A boot, and the way back."""

from __future__ import annotations

import errno
import json
import unittest
from unittest import mock

from agent.engine import EngineRefused
from agent.process import CommandFailed
from fakes import SHA
from release.things import IMAGE, HostTest, services

SERVES = f"release {SHA} has converged"


class BootTest(HostTest):
    def test_the_founder_deploys_where_nothing_runs(self) -> None:
        self.engine.answer("GET /services", [])
        self.programs.answer("docker stack deploy", self._runs)
        self.assertEqual(0, self.release("--boot"), self.said)
        self.assertEqual([f"SUCCESS {SERVES}"], self.reports)
        self.installed.assert_not_called()
        self.assertLess(self.clock.uptime(), 1100)

    def test_another_host_gives_the_founder_two_minutes(self) -> None:
        self.write("srv/twinhost/swarm/generations/1/founder", "i-0b\n")
        self.engine.answer("GET /services", [])
        self.programs.answer("docker stack deploy", self._runs)
        self.assertEqual(0, self.release("--boot"), self.said)
        self.assertGreater(self.clock.uptime(), 1120)

    def test_what_serves_is_left_to_others(self) -> None:
        self.converged_before()
        self.assertEqual(0, self.release("--boot"))
        self.assertEqual(("", [], []), (self.said, self.docker(), self.reports))

    def test_a_release_that_never_converged_is_deployed_again(self) -> None:
        self.assertEqual(0, self.release("--boot"), self.said)
        self.assertEqual(1, len(self.docker("stack deploy")))

    def test_nothing_is_deployed_where_swarm_does_not_say_what_it_runs(self) -> None:
        self.paced.pace = 30
        for broken in ("null", '{"message":"no leader"}', '[{"Spec":', "", EngineRefused("no leader", 503)):
            with self.subTest(broken):
                self.engine.answer("GET /services", broken)
                self.assertEqual(1, self.release("--boot"))
                self.assertIn("waited 60 s for Swarm to say what it runs", self.last_line())
        self.assertEqual([], self.docker())

    def test_what_has_served_before_is_not_asked(self) -> None:
        self.converged_before()
        self.engine.answer("GET /services", [])
        self.programs.answer("docker stack deploy", self._runs)
        self.programs.fail("nsenter", "curl: (7) refused", 7)
        self.assertEqual(0, self.release("--boot"), self.said)

    def test_what_serves_goes_on_where_the_memory_is_full(self) -> None:
        self.converged_before()
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(self.context.record, "refresh", side_effect=full):
            self.assertEqual(0, self.release("--boot"))
            self.engine.answer("GET /services", [])
            self.assertEqual(1, self.release("--boot"))
        self.assertEqual(
            "changes nothing: the cluster record was not read since this machine started", self.last_line()
        )

    def test_a_witness_has_nothing_to_boot(self) -> None:
        object.__setattr__(self.machine, "role", "witness")
        self.assertEqual(0, self.release("--boot"))
        self.installed.assert_not_called()
        self.assertEqual([], self.docker())

    def test_the_image_has_a_while_to_be_pulled(self) -> None:
        self.engine.answer("GET /services", [])
        self.programs.answer("docker stack deploy", self._runs)
        tries: list[int] = []

        def pulls() -> str:
            tries.append(1)
            if len(tries) < 6:
                raise CommandFailed("away", "away", 1)
            self.programs.answer("docker image inspect", "")
            return ""

        self.programs.fail("docker image inspect", "No such image")
        self.programs.answer("docker pull", pulls)
        self.assertEqual(0, self.release("--boot"), self.said)
        self.assertEqual(6, len(tries))

    def _runs(self) -> str:
        self.engine.answer("GET /services", services())
        return ""


class BackTest(HostTest):
    def test_what_served_before_serves_again_and_reports_nothing(self) -> None:
        self.engine.answer("POST /configs/create", EngineRefused("already exists", 409))
        self.assertEqual(0, self.release("--back"), self.said)
        self.assertEqual(f"release {SHA} serves again", self.last_line())
        self.assertEqual(([], []), (self.reports, self.asked("DELETE")))

    def test_the_application_gets_the_secrets_that_it_had(self) -> None:
        arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"
        self.write_settings(**{**self._settings(), "TWINHOST_APP_SECRETS": json.dumps({"db": arn})})
        self.write("run/twinhost/secrets", "db\tapp_db_before\n")
        self.assertEqual(0, self.release("--back"), self.said)
        made = json.loads(self.read("var/lib/twinhost/stack/app.json"))
        self.assertEqual({"db": {"external": True, "name": "app_db_before"}}, made["secrets"])
        self.assertEqual([], [call for call in self.programs.calls if call.startswith("aws secretsmanager")])

    def test_no_registry_is_asked(self) -> None:
        self.with_application()
        self.engine.answer(f"GET /distribution/{IMAGE}/json", EngineRefused("away", 500))
        self.assertEqual(0, self.release("--back"), self.said)
        self.assertEqual(IMAGE, self.environment("docker stack deploy")["TWINHOST_APP_IMAGE"])

    def test_swarm_keeps_its_login_where_the_registry_is_away(self) -> None:
        self.paced.pace = 30
        arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-AbCdEf"
        self.with_application(TWINHOST_APP_REGISTRY_SECRET=arn)
        self.programs.fail("aws secretsmanager", "away", 255)
        self.assertEqual(0, self.release("--back"), self.said)
        self.assertNotIn("--with-registry-auth", self.docker("stack deploy")[0])

    def test_what_does_not_serve_again_is_the_end(self) -> None:
        self.paced.pace = 30
        self.engine.answer("GET /tasks", [])
        with self.assertRaisesRegex(Exception, "waited 240 s for every service to go back, last: twinhost_app 0 of 1"):
            self.release("--back")
        self.gone_back.assert_not_called()

    def _settings(self) -> dict[str, str]:
        return dict(self.context.settings().values)


if __name__ == "__main__":
    unittest.main()
