"""A deploy from its beginning to its end, on a host with a Docker that answers what the test says."""

from __future__ import annotations

import json
import os
import unittest
from unittest import mock

from agent.engine import EngineRefused
from agent.errors import Unavailable
from agent.process import CommandFailed
from fakes import SHA
from release.things import URL, HostTest, note, services, task

SERVES = f"release {SHA} has converged"


class ApplyTest(HostTest):
    def test_what_serves_is_noted_reported_and_installed(self) -> None:
        self.assertEqual(0, self.release(), self.said)

        self.assertEqual(SERVES, self.last_line())
        self.assertEqual([f"SUCCESS {SERVES}"], self.reports)
        self.assertEqual(
            [
                "docker stack deploy -c stack.yml -c service.yml -c configs.json -c app.json -c stack.yml -c health.yml"
                " --prune --with-registry-auth --resolve-image never twinhost"
            ],
            self.docker("stack deploy"),
        )
        self.assertEqual(note(), self.context.record.release())
        self.installed.assert_called_once_with(self.context, self.machine.release)

    def test_only_what_nothing_needs_is_removed_and_the_lock_given_back(self) -> None:
        self.release()

        self.assertEqual(["/configs/old", "/configs/turn"], self.asked("DELETE"))
        self.assertFalse((self.machine.paths.volatile / "turn").exists())

    def test_the_stack_reads_the_settings_from_the_environment_of_the_call_alone(self) -> None:
        self.write_settings(**{**self._settings(), "TWINHOST_EMAIL": "a{{b}}{{{@example.com"})
        before = dict(os.environ)

        self.release()

        environment = self.environment("docker stack deploy")
        self.assertEqual('a{{"{{"}}b}}{{"{{"}}{@example.com', environment["TWINHOST_EMAIL"])
        for name, value in (
            ("TWINHOST_DOMAIN", "example.com"),
            ("TWINHOST_EDGE_GRACE", "496"),
            ("TWINHOST_APP_UPDATE_ORDER", "stop-first"),
            ("TWINHOST_APP_DELAY", "2"),
            ("TWINHOST_APP_HEALTH_PATH", "/"),
        ):
            self.assertEqual(value, environment[name])
        self.assertEqual(environment["TWINHOST_EDGE_IMAGE"], environment["TWINHOST_APP_IMAGE"])
        self.assertEqual(before, dict(os.environ))

    def _settings(self) -> dict[str, str]:
        return dict(self.context.settings().values)

    def test_a_single_replica_leaves_no_gap(self) -> None:
        self.write_settings(**{**self._settings(), "TWINHOST_APP_REPLICAS": "1"})
        self.release()
        self.assertEqual("start-first", self.environment("docker stack deploy")["TWINHOST_APP_UPDATE_ORDER"])

    def test_it_does_nothing_while_bootstrap_runs(self) -> None:
        (self.machine.paths.volatile / "bootstrap.lock").unlink()

        self.assertEqual(0, self.release())
        self.assertEqual(
            "does nothing: bootstrap runs, and brings this machine to the release that converged last", self.last_line()
        )
        self.assertEqual(([], []), (self.reports, self.docker()))

    def test_nothing_is_changed_without_the_lease(self) -> None:
        for own, reason in (
            ("cluster-b\n", "the cluster record names another cluster than the one of this machine"),
            ("", "this machine is in no cluster"),
        ):
            self.write("var/lib/twinhost/cluster-id", own)
            self.assertEqual(1, self.release())
            self.assertEqual(f"changes nothing: {reason}", self.last_line())
        self.assertEqual(
            ["FAILURE changes nothing: the cluster record names another cluster than the one of this machine"],
            self.reports,
            "each deploy is answered once",
        )
        self.assertEqual(([], []), (self.docker(), self.asked("POST")))

    def test_nothing_is_changed_where_the_record_cannot_be_read(self) -> None:
        self.write("srv/twinhost/swarm/generations/1/managers/i-0a", "7 perhaps\n")

        self.assertEqual(1, self.release())
        self.assertEqual(
            "changes nothing: the cluster record was not read since this machine started", self.last_line()
        )
        self.assertEqual([], self.docker())

    def test_the_lease_is_taken_again_after_the_wait_for_the_lock(self) -> None:
        def leave() -> str:
            self.write("var/lib/twinhost/cluster-id", "cluster-b\n")
            return ""

        # the last thing before Swarm is asked for the lock
        self.programs.answer("docker rm --force", leave)
        self.assertEqual(1, self.release())
        self.assertIn("changes nothing: ", self.last_line())
        self.assertEqual([], self.docker("stack deploy"))
        self.assertEqual(["/configs/turn"], self.asked("DELETE"))

    def test_a_parameter_that_cannot_be_read_is_the_end(self) -> None:
        self.programs.answer("aws ssm get-parameter --name /site/release ", CommandFailed("no", "no", 255))
        self.assertEqual(1, self.release())
        self.assertEqual("the parameter /site/release could not be read", self.last_line())
        self.assertEqual(["FAILURE the parameter /site/release could not be read"], self.reports)

    def test_why_a_release_cannot_be_fetched_is_in_the_log(self) -> None:
        with mock.patch("agent.release.apply.obtain", side_effect=Unavailable("No space left on device: x")):
            self.assertEqual(1, self.release())
        self.assertIn("  the release: No space left on device: x\n", self.said)
        self.assertTrue(self.last_line().startswith("the release could not be fetched: {"), self.last_line())

    def test_another_release_is_applied_by_its_own_code(self) -> None:
        newer = "c" * 64
        folder = self.machine.paths.releases / newer
        folder.mkdir()
        self.parameters["/site/release"] = json.dumps(note(newer))
        for arguments in ((), ("--resolve",)):
            with mock.patch("agent.release.apply.hand_over", side_effect=Unavailable("gone over")) as hand_over:
                self.release(*arguments)
            hand_over.assert_called_once_with(folder, *arguments)
        self.assertEqual([], self.docker())

    def test_a_release_that_is_named_while_it_waited_for_the_lock_is_gone_over_to(self) -> None:
        self.engine.answer("POST /configs/create", EngineRefused("config twinhost_release already exists", 409))
        held = {"ID": "held", "Spec": {"Name": "twinhost_release", "Labels": {"twinhost.instance": "i-0b"}}}
        self.engine.answer("GET /configs", [held])
        newer = "c" * 64
        (self.machine.paths.releases / newer).mkdir()

        def end_the_other(seconds: float) -> None:
            self.clock.now += seconds
            self.engine.answer("POST /configs/create", {"ID": "turn"})
            self.parameters["/site/release"] = json.dumps(note(newer))

        with (
            mock.patch.object(self.clock, "sleep", end_the_other),
            mock.patch("agent.release.apply.hand_over", side_effect=Unavailable("gone over")) as hand_over,
        ):
            self.release()
        self.assertIn("waits for another release to end: i-0b applies one\n", self.said)
        hand_over.assert_called_once_with(self.machine.paths.releases / newer)
        self.assertEqual(["/configs/turn"], self.asked("DELETE"))
        self.assertEqual([], self.docker("stack deploy"))

    def test_the_words_of_a_check_are_the_reason_everywhere(self) -> None:
        self.programs.fail("docker run", 'nginx: [emerg] no "events" section in configuration')
        self.assertEqual(1, self.release())
        reason = 'Nginx refuses the files of this release: no "events" section in configuration'
        self.assertEqual(reason, self.last_line())
        self.assertEqual([f"FAILURE {reason}"], self.reports)
        self.assertIn("\n  check.sh: nginx: [emerg]", self.said)
        self.assertEqual([], self.docker("stack deploy"))

    def test_what_swarm_refuses_is_refused_by_its_words(self) -> None:
        self.programs.fail("docker stack deploy", "Creating service x\nservices.edge.ports.0 must be unique")
        self.assertEqual(1, self.release())
        self.assertEqual("services.edge.ports.0 must be unique", self.last_line())
        self.assertEqual(1000, self.clock.uptime())

    def test_what_two_machines_do_at_once_is_tried_again(self) -> None:
        tries: list[int] = []

        def first_out_of_sequence() -> str:
            tries.append(1)
            if len(tries) == 1:
                raise CommandFailed("update out of sequence", "rpc error: desc = update out of sequence", 1)
            return ""

        self.programs.answer("docker stack deploy", first_out_of_sequence)
        self.assertEqual(0, self.release(), self.said)
        self.assertEqual(2, len(tries))

    def test_what_did_not_converge_in_time_is_said(self) -> None:
        self.paced.pace = 30
        self.engine.answer("GET /tasks", [task("pending", "no suitable node")])
        self.assertEqual(1, self.release())
        # of a first release, what is wrong with the application is said, too
        reason = "waited 540 s for every service to converge, last: twinhost_app 0 of 1; last error: no suitable node"
        self.assertEqual(reason, self.last_line())
        self.assertIsNone(self.context.record.release())
        self.gone_back.assert_not_called()

    def test_answers_that_cannot_be_read_are_never_taken_for_converged(self) -> None:
        self.paced.pace = 30
        for broken in ("", "null", "{}", '[{"ID":', "[7]", "[{}]", EngineRefused("no leader", 503)):
            for path in ("GET /nodes", "GET /services", "GET /tasks"):
                with self.subTest(path=path, broken=broken):
                    kept = self.engine.answers_by_path[path]
                    self.programs.answer("docker stack deploy", self._breaks(path, broken))
                    self.assertEqual(1, self.release())
                    self.assertIn("waited 540 s for every service to converge, last: ", self.last_line())
                    self.assertIsNone(self.context.record.release())
                    self.engine.answer(path, kept)

    def _breaks(self, path: str, answer: object) -> object:
        def breaks() -> str:
            self.engine.answer(path, answer)
            return ""

        return breaks

    def test_what_is_started_again_and_again_has_not_converged(self) -> None:
        def again(seconds: float) -> None:
            self.clock.now += seconds
            self.engine.answer("GET /tasks", [task(id_=f"t{self.clock.now}")])

        with mock.patch.object(self.clock, "sleep", again):
            self.assertEqual(1, self.release())
        self.assertIn("last: the same containers to run for 10 s", self.last_line())

    def test_a_damaged_record_takes_no_release_down(self) -> None:
        self.paced.pace = 30
        for path, content in (("run/twinhost/record", "{"), ("run/twinhost/record", ""), ("release", "{")):
            file = self.machine.release / "release.json" if path == "release" else self.root / path

            def damage() -> str:
                file.write_text(content)  # noqa: B023
                return ""

            with self.subTest(path=path, content=content):
                self.programs.answer("docker stack deploy", damage)
                self.assertEqual(1, self.release())
                self.assertEqual(
                    "waited 60 s for the shared storage to take the release down, last: what this machine has read of"
                    " the record, or of the release, is damaged",
                    self.last_line(),
                )
                self.assertIsNone(self.context.record.release())
                self.write_release()

    def test_a_generation_that_was_founded_meanwhile_does_not_run_this_release(self) -> None:
        def found_another() -> str:
            self.context.record.claim(2, "i-0b", "10.0.0.11")
            self.context.record.found(2, "cluster-b", "token")
            self.context.record.refresh()
            return ""

        self.programs.answer("docker stack deploy", found_another)
        self.assertEqual(1, self.release())
        self.assertIn("names another cluster", self.last_line())
        self.assertIsNone(self.context.record.release())

    def test_leftovers_stay_where_swarm_does_not_say_what_it_needs(self) -> None:
        for broken in ("null", "[]", "", '[{"Spec":', "{}"):
            self.installed.side_effect = lambda *_: self.engine.answer("GET /services", broken)  # noqa: B023
            with self.subTest(broken):
                self.engine.answer("GET /services", services())
                self.assertEqual(0, self.release(), self.said)
                self.assertIn("configs and secrets that nothing uses stay until the next release\n", self.said)
        self.assertNotIn("/configs/old", self.asked("DELETE"))

    def test_a_defect_is_reported_by_its_place_and_shows_no_value(self) -> None:
        with (
            mock.patch("agent.release.apply.check_health", side_effect=ValueError("hunter2")),
            self.assertRaises(ValueError),
        ):
            self.release()
        self.assertRegex(self.reports[0], r"\AFAILURE ended with status 1: line \d+ of \w+\.py failed: ValueError\Z")

    def test_a_witness_has_the_verbs_alone(self) -> None:
        object.__setattr__(self.machine, "role", "witness")
        self.assertEqual(0, self.release())
        self.assertEqual(f"this witness has release {SHA}", self.last_line())
        self.installed.assert_called_once()
        self.assertEqual(([], []), (self.reports, self.docker()))

    def test_arguments_that_do_not_exist_are_refused(self) -> None:
        with self.assertRaisesRegex(Exception, "release has no arguments --again"):
            self.release("--again")

    def test_the_url_is_on_standard_input_alone(self) -> None:
        self.release()
        self.assertEqual(1, len(self.reports))
        self.assertNotIn(URL, self.said + "".join(self.programs.calls) + str(self.programs.environments))
        for file in self.root.rglob("*"):
            if file.is_file() and not file.is_symlink():
                self.assertNotIn(URL.encode(), file.read_bytes(), str(file))


if __name__ == "__main__":
    unittest.main()
