"""Nodes and tasks as Swarm lists them, and what follows for services and for this machine's own heartbeat."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from agent import shape
from agent.decide.beating import UNKNOWN, Beat, Membership, beat, membership
from agent.decide.cluster_record import Record
from agent.decide.nodes import Node, Task, parse_nodes, parse_tasks
from agent.decide.pending import pending_service
from agent.decide.spreading import replicas_to_spread
from agent.errors import Damaged
from decide.things import node, tasks

NODE = """{"ID":"n-a","CreatedAt":"2026-01-02T03:04:05Z","Spec":{"Role":"manager","Availability":"active"},
  "Status":{"State":"ready"},"ManagerStatus":{"Leader":true,"Addr":"x"},"Description":{"Hostname":"a",
  "Engine":{"Labels":{"twinhost.instance":"i-0a","twinhost.role":"host"}}}}"""


class NodesTest(unittest.TestCase):
    def parse(self, text: str) -> Node:
        return parse_nodes([shape.parse(text, "it")])[0]

    def test_should_read_a_node(self) -> None:
        self.assertEqual(
            Node("n-a", "a", "i-0a", "host", "ready", "active", "2026-01-02T03:04:05Z", True, True), self.parse(NODE)
        )

    def test_should_know_nothing_of_a_node_that_has_said_nothing_yet(self) -> None:
        found = self.parse('{"ID":"n-a","Status":{"State":"unknown"},"Description":{}}')

        self.assertEqual(Node("n-a", "n-a", "", "", "unknown", "", "", False, False), found)
        self.assertFalse(found.takes_tasks or found.ready or found.down)

    def test_should_take_no_node_that_is_broken(self) -> None:
        for broken in (
            "null",
            "{}",
            "[]",
            "7",
            '"text"',
            NODE.replace('"ID":"n-a",', ""),
            NODE.replace('"n-a"', "null"),
            NODE.replace('{"State":"ready"}', "null"),
            NODE.replace('"ready"', '""'),
            NODE.replace('"Leader":true', '"Leader":"true"'),
            NODE.replace('{"Leader":true,"Addr":"x"}', '"leader"'),
            NODE.replace('"i-0a"', "7"),
            NODE.replace('{"twinhost.instance":"i-0a","twinhost.role":"host"}', "[]"),
        ):
            with self.subTest(broken), self.assertRaises(Damaged):
                self.parse(broken)

    def test_should_place_the_application_on_active_hosts_alone(self) -> None:
        self.assertTrue(node("n", "i").takes_tasks)
        self.assertFalse(node("n", "i", "down").takes_tasks)
        self.assertFalse(node("n", "i", role="witness").takes_tasks)
        self.assertFalse(self.parse(NODE.replace('"active"', '"drain"')).takes_tasks)

    def test_should_read_a_task_that_is_not_placed_yet(self) -> None:
        found = parse_tasks([{"ServiceID": "s", "DesiredState": "running", "Status": {"State": "pending"}}])

        self.assertEqual([Task("s", "", "running", "pending")], found)
        self.assertFalse(found[0].runs)

    def test_should_take_no_task_that_is_broken(self) -> None:
        damages: tuple[object, ...] = (
            None,
            {},
            [],
            {"DesiredState": "running"},
            {"DesiredState": None, "Status": {"State": "running"}},
            {"DesiredState": "running", "Status": {}},
            {"DesiredState": "running", "Status": {"State": 7}},
            {"DesiredState": "running", "Status": {"State": "running"}, "NodeID": 7},
        )
        for broken in damages:
            with self.subTest(broken), self.assertRaises(Damaged):
                parse_tasks([broken])


class SpreadingTest(unittest.TestCase):
    nodes = (node("n-a", "i-0a"), node("n-b", "i-0b"), node("n-c", "i-0c", role="witness"))

    def service(self, replicas: object, labels: object = None, update: object = None) -> dict[str, object]:
        return {
            "Spec": {"Labels": labels, "Mode": {"Replicated": {"Replicas": replicas}}},
            "UpdateStatus": update,
        }

    def test_should_spread_replicas_that_are_together_on_one_of_two_hosts(self) -> None:
        self.assertEqual(2, replicas_to_spread(self.nodes, tasks("n-a", "n-a"), self.service(2)))

    def test_should_leave_alone_what_is_well_or_on_its_way(self) -> None:
        together = tasks("n-a", "n-a")
        cases: tuple[tuple[str, Sequence[Node], Sequence[Task], object], ...] = (
            ("spread already", self.nodes, tasks("n-a", "n-b"), self.service(2)),
            ("one replica", self.nodes, tasks("n-a"), self.service(1)),
            ("none", self.nodes, [], self.service(0)),
            ("not all run", self.nodes, tasks("n-a"), self.service(2)),
            ("more run", self.nodes, tasks("n-a", "n-a", "n-a"), self.service(2)),
            ("no other host", self.nodes[:1], together, self.service(2)),
            ("the other is down", [self.nodes[0], node("n-b", "i-0b", "down")], together, self.service(2)),
            ("the other is the witness", [self.nodes[0], self.nodes[2]], together, self.service(2)),
            ("an update", self.nodes, together, self.service(2, update={"State": "updating"})),
            ("a rollback", self.nodes, together, self.service(2, update={"State": "rollback_started"})),
            ("a global service", self.nodes, together, {"Spec": {"Mode": {"Global": {}}}}),
            ("an odd label", self.nodes, together, self.service(2, {"twinhost.spread": "0"})),
            ("an empty label", self.nodes, together, self.service(2, {"twinhost.spread": ""})),
        )
        for why, nodes, found, service in cases:
            with self.subTest(why):
                self.assertIsNone(replicas_to_spread(nodes, found, service))

    def test_should_spread_after_an_update_that_is_over(self) -> None:
        service = self.service(2, {"other": "x"}, {"State": "completed"})
        self.assertEqual(2, replicas_to_spread(self.nodes, tasks("n-a", "n-a"), service))

    def test_should_bring_to_its_end_what_was_begun(self) -> None:
        service = self.service(3, {"twinhost.spread": "2"}, {"State": "updating"})
        self.assertEqual(2, replicas_to_spread(self.nodes, tasks("n-a", "n-b", "n-a"), service))

    def test_should_spread_from_the_given_node_alone(self) -> None:
        found = tasks("n-a", "n-a")
        self.assertEqual(2, replicas_to_spread(self.nodes, found, self.service(2), "n-a"))
        self.assertIsNone(replicas_to_spread(self.nodes, found, self.service(2), "n-b"))

    def test_should_take_no_service_that_is_broken(self) -> None:
        for broken in (
            7,
            "text",
            [],
            self.service("2"),
            self.service(True),
            self.service(2, {"twinhost.spread": 2}),
            self.service(2, []),
            self.service(2, update="updating"),
            {"Spec": {"Mode": {"Replicated": []}}},
        ):
            with self.subTest(broken), self.assertRaises(Damaged):
                replicas_to_spread(self.nodes, tasks("n-a", "n-a"), broken)

    def test_should_spread_nothing_of_a_service_that_says_nothing(self) -> None:
        nothings: tuple[object, ...] = (None, {}, {"Spec": None})
        for nothing in nothings:
            self.assertIsNone(replicas_to_spread(self.nodes, tasks("n-a", "n-a"), nothing))


class PendingTest(unittest.TestCase):
    nodes = (node("n-a", "i-0a"),)

    def test_should_name_a_service_of_which_every_task_is_pending(self) -> None:
        found = tasks("n-a", service="a") + tasks("", "", service="c", state="pending")
        self.assertEqual("c", pending_service(self.nodes, found))
        self.assertEqual("b", pending_service(self.nodes, [*found, *tasks("", service="b", state="pending")]))

    def test_should_leave_a_service_alone_of_which_a_task_is_further(self) -> None:
        for state in ("running", "starting", "rejected"):
            found = tasks("", service="s", state="pending") + tasks("n-a", service="s", state=state)
            self.assertIsNone(pending_service(self.nodes, found))

    def test_should_not_count_tasks_that_are_to_end(self) -> None:
        self.assertIsNone(pending_service(self.nodes, [Task("s", "", "shutdown", "pending")]))
        self.assertIsNone(pending_service(self.nodes, tasks("", service="", state="pending")))

    def test_should_blame_nobody_while_no_host_takes_tasks(self) -> None:
        pending = tasks("", state="pending")
        cases: list[list[Node]] = [[], [node("n-a", "i-0a", "down")], [node("n-c", "i-0c", role="witness")]]
        for nodes in cases:
            self.assertIsNone(pending_service(nodes, pending))


class BeatingTest(unittest.TestCase):
    member = Membership(True, "cluster-a")

    def record(self, cluster: str, founder: str = "i-founder") -> Record:
        return Record(2, founder, cluster, "", 0, ())

    def test_should_say_that_it_sees_a_leader(self) -> None:
        found = beat(self.record("cluster-a"), self.member, "cluster-a", "i-0a", False)
        self.assertEqual(Beat(2, True), found)

    def test_should_beat_on_without_a_leader(self) -> None:
        for member in (Membership(True, None), UNKNOWN):
            self.assertEqual(Beat(2, False), beat(self.record("cluster-a"), member, "cluster-a", "i-0a", False))

    def test_should_stand_still_in_another_cluster(self) -> None:
        for member, noted in (
            (Membership(True, "cluster-b"), "cluster-a"),
            (Membership(True, None), "cluster-b"),
            (Membership(True, None), None),
            (Membership(False, "cluster-a"), "cluster-a"),
            (Membership(False, None), "cluster-a"),
        ):
            with self.subTest(member=member, noted=noted):
                self.assertIsNone(beat(self.record("cluster-a"), member, noted, "i-0a", False))

    def test_should_beat_for_a_founder_only_while_it_founds(self) -> None:
        outside = Membership(False, None)
        self.assertEqual(Beat(2, False), beat(self.record("", "i-0a"), outside, None, "i-0a", True))
        self.assertIsNone(beat(self.record("", "i-0a"), outside, None, "i-0a", False))
        self.assertIsNone(beat(self.record("", "i-0b"), outside, None, "i-0a", True))
        # a generation that was superseded
        self.assertIsNone(beat(self.record("", "i-0b"), self.member, "cluster-a", "i-0a", False))

    def test_should_read_what_the_engine_says(self) -> None:
        for info, wanted in (
            ({"Swarm": {"ControlAvailable": True, "Cluster": {"ID": "c"}}}, Membership(True, "c")),
            ({"Swarm": {"ControlAvailable": True, "Cluster": {"ID": ""}}}, Membership(True, None)),
            ({"Swarm": {"ControlAvailable": True, "Cluster": None}}, Membership(True, None)),
            ({"Swarm": {"ControlAvailable": False}}, Membership(False, None)),
            ({"Swarm": {}}, Membership(False, None)),
            ({}, Membership(False, None)),
        ):
            with self.subTest(info):
                self.assertEqual(wanted, membership(info))

    def test_should_take_no_answer_that_is_broken(self) -> None:
        for broken in (7, [], {"Swarm": 7}, {"Swarm": {"ControlAvailable": "true"}}):
            with self.subTest(broken), self.assertRaises(Damaged):
                membership(broken)


if __name__ == "__main__":
    unittest.main()
