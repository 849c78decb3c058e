"""The right to change anything, and every way in which a machine does not hold it."""

from __future__ import annotations

import dataclasses
import unittest

from agent.decide.cluster_record import Record, Seen
from agent.errors import NotAllowed
from agent.lease import Lease, decide, lease
from fakes import MachineTest

RECORD = Record(3, "i-1", "cluster-a", "", 0, ())
UNREADABLE = "what was read of the cluster record cannot be understood"


class DecideTest(unittest.TestCase):
    def test_should_hold_it_for_thirty_seconds(self) -> None:
        for now in (1000, 1030):
            held = decide(Seen(RECORD, 1000), "cluster-a", now)
            self.assertEqual((3, "cluster-a"), (held.generation, held.cluster))

    def test_should_name_why_it_is_not_held(self) -> None:
        fresh = Seen(RECORD, 1000)
        another = "the cluster record names another cluster than the one of this machine"
        for seen, own, now, reason in (
            (fresh, None, 1000, "this machine is in no cluster"),
            (fresh, "", 1000, "this machine is in no cluster"),
            (None, "cluster-a", 1000, "the cluster record was not read since this machine started"),
            (fresh, "cluster-a", 1031, "the cluster record was last read 31 s ago"),
            (fresh, "cluster-a", 999, UNREADABLE),
            (fresh, "cluster-b", 1000, another),
            (Seen(dataclasses.replace(RECORD, cluster=""), 1000), "cluster-a", 1000, another),
            (Seen(dataclasses.replace(RECORD, cluster=""), 1000), "", 1000, "this machine is in no cluster"),
        ):
            with self.subTest(reason=reason), self.assertRaises(NotAllowed) as refused:
                decide(seen, own, now)
            self.assertEqual(reason, refused.exception.reason)

    def test_should_be_made_by_nobody_else(self) -> None:
        held = decide(Seen(RECORD, 1000), "cluster-a", 1000)
        with self.assertRaises(TypeError):
            Lease(3, "cluster-a", None)
        with self.assertRaises(dataclasses.FrozenInstanceError):
            held.cluster = "cluster-b"  # type: ignore[misc]


class LeaseTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")

    def reason(self) -> str:
        with self.assertRaises(NotAllowed) as refused:
            lease(self.machine)
        return refused.exception.reason

    def test_should_come_from_what_this_machine_read_last(self) -> None:
        self.assertEqual("the cluster record was not read since this machine started", self.reason())
        self.context.record.claim(1, "i-1", "10.0.0.1")
        self.context.record.found(1, "cluster-a", "token")
        self.context.record.refresh()

        self.clock.now = 1030
        self.assertEqual(1, lease(self.machine).generation)
        self.clock.now = 1031
        self.assertEqual("the cluster record was last read 31 s ago", self.reason())

    def test_should_end_with_a_generation_that_was_superseded(self) -> None:
        self.context.record.claim(1, "i-1", "10.0.0.1")
        self.context.record.found(1, "cluster-a", "token")
        self.context.record.claim(2, "i-2", "10.0.0.2")
        self.context.record.refresh()

        self.assertEqual("the cluster record names another cluster than the one of this machine", self.reason())

    def test_should_follow_from_nothing_that_is_broken(self) -> None:
        whole = (
            '{"generation":1,"founder":"i-1","cluster":"cluster-a","release":"","rescues":0,"managers":'
            '[{"instance":"i-1","counter":1,"leader":true,"address":"10.0.0.1"}],"read":990}'
        )
        self.write("run/twinhost/record", whole)
        self.assertEqual(1, lease(self.machine).generation)
        for broken in (
            "",
            "null",
            "{}",
            "[null]",
            "7",
            '"text"',
            "no JSON",
            whole[:100],
            '{"cluster":"cluster-a","read":990}',
            whole.replace("990", "null"),
            whole.replace("990", '"990"'),
            whole.replace("990", "true"),
            whole.replace("990", "9900"),
            whole.replace('"cluster-a"', "null"),
            whole.replace('"generation":1', '"generation":"1"'),
            whole.replace('"leader":true', '"leader":"true"'),
            whole.replace('"counter":1', '"counter":1.5'),
            whole.replace('"instance":"i-1"', '"instance":""'),
        ):
            with self.subTest(broken):
                self.write("run/twinhost/record", broken)
                self.assertEqual(UNREADABLE, self.reason())
        (self.root / "run/twinhost/record").write_bytes(b"\xff\xfe")
        self.assertEqual(UNREADABLE, self.reason())
        (self.root / "run/twinhost/record").unlink()
        (self.root / "run/twinhost/record").mkdir()
        self.assertEqual(UNREADABLE, self.reason())

    def test_should_need_a_cluster_of_its_own(self) -> None:
        self.write("var/lib/twinhost/cluster-id", "\n")
        self.assertEqual("this machine is in no cluster", self.reason())
        (self.root / "var/lib/twinhost/cluster-id").unlink()
        self.assertEqual("this machine is in no cluster", self.reason())
