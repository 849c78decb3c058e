from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import signal
from collections.abc import Sequence
from unittest import mock

from agent.context import Context
from agent.decide.targets import Target
from agent.errors import Damaged, NotYet, Refused, TimedOut, Unavailable
from agent.locks import is_free, try_held
from agent.verbs import bootstrap
from fakes import FakePrograms, MachineTest, directly

OTHER = "c" * 64
ARNS = ["arn:aws:x:targetgroup/http/1", "arn:aws:x:targetgroup/https/2"]
NOTE = {"bucket": "bucket", "key": "key", "balancer": "balancer.example.net", "targetGroups": ARNS}
READY = {"ID": "node-1", "Description": {"Hostname": "ip-1"}, "Status": {"State": "ready"}}
DOWN = {"ID": "node-1", "Description": {"Hostname": "ip-1"}, "Status": {"State": "down"}}
EDGE = {"NodeID": "node-1", "CreatedAt": "2026-01-01T00:00:00Z", "Status": {"State": "running"}}


class HandedOver(Exception):
    """The process has become another."""


class BootstrapTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.write(f"opt/twinhost/releases/{self.machine.sha}/release.json", json.dumps(NOTE))
        self.steps: list[str] = []
        # by the name of a step: what it raises or returns
        self.outcomes: dict[str, object] = {}
        self.metadata: dict[str, str | Exception] = {"instance-id": "i-0b\n", "local-ipv4": "10.0.0.11"}
        self.programs = FakePrograms().answer("systemctl")
        self.programs.fail("systemctl -q is-active docker", status=3)
        self.replace("call", self.programs)
        self.replace("metadata", self.ask_metadata)
        self.replace("activate", lambda _: self.step("activate"))
        self.addCleanup(signal.signal, signal.SIGPIPE, signal.getsignal(signal.SIGPIPE))
        self.replace("os.execvp", self.exec)
        self.replace("releases.install", lambda _, folder: self.step(f"install {folder.name[:1]}"))
        for verb in ("certificate", "tickets", "join", "release"):
            self.replace(f"{verb}.run", self.verb(verb))
        self.engine.swarm("active", "cluster-a").answer("GET /nodes", [READY]).answer("GET /tasks", [EDGE])
        self.health = ["healthy", "healthy"]
        for name, stand_in in (("agent.aws.target_health", self.target_health), ("agent.record.contained", directly)):
            patch = mock.patch(name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)

    def replace(self, name: str, stand_in: object) -> None:
        patch = mock.patch(f"agent.verbs.bootstrap.{name}", stand_in)
        patch.start()
        self.addCleanup(patch.stop)

    def step(self, name: str) -> object:
        self.steps.append(name)
        outcome = self.outcomes.get(name)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def verb(self, name: str) -> object:
        def run(context: Context, arguments: list[str]) -> object:
            self.instance = context.machine.instance
            return self.step(" ".join([name, *arguments]))

        return run

    def ask_metadata(self, _clock: object, path: str) -> str:
        said = self.metadata[path]
        if isinstance(said, Exception):
            raise said
        return said

    def exec(self, program: str, arguments: Sequence[str]) -> None:
        self.steps.append(" ".join(arguments).replace(str(self.root), ""))
        self.assertEqual(program, "bash")
        self.assertEqual(signal.SIG_DFL, signal.getsignal(signal.SIGPIPE), "a shell could not be ended by it any more")
        raise HandedOver

    def target_health(self, arns: Sequence[str]) -> list[Target]:
        self.assertEqual(arns, ARNS)
        return [Target(group, "i-0b", state) for group, state in zip(("http", "https"), self.health)]

    def survivor(self) -> None:
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.write("var/lib/docker/swarm/docker-state.json", "{}")

    def converge(self, sha: str) -> None:
        """That release is noted in the record of the cluster, and on the disk."""
        self.context.record.claim(1, "i-old", "10.0.0.99")
        self.context.record.converged(1, sha, {**NOTE, "sha256": sha})
        (self.machine.paths.releases / sha).mkdir(exist_ok=True)

    def run_verb(self) -> tuple[object, str]:
        """The exit status or the reason, and the last line of the log."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            try:
                status: object = bootstrap.run(self.context, [])
            except (Refused, TimedOut, Unavailable) as problem:
                status = problem.reason
        lines = output.getvalue().splitlines()
        return status, lines[-1].partition(" ")[2] if lines else ""


class FirstBoot(BootstrapTest):
    STEPS = ("install 5", "certificate", "tickets", "join", "release --boot")

    def test_takes_its_steps_in_order(self) -> None:
        self.assertEqual(self.run_verb(), (0, "twinhost: this machine is complete"))
        self.assertEqual(self.steps, list(self.STEPS))

    def test_notes_which_instance_it_is_for_what_follows(self) -> None:
        self.run_verb()
        self.assertEqual(
            self.read("var/lib/twinhost/instance.env"),
            "export TWINHOST_INSTANCE=i-0b\nexport TWINHOST_ADDRESS=10.0.0.11\n",
        )
        self.assertEqual(self.instance, "i-0b")

    def test_waits_for_a_metadata_service_that_names_an_instance(self) -> None:
        for name, said in (
            ("instance-id", ""),
            ("instance-id", "x"),
            ("local-ipv4", "10.0.0"),
            ("local-ipv4", "a.b.c.d"),
        ):
            with self.subTest(said), mock.patch.dict(self.metadata, {name: said}):
                self.assertIn("waited 120 s for the metadata service", str(self.run_verb()[0]))
        self.metadata["instance-id"] = Unavailable("status 404")
        self.assertEqual(self.run_verb()[0], "waited 120 s for the metadata service, last: status 404")
        self.assertEqual(self.steps, [])

    def test_forgets_that_its_edge_had_to_go(self) -> None:
        self.write("var/lib/twinhost/tls/retire", "")
        self.run_verb()
        self.assertFalse((self.root / "var/lib/twinhost/tls/retire").exists())

    def test_is_one_at_a_time(self) -> None:
        with try_held(self.machine.paths.volatile / "bootstrap.lock") as got:
            self.assertTrue(got)
            self.assertEqual(self.run_verb()[0], "another bootstrap is running")
        self.assertEqual(self.steps, [])

    def test_holds_its_lock_to_the_end(self) -> None:
        lock = self.machine.paths.volatile / "bootstrap.lock"
        free: list[bool] = []
        self.replace("release.run", lambda *_: free.append(is_free(lock)))
        self.run_verb()
        self.assertEqual((free, is_free(lock)), ([False], True))

    def test_ends_with_the_reason_of_the_step_that_failed(self) -> None:
        for number, step in enumerate(self.STEPS):
            if step in ("install 5", "tickets"):
                continue
            for outcome in (Refused("the reason"), Damaged("the reason"), OSError("the reason"), 1):
                with self.subTest(step, outcome=outcome), mock.patch.dict(self.outcomes, {step: outcome}):
                    self.steps.clear()
                    status, last = self.run_verb()
                    self.assertEqual(status, 1)
                    self.assertEqual(self.steps, list(self.STEPS[: number + 1]))
                    if outcome != 1:
                        self.assertRegex(last, f"^{step.split()[0]}: (broke off: )?the reason$")

    def test_serves_without_the_keys_of_session_tickets(self) -> None:
        for outcome in (Refused("no"), NotADirectoryError(20, "Not a directory", "/dev/shm/twinhost"), 1):
            with self.subTest(outcome), mock.patch.dict(self.outcomes, {"tickets": outcome}):
                self.assertEqual(self.run_verb()[0], 0)

    def test_does_not_hide_a_defect(self) -> None:
        self.outcomes["release --boot"] = KeyError("a defect")
        with self.assertRaises(KeyError):
            self.run_verb()

    def test_stops_where_systemd_does_not_take_its_units(self) -> None:
        self.outcomes["install 5"] = Unavailable("Failed to enable unit")
        self.assertEqual(self.run_verb()[0], "Failed to enable unit")
        self.assertEqual(self.steps, ["install 5"])

    def test_waits_for_the_storage(self) -> None:
        self.programs.fail("systemctl start srv-twinhost.mount", "Job failed")
        with mock.patch("agent.machine.Machine.mounted", return_value=False):
            self.assertEqual(self.run_verb()[0], "waited 300 s for the shared storage, last: Job failed")
        self.assertEqual(self.steps, ["install 5"])

    def test_starts_nothing_without_the_release_that_converged_last(self) -> None:
        self.converge(OTHER)
        note = self.machine.paths.shared / f"swarm/generations/1/releases/{OTHER}.json"
        whole = note.read_text()
        for broken in ("", "null", "{}", whole[:50], whole.replace(OTHER, "..")):
            with self.subTest(broken):
                self.steps.clear()
                note.write_text(broken)
                self.assertEqual(self.run_verb()[0], "the release that converged last could not be fetched")
                self.assertEqual(self.steps, ["install 5"])

    def test_hands_over_to_the_release_that_converged_last(self) -> None:
        self.converge(OTHER)
        with self.assertRaises(HandedOver):
            self.run_verb()
        self.assertEqual(
            self.steps,
            ["install 5", "install c", f"bash /opt/twinhost/releases/{OTHER}/docker/host/bootstrap.sh"],
        )

    def test_hands_over_to_nobody_where_that_is_itself(self) -> None:
        self.converge(self.machine.sha)
        self.assertEqual(self.run_verb()[0], 0)


class Docker(BootstrapTest):
    def test_is_configured_byte_for_byte_as_ever(self) -> None:
        self.run_verb()
        self.assertEqual(self.read("etc/docker/daemon.json"), DAEMON)
        self.assertEqual((self.root / "etc/docker/daemon.json").stat().st_mode & 0o777, 0o644)

    def test_restarts_only_where_its_configuration_has_changed_and_it_runs(self) -> None:
        start = "systemctl -q enable --now docker"
        asked = "systemctl -q is-active docker"
        self.run_verb()
        self.assertEqual(self.programs.calls, [asked, start])
        self.programs.answer(asked)
        self.programs.calls.clear()
        self.run_verb()
        self.assertEqual(self.programs.calls, [start])
        self.write("etc/docker/daemon.json", "{}")
        self.programs.calls.clear()
        self.run_verb()
        self.assertEqual(self.programs.calls, [asked, "systemctl restart docker", start])

    def test_is_waited_for(self) -> None:
        self.engine.answer("GET /_ping", Unavailable("Docker cannot be asked: Connection refused"))
        self.assertEqual(
            self.run_verb()[0], "waited 120 s for Docker, last: Docker cannot be asked: Connection refused"
        )
        self.assertNotIn("join", self.steps)


class Survivor(BootstrapTest):
    STEPS = ("install 5", "certificate", "tickets", "activate", "release --boot")

    def setUp(self) -> None:
        super().setUp()
        self.survivor()

    def record(self, cluster: str) -> None:
        self.context.record.claim(1, "i-old", "10.0.0.99")
        self.context.record.found(1, cluster, "token")

    def storage_is_away(self) -> None:
        (self.root / "srv").mkdir(exist_ok=True)
        (self.root / "srv").rename(self.root / "away")
        (self.root / "srv").write_text("")

    def test_is_back_without_joining(self) -> None:
        self.record("cluster-a")
        self.assertEqual(self.run_verb(), (0, "twinhost: this machine is back"))
        self.assertEqual(self.steps, list(self.STEPS))

    def test_is_none_without_state_of_a_swarm(self) -> None:
        (self.root / "var/lib/docker/swarm/docker-state.json").unlink()
        self.run_verb()
        self.assertIn("join", self.steps)

    def test_serves_without_the_storage(self) -> None:
        self.storage_is_away()
        self.assertEqual(self.run_verb()[0], 0)
        self.assertEqual(self.steps, list(self.STEPS))

    def test_says_that_the_storage_is_not_mounted(self) -> None:
        self.programs.fail("systemctl start srv-twinhost.mount", "Job failed")
        with mock.patch("agent.machine.Machine.mounted", return_value=False):
            self.assertEqual(
                self.run_verb()[0], "the shared storage is not mounted: what is served goes on being served"
            )
        self.assertEqual(self.steps, list(self.STEPS))

    def test_hands_over_to_the_release_that_converged_last(self) -> None:
        self.converge(OTHER)
        with self.assertRaises(HandedOver):
            self.run_verb()
        self.assertEqual(self.steps[1], "install c")

    def test_does_not_take_an_installation_that_failed_for_a_storage_that_is_away(self) -> None:
        self.converge(OTHER)
        self.outcomes["install c"] = Unavailable("Failed to enable unit")
        self.assertEqual(self.run_verb()[0], "Failed to enable unit")

    def test_leaves_another_cluster_to_heal(self) -> None:
        self.record("cluster-b")
        self.assertEqual(self.run_verb(), (0, "twinhost: the record names another cluster: heal follows it"))
        self.assertEqual(self.steps, ["install 5", "certificate", "tickets"])

    def test_stays_in_its_cluster_where_the_record_is_broken(self) -> None:
        self.record("cluster-b")
        self.write("srv/twinhost/swarm/generations/1/managers/i-old", "broken")
        self.assertEqual(self.run_verb()[0], 0)

    def test_lets_heal_work_once_docker_runs(self) -> None:
        lock = self.machine.paths.volatile / "bootstrap.lock"
        free: list[bool] = []
        self.replace("certificate.run", lambda *_: free.append(is_free(lock)))
        self.replace("release.run", lambda *_: free.append(is_free(lock)))
        self.run_verb()
        self.assertEqual(free, [False, True])

    def test_says_that_no_leader_is_seen(self) -> None:
        for info in ({"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}, "", "null", "{}"):
            with self.subTest(info):
                self.steps.clear()
                self.engine.answer("GET /info", info)
                self.assertEqual(self.run_verb()[0], "no leader of the Swarm is seen: what runs goes on running")
                self.assertEqual(self.steps, ["install 5", "certificate", "tickets"])

    def test_says_that_it_could_not_be_made_active(self) -> None:
        self.outcomes["activate"] = Unavailable("Error response from daemon")
        self.assertEqual(
            self.run_verb()[0], "waited 60 s for this machine to be active, last: Error response from daemon"
        )
        self.assertNotIn("release --boot", self.steps)


class CompleteTest(BootstrapTest):
    def setUp(self) -> None:
        super().setUp()
        self.context = dataclasses.replace(
            self.context, machine=dataclasses.replace(self.machine, instance="i-0b", address="10.0.0.11")
        )

    def assert_missing(self, reason: str) -> None:
        with self.assertRaises(NotYet) as raised:
            bootstrap.require_complete(self.context)
        self.assertEqual(raised.exception.reason, reason)

    def test_is_so_where_nothing_is_missing(self) -> None:
        bootstrap.require_complete(self.context)

    def test_asks_the_swarm_before_the_balancer(self) -> None:
        self.health = ["unhealthy", "unhealthy"]
        self.engine.answer("GET /tasks", [])
        self.assert_missing("the edge on this machine: no task yet")
        self.engine.answer("GET /nodes", [DOWN])
        self.assert_missing("these managers are down: ip-1")
        self.engine.swarm("inactive", "")
        self.assert_missing("this machine is not active in the Swarm")

    def test_says_what_the_target_groups_say(self) -> None:
        self.health = ["unhealthy", "unhealthy"]
        self.assert_missing("http says unhealthy, https says unhealthy, 0 of 2 target groups call it healthy")

    def test_says_no_where_an_answer_is_broken(self) -> None:
        for path, reason in (
            ("/info", "this machine is not active in the Swarm"),
            ("/nodes", "no leader is seen"),
            ("/tasks", "the edge on this machine: unknown"),
        ):
            whole = self.engine.answers_by_path[f"GET {path}"]
            for broken in ("", "null", "7", '"text"', "[7]", json.dumps(whole)[:-9], Unavailable("no answer")):
                with self.subTest(path, broken=broken):
                    self.engine.answer(f"GET {path}", broken)
                    self.assert_missing(reason)
            self.engine.answer(f"GET {path}", whole)

    def test_says_no_where_the_balancer_does_not_say_the_whole(self) -> None:
        for problem in (Unavailable("no answer"), Damaged("the target group http names no target")):
            with self.subTest(problem), mock.patch("agent.aws.target_health", side_effect=problem):
                self.assert_missing("the balancer names no target, or cannot be asked")
        self.write(f"opt/twinhost/releases/{self.machine.sha}/release.json", "{}")
        self.assert_missing("the balancer names no target, or cannot be asked")


class WitnessTest(BootstrapTest):
    role = "witness"

    def test_needs_no_edge_and_no_target(self) -> None:
        self.engine.answer("GET /tasks", [])
        self.health = ["unhealthy", "unhealthy"]
        self.assertEqual(self.run_verb(), (0, "twinhost: this machine is complete"))
        self.assertIn('"twinhost.role=witness"', self.read("etc/docker/daemon.json"))


DAEMON = """{
  "labels": [
    "twinhost.role=host",
    "twinhost.instance=i-0b"
  ],
  "log-driver": "local",
  "log-opts": {
    "max-size": "10m",
    "max-file": "3"
  },
  "bip": "172.17.0.1/16",
  "default-address-pools": [
    {
      "base": "172.18.0.0/16",
      "size": 24
    }
  ]
}
"""
