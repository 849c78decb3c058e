"""What a manager does for its cluster, whoever leads it: the rooms around the decisions, wired as on a machine."""

from __future__ import annotations

import dataclasses
from unittest import mock

from agent.context import Context
from agent.engine import EngineRefused
from agent.errors import Unavailable
from agent.locks import held
from verbs.leader import OTHER, REPLACED, START, LeaderTest

MISSED = "c" * 64


class BeginningTest(LeaderTest):
    def test_should_ask_aws_nothing_while_every_machine_is_there(self) -> None:
        self.assertEqual([], self.heal())
        self.assertEqual([], self.programs.calls)

    def test_should_do_nothing_before_this_boots_bootstrap_has_ended(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        lock = self.root / "run/twinhost/bootstrap.lock"
        with held(lock, 0):
            self.assertEqual([], self.heal())
        lock.unlink()
        self.assertEqual([], self.heal())
        self.context = Context(dataclasses.replace(self.machine, instance=None), self.engine, self.record)
        lock.touch()
        self.assertEqual([], self.heal())

        self.assertEqual([], self.programs.calls)

    def test_should_do_nothing_beside_another_run_or_on_the_way_out(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        with held(self.root / "run/twinhost/heal.lock", 0):
            self.assertEqual([], self.heal())
        self.write("run/twinhost/leaving", "")
        self.assertEqual([], self.heal())

        self.assertEqual([], self.programs.calls)

    def test_should_start_bootstrap_again_on_a_machine_that_is_in_no_cluster(self) -> None:
        (self.root / "var/lib/twinhost/cluster-id").unlink()

        self.assertEqual(["this machine is in no cluster: bootstrap is started again"], self.heal())
        self.assertEqual([], self.heal())
        self.assertEqual([START, START], self.programs.calls)

    def test_should_say_once_that_docker_does_not_answer(self) -> None:
        self.engine.answer("GET /_ping", Unavailable("Docker cannot be asked"))

        self.assertEqual(["Docker does not answer"], self.heal())
        self.assertEqual([], self.heal())

    def test_should_change_nothing_while_the_record_cannot_be_read(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        for damage in (b"", b"cut", b"\xff"):
            (self.root / "srv/twinhost/swarm/generations/1/cluster-id").write_bytes(damage)
            self.heal()
        (self.root / "srv/twinhost/swarm").rename(self.root / "away")
        self.write("srv/twinhost/swarm", "a file where a folder should be")
        self.heal()

        self.assertEqual("the cluster record cannot be read: nothing is changed\n", self.read("run/twinhost/heal-said"))
        self.assertEqual([], self.programs.calls)

    def test_should_change_nothing_while_a_cluster_is_being_founded(self) -> None:
        self.record.claim(2, OTHER, "10.0.0.11")

        self.assertEqual(["a new cluster is being founded"], self.heal())
        self.assertEqual([], self.programs.calls)

    def test_should_forget_since_when_a_node_is_down_only_after_a_minute_without_the_record(self) -> None:
        for now, replaced in ((1060, 1), (1061, 0)):
            with self.subTest(now):
                self.programs.calls.clear()
                (self.root / "run/twinhost/heal-since").unlink(missing_ok=True)
                self.lose("n-b", OTHER)
                self.states[OTHER] = "unhealthy"
                self.at(1000)
                swarm = self.root / "srv/twinhost/swarm"
                swarm.rename(self.root / "away")
                swarm.write_text("")
                self.at(now)
                swarm.unlink()
                (self.root / "away").rename(swarm)
                self.at(1300)
                self.assertEqual(replaced, len(self.calls(REPLACED)))


class AnyManagerTest(LeaderTest):
    def test_should_bring_the_release_to_a_cluster_that_never_got_one(self) -> None:
        self.engine.answer("GET /services", [])

        self.assertEqual(
            ["the cluster has no service: bootstrap is started again, which brings it the release"], self.heal()
        )
        self.assertEqual([START], self.programs.calls)

    def test_should_begin_nothing_where_swarm_does_not_say_that_there_is_no_service(self) -> None:
        for answer in ("null", "{}", "", "7", EngineRefused("no leader", 500)):
            self.engine.answer("GET /services", answer)
            self.heal()
        self.assertEqual([], self.programs.calls)

    def test_should_leave_the_first_release_to_a_host(self) -> None:
        self.context = Context(dataclasses.replace(self.machine, role="witness"), self.engine, self.record)
        self.engine.answer("GET /services", [])

        self.assertEqual([], self.heal())
        self.assertEqual([], self.programs.calls)

    def test_should_make_a_machine_active_again_that_was_drained_for_a_restart_of_docker(self) -> None:
        self.write("var/lib/twinhost/drained", "")
        self.write("var/lib/twinhost/tls/retire", "")

        self.heal()

        self.assertEqual(["docker node update --availability active node-1"], self.calls("docker node"))
        self.assertFalse((self.root / "var/lib/twinhost/drained").exists())
        self.assertFalse((self.root / "var/lib/twinhost/tls/retire").exists())

    def test_should_not_make_a_machine_active_that_has_begun_to_leave_meanwhile(self) -> None:
        answers = self.engine.answers

        def leave() -> bool:
            self.write("run/twinhost/leaving", "")
            self.write("var/lib/twinhost/drained", "")
            return answers()

        with mock.patch.object(self.engine, "answers", leave):
            self.heal()

        self.assertEqual([], self.calls("docker node"))
        self.assertTrue((self.root / "var/lib/twinhost/drained").exists())

    def test_should_say_why_it_is_not_active_and_continue(self) -> None:
        self.write("var/lib/twinhost/drained", "")
        self.programs.fail("docker node update", "no leader")
        self.engine.answer("GET /services", [])

        said = self.heal()

        self.assertIn("waited 60 s for this machine to be active, last: no leader", said)
        self.assertTrue((self.root / "var/lib/twinhost/drained").exists())


class CatchUpTest(LeaderTest):
    def setUp(self) -> None:
        super().setUp()
        self.record.converged(1, MISSED, {"sha256": MISSED, "balancer": "b"})
        self.installed: list[object] = []
        self.replace("agent.releases.obtain", lambda _, note: self.root / note["sha256"])
        self.replace("agent.releases.install", lambda _, folder: self.installed.append(folder))

    def test_should_go_over_to_the_release_that_converged_last_where_it_missed_that(self) -> None:
        self.assertEqual([], self.at(1000))
        self.assertEqual([], self.at(1299))

        self.assertEqual(
            [f"went over to release {MISSED}, which converged last and which this machine had missed"], self.at(1300)
        )
        self.assertEqual([self.root / MISSED], self.installed)

    def test_should_begin_to_count_anew_with_its_own_release_or_another_one(self) -> None:
        self.at(1000)
        self.record.converged(1, self.machine.sha, {"sha256": self.machine.sha, "balancer": "b"})
        self.at(1200)
        self.record.converged(1, MISSED, {"sha256": MISSED, "balancer": "b"})
        self.at(1300)
        self.at(1599)
        self.assertEqual([], self.installed)

    def test_should_stay_with_its_release_while_one_may_be_under_way(self) -> None:
        self.at(1000)
        for answer in ([{"ID": "turn"}], "null", EngineRefused("no leader", 500)):
            self.engine.answer("GET /configs", answer)
            self.assertEqual([], self.at(5000))
        self.assertEqual([], self.installed)

    def test_should_go_over_to_no_release_of_which_the_note_is_missing_or_another_sites(self) -> None:
        self.at(1000)
        note = self.root / f"srv/twinhost/swarm/generations/1/releases/{MISSED}.json"
        for content in ("", "null", '{"sha256":"x","balancer":"b"}', f'{{"sha256":"{MISSED}","balancer":"other"}}'):
            note.write_text(content)
            self.assertEqual([], self.at(5000))
        self.assertEqual([], self.installed)

    def test_should_say_that_a_release_cannot_be_fetched(self) -> None:
        self.replace("agent.releases.obtain", mock.Mock(side_effect=Unavailable("no bucket")))
        self.at(1000)

        self.assertEqual(f"release {MISSED}, which converged last, cannot be fetched", self.at(1300)[-1])
        self.assertEqual([], self.installed)
