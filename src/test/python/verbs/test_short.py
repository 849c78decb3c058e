"""The verbs metrics, prune and credentials."""

from __future__ import annotations

import contextlib
import io
import json
from unittest import mock

from agent.errors import Damaged, Refused, Unavailable
from agent.process import CommandFailed
from agent.verbs import credentials, metrics, prune
from fakes import FakePrograms, MachineTest

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
UPDATE = "docker service update --quiet --detach --no-resolve-image --with-registry-auth twinhost_app"


class VerbTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms()
        for room in ("served", "aws", "registry"):
            self.patch(f"agent.{room}.run", self.programs)
        self.patch("agent.verbs.prune.call", self.programs)
        self.patch("agent.verbs.credentials.call", self.programs)

    def patch(self, name: str, value: object) -> None:
        patch = mock.patch(name, value)
        patch.start()
        self.addCleanup(patch.stop)


class MetricsTest(VerbTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs.answer("aws").answer("openssl s_client", PEM)
        self.programs.answer("openssl x509 -noout -enddate", "notAfter=Mar 17 17:46:40 2030 GMT\n")
        self.programs.answer("openssl verify", f"{self.root}/run/twinhost/served.pem: OK\n")
        self.patch("agent.served.time.time", lambda: 1_900_000_000.0 - 60 * 86400)

    def verb(self) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            metrics.run(self.context, [])
        return said.getvalue()

    def published(self) -> dict[str, int]:
        call = next(call for call in reversed(self.programs.calls) if call.startswith("aws"))
        head, _, data = call.partition(" --metric-data ")
        self.assertEqual("aws cloudwatch put-metric-data --namespace Site", head)
        return {one["MetricName"]: one["Value"] for one in json.loads(data)}

    def test_what_the_edge_serves(self) -> None:
        self.assertEqual("", self.verb())
        self.assertEqual({"CertificateDaysLeft": 60, "CertificateTrusted": 1}, self.published())
        self.assertEqual(PEM, self.read("run/twinhost/served.pem"))

    def test_nothing_that_breaks_is_a_good_figure(self) -> None:
        for begin in ("openssl s_client", "openssl x509", "openssl verify"):
            kept = list(self.programs.answers)
            for answer in ("", "null", CommandFailed("killed", "", -9), Unavailable("no end")):
                with self.subTest((begin, answer)):
                    self.programs.answer(begin, answer)
                    self.verb()
                    found = self.published()
                    if begin == "openssl x509":
                        self.assertEqual({"CertificateTrusted": 1}, found)
                    elif begin == "openssl verify":
                        self.assertEqual({"CertificateDaysLeft": 60, "CertificateTrusted": 0}, found)
                    else:
                        self.assertEqual({"CertificateTrusted": 0}, found)
            self.programs.answers = kept

    def test_that_it_cannot_publish_is_said_once(self) -> None:
        self.programs.fail("aws", "\nAn error occurred (AccessDenied)\n", 254)
        said = ": the metrics cannot be published: An error occurred (AccessDenied)\n"
        self.assertTrue(self.verb().endswith(said))
        self.assertEqual("", self.verb())
        self.programs.answer("aws")
        self.assertEqual("", self.verb())
        self.programs.fail("aws")
        self.assertIn("the metrics cannot be published", self.verb())


class PruneTest(VerbTest):
    def setUp(self) -> None:
        super().setUp()
        service = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": "a:2"}}}}
        self.engine.answer("GET /services", [service])
        self.engine.answer("GET /containers/json?all=true", [{"ImageID": "three"}])
        self.engine.answer("GET /images/json", [{"Id": name, "RepoTags": [f"a:{name}"]} for name in ("one", "three")])

    def test_it_removes_what_nothing_needs(self) -> None:
        self.programs.answer("docker image rm")
        prune.run(self.context, [])
        self.assertEqual(["docker image rm --force one"], self.programs.calls)

    def test_one_that_cannot_be_removed_keeps_no_other(self) -> None:
        self.engine.answer("GET /containers/json?all=true", [])
        self.programs.fail("docker image rm --force one", "conflict").answer("docker image rm --force three")
        prune.run(self.context, [])
        self.assertEqual(2, len(self.programs.calls))

    def test_it_removes_nothing_where_nobody_says_what_is_needed(self) -> None:
        self.engine.answer("GET /services", Unavailable("no leader"))
        with self.assertRaises(Refused) as raised:
            prune.run(self.context, [])
        self.assertEqual("removes nothing: no leader of the Swarm says what its services need", raised.exception.reason)

    def test_a_broken_answer_is_no_list_of_what_is_not_needed(self) -> None:
        for call in ("GET /services", "GET /containers/json?all=true", "GET /images/json"):
            for answer in ("", "null", "{}", "[{", "[null]", "[[]]"):
                kept = self.engine.answers_by_path[call]
                with self.subTest((call, answer)), self.assertRaises(Damaged):
                    self.engine.answer(call, answer)
                    prune.run(self.context, [])
                self.engine.answer(call, kept)
        self.assertEqual([], self.programs.calls)


class CredentialsTest(VerbTest):
    def setUp(self) -> None:
        super().setUp()
        self.engine.swarm("active", "cluster-a").answer("GET /nodes/node-1", {"ManagerStatus": {"Leader": True}})
        self.service(f"{ECR}/shop:1@sha256:0")
        self.engine.answer("GET /tasks", [{"DesiredState": "running", "Status": {"State": "running"}}])
        self.programs.answer("aws ecr", "password\n").answer("docker login").answer(UPDATE)

    def service(self, image: object) -> None:
        spec = {"TaskTemplate": {"ContainerSpec": {"Image": image}}}
        self.engine.answer("GET /services/twinhost_app", {"Spec": spec, "UpdateStatus": None})

    def changes(self) -> bool:
        self.programs.calls.clear()
        with contextlib.redirect_stdout(io.StringIO()) as said:
            credentials.run(self.context, [])
        self.assertEqual("", said.getvalue())
        return UPDATE in self.programs.calls

    def test_a_fresh_password_that_swarm_gets_from_where_it_was_logged_in(self) -> None:
        self.assertTrue(self.changes())
        self.assertEqual(
            ["aws ecr get-login-password --region eu-west-1", f"docker login --username AWS --password-stdin {ECR}"],
            self.programs.calls[:2],
        )
        folder = {"DOCKER_CONFIG": str(self.root / "run/twinhost/docker")}
        self.assertEqual([folder, folder], self.programs.environments[1:])

    def test_nothing_that_breaks_is_a_service_that_rests(self) -> None:
        for call in ("GET /info", "GET /nodes/node-1", "GET /services/twinhost_app", "GET /tasks"):
            for answer in ("", "null", "{}", "[]", "[{", "7", "[[]]", Unavailable("killed")):
                if call == "GET /tasks" and answer == "[]":
                    continue
                kept = self.engine.answers_by_path[call]
                with self.subTest((call, answer)):
                    self.engine.answer(call, answer)
                    self.assertFalse(self.changes())
                    self.assertEqual([], self.programs.calls)
                self.engine.answer(call, kept)

    def test_another_manager_leads(self) -> None:
        for status in ({"Reachability": "reachable"}, {"Leader": False}, {"Leader": None}):
            with self.subTest(status):
                self.engine.answer("GET /nodes/node-1", {"ManagerStatus": status})
                self.assertFalse(self.changes())

    def test_a_registry_that_it_has_no_login_for(self) -> None:
        self.service("public.ecr.aws/docker/library/nginx:1")
        self.assertFalse(self.changes())

    def test_what_swarm_does_not_take_is_the_end(self) -> None:
        self.programs.fail(UPDATE, "first\nError response from daemon: rpc error\n")
        with self.assertRaises(Refused) as raised:
            credentials.run(self.context, [])
        self.assertEqual(
            "the application did not take the fresh password: Error response from daemon: rpc error",
            raised.exception.reason,
        )


class WitnessTest(VerbTest):
    role = "witness"

    def test_metrics_are_of_hosts(self) -> None:
        metrics.run(self.context, [])
        self.assertEqual([], self.programs.calls)
