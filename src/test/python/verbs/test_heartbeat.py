"""The heartbeat of a manager, and the lease that it brings."""

from __future__ import annotations

import dataclasses
import os
from unittest import mock

from agent.context import Context
from agent.engine import EngineRefused
from agent.errors import Damaged, NotAllowed, Unavailable
from agent.founding import founding
from agent.lease import lease
from agent.verbs import heartbeat
from fakes import MachineTest, directly, spoken


class HeartbeatTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("agent.record.contained", directly)
        patch.start()
        self.addCleanup(patch.stop)
        self.engine.swarm("active", "cluster-a")
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.context.record.claim(1, "i-founder", "10.0.0.9")
        self.context.record.found(1, "cluster-a", "t")

    def beat(self) -> list[str]:
        return spoken(lambda: heartbeat.run(self.context, []))

    def counter(self, generation: int = 1) -> str | None:
        file = self.root / f"srv/twinhost/swarm/generations/{generation}/managers/i-0a"
        return file.read_text() if file.exists() else None

    def test_should_advance_its_counter_and_say_that_it_sees_a_leader(self) -> None:
        self.assertEqual([], self.beat() + self.beat())

        self.assertEqual("2 yes 10.0.0.10\n", self.counter())

    def test_should_beat_on_without_a_leader(self) -> None:
        self.engine.swarm("active", "")
        self.beat()
        self.assertEqual("1 no 10.0.0.10\n", self.counter())

        self.engine.answer("GET /info", Unavailable("Docker did not answer within 5 s"))
        self.beat()
        self.assertEqual("2 no 10.0.0.10\n", self.counter())

    def test_should_stand_still_where_its_engine_does_not_answer_or_is_no_manager(self) -> None:
        self.engine.answer("GET /_ping", EngineRefused("no", 500))
        self.beat()
        self.engine.answer("GET /_ping", "OK").answer("GET /info", {"Swarm": {"ControlAvailable": False}})
        self.beat()

        self.assertIsNone(self.counter())

    def test_should_not_beat_by_an_answer_that_is_broken(self) -> None:
        self.engine.answer("GET /info", "null")
        self.beat()
        for broken in ("7", "[]", "", '{"Swarm":{"Control', {"Swarm": {"ControlAvailable": "true"}}):
            self.engine.answer("GET /info", broken)
            with self.assertRaises(Damaged):
                self.beat()
        self.assertIsNone(self.counter())

    def test_should_give_the_lease_for_thirty_seconds(self) -> None:
        with self.assertRaises(NotAllowed):
            lease(self.machine)
        self.beat()
        self.clock.now = 1030
        self.assertEqual(1, lease(self.machine).generation)
        self.clock.now = 1031
        with self.assertRaises(NotAllowed):
            lease(self.machine)

    def test_should_take_the_lease_from_a_manager_of_another_cluster_or_generation(self) -> None:
        self.beat()
        self.context.record.claim(2, "i-next", "10.0.0.8")
        self.beat()
        with self.assertRaises(NotAllowed):
            lease(self.machine)
        self.context.record.found(2, "cluster-b", "t")
        self.beat()
        with self.assertRaises(NotAllowed):
            lease(self.machine)

        self.assertEqual(("1 yes 10.0.0.10\n", None), (self.counter(), self.counter(2)))

    def test_should_beat_for_a_founder_only_while_it_founds(self) -> None:
        self.engine.swarm("inactive", "")
        (self.root / "var/lib/twinhost/cluster-id").unlink()
        self.context.record.claim(2, "i-0a", "10.0.0.10")
        with founding(self.machine.paths):
            self.beat()
        self.assertEqual("2 no 10.0.0.10\n", self.counter(2))

        self.beat()
        # a process that is gone, one that has its number now, and marks that were cut short
        for mark in ("999999999 5\n", f"{os.getpid()} 5\n", f"{os.getpid()}\n", "\n", "", "text 5\n", "5 5 5\n"):
            self.write("run/twinhost/founding", mark)
            self.beat()
        self.assertEqual("2 no 10.0.0.10\n", self.counter(2))

    def test_should_say_once_that_the_record_cannot_be_read_and_once_that_it_can_be(self) -> None:
        self.beat()
        (self.root / "srv").rename(self.root / "away")
        self.write("srv", "")

        (said,) = self.beat()
        self.assertRegex(said, "^the cluster record cannot be read: Not a directory")
        self.assertEqual([], self.beat())
        (self.root / "srv").unlink()
        (self.root / "away").rename(self.root / "srv")
        self.assertEqual(["the cluster record can be read again"], self.beat())
        self.assertEqual("2 yes 10.0.0.10\n", self.counter())

    def test_should_name_the_damaged_file_and_leave_it(self) -> None:
        other = self.root / "srv/twinhost/swarm/generations/1/managers/i-founder"
        other.write_text("7 ye")

        self.assertEqual(
            ["the cluster record cannot be read: the heartbeat of i-founder in the cluster record is damaged"],
            self.beat(),
        )
        self.assertEqual("7 ye", other.read_text())
        with self.assertRaises(NotAllowed):
            lease(self.machine)

    def test_should_mend_its_own_heartbeat(self) -> None:
        self.beat()
        for damage in ("", "7 yes 10.0.0.1", "\0"):
            self.write("srv/twinhost/swarm/generations/1/managers/i-0a", damage)
            self.assertEqual(
                ["this machine's heartbeat in the cluster record was damaged, and begins anew"], self.beat()
            )
            self.assertEqual("2 yes 10.0.0.10\n", self.counter())
        self.assertEqual(1, lease(self.machine).generation)

    def test_should_do_nothing_before_the_machine_knows_which_one_it_is(self) -> None:
        machine = dataclasses.replace(self.machine, instance=None, address=None)
        self.context = Context(machine, self.engine, self.context.record)

        self.assertEqual([], self.beat())
        self.assertFalse((self.root / "run/twinhost/record").exists())
