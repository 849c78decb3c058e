"""The secrets of the application, which leave no trace."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import unittest

from agent.engine import EngineRefused
from agent.errors import TimedOut
from agent.lease import Lease, lease
from agent.process import CommandFailed
from agent.release.secrets import bring_secrets, note_secrets, noted_secrets
from release.things import HostTest, service

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"
VALUE = "hunter2 'with' \"quotes\" $HOME"
GET = f"aws secretsmanager get-secret-value --region eu-west-1 --secret-id {ARN} --version-id v1 --output json"


class SecretsTest(HostTest):
    def setUp(self) -> None:
        super().setUp()
        self.wants('{"db":"' + ARN + '"}')
        self.versions({"v0": ["AWSPREVIOUS"], "v1": ["AWSCURRENT", "AWSPENDING"]})
        self.holds({"SecretString": VALUE})
        self.engine.answer("POST /secrets/create", {"ID": "made"})

    def test_swarm_holds_the_current_value_by_a_name_that_says_nothing(self) -> None:
        name = self.bring()["db"]
        self.assertRegex(name, r"\Aapp_db_[0-9a-f]{16}\Z")
        self.assertEqual(
            [
                {
                    "Name": name,
                    "Labels": {"com.docker.stack.namespace": "twinhost"},
                    "Data": base64.b64encode(VALUE.encode()).decode(),
                }
            ],
            self.engine.bodies,
        )
        self.assertIn(GET, self.programs.calls)
        for file in self.root.rglob("*"):
            if file.is_file() and not file.is_symlink():
                self.assertNotIn(b"hunter2", file.read_bytes(), str(file))

    def test_what_is_binary_is_taken_as_it_is(self) -> None:
        self.holds({"SecretBinary": "AAECAw=="})
        self.bring()
        self.assertEqual(["AAECAw=="], [body["Data"] for body in self.engine.bodies])  # type: ignore[index]

    def test_a_value_is_fetched_only_where_it_is_new_to_the_swarm(self) -> None:
        name = self.bring()["db"]
        self.engine.answer("GET /secrets", [{"ID": "x", "Spec": {"Name": name}}])
        self.assertEqual(name, self.bring()["db"])
        self.assertEqual(1, self.programs.calls.count(GET))
        self.versions({"v2": ["AWSCURRENT"]})
        self.assertNotEqual(name, self.bring()["db"])

    def test_another_machine_may_make_it_at_the_same_time(self) -> None:
        name = self.bring()["db"]
        self.engine.answer("POST /secrets/create", EngineRefused("rpc error: code = AlreadyExists", 409))
        looks: list[object] = [[], [{"ID": "x", "Spec": {"Name": name}}]]
        self.programs.answer(GET, self._then(lambda: self.engine.answer("GET /secrets", looks[1])))
        self.assertEqual(name, self.bring()["db"])

    def test_why_it_cannot_be_read_is_said_and_nothing_of_it(self) -> None:
        self.paced.pace = 30
        refusal = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: no"
        for answer, reason in (
            (CommandFailed(refusal, f"\n{refusal}\n", 254), refusal),
            (json.dumps({"SecretString": 7, "x": VALUE}), "the secret db cannot be read: SecretString is a number"),
            (json.dumps({"x": VALUE}), "the secret db cannot be read: SecretBinary is missing"),
            (VALUE, "the secret db cannot be read: the answer of aws secretsmanager get-secret-value is no JSON"),
        ):
            self.programs.answer("aws secretsmanager get-secret-value", answer)
            output = io.StringIO()
            with self.subTest(reason), self.assertRaises(TimedOut) as end, contextlib.redirect_stdout(output):
                self.bring()
            self.assertTrue(
                end.exception.reason.startswith(f"waited 60 s for the secret db, last: {reason}"), end.exception.reason
            )
            self.assertNotIn("hunter2", end.exception.reason + output.getvalue())
        self.assertEqual([], self.engine.bodies)

    def test_a_secret_without_a_current_version_is_waited_for(self) -> None:
        self.paced.pace = 30
        for versions in ({}, {"v1": ["AWSPREVIOUS"]}, {"v1": None}):
            self.versions(versions)
            with self.assertRaises(TimedOut), contextlib.redirect_stdout(io.StringIO()):
                self.bring()

    def test_those_that_the_application_has_are_noted_for_the_way_back(self) -> None:
        spec: dict[str, object] = {"Name": "twinhost_app"}
        secrets: list[object] = [{"File": {"Name": "db"}, "SecretName": "app_db_0"}, {"SecretName": "x"}, {}]
        spec["TaskTemplate"] = {"ContainerSpec": {"Secrets": secrets}}
        app = service("app")
        app["Spec"] = spec
        self.engine.answer("GET /services", [service("application"), app])
        note_secrets(self.context)
        self.assertEqual("db\tapp_db_0\n", self.read("run/twinhost/secrets"))
        had = noted_secrets(self.context)
        self.assertEqual({"db": "app_db_0"}, had)
        self.assertEqual({"db": "app_db_0"}, bring_secrets(self.held(), self.context, self.context.settings(), had))
        self.assertEqual([], [call for call in self.programs.calls if "secretsmanager" in call])

    def test_what_was_not_noted_is_brought(self) -> None:
        self.assertEqual({}, noted_secrets(self.context))
        self.write("run/twinhost/secrets", "half\nthree\tof\tthem\n\tnameless\n")
        self.assertEqual({}, noted_secrets(self.context))

    def bring(self) -> dict[str, str]:
        return bring_secrets(self.held(), self.context, self.context.settings(), {})

    def held(self) -> Lease:
        self.context.record.refresh()
        return lease(self.machine)

    def wants(self, secrets: str) -> None:
        self.write_settings(**{**self.context.settings().values, "TWINHOST_APP_SECRETS": secrets})

    def versions(self, stages: object) -> None:
        answer = json.dumps({"VersionIdsToStages": stages})
        self.programs.answer(f"aws secretsmanager describe-secret --region eu-west-1 --secret-id {ARN} ", answer)

    def holds(self, value: object) -> None:
        self.programs.answer("aws secretsmanager get-secret-value", json.dumps(value))

    def _then(self, change: object) -> object:
        def answer() -> str:
            change()  # type: ignore[operator]
            return json.dumps({"SecretString": VALUE})

        return answer


if __name__ == "__main__":
    unittest.main()
