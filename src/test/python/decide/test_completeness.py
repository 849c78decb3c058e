from __future__ import annotations

import unittest

from agent.decide.completeness import Complete, Completeness, Missing, of_edge, of_managers, of_swarm, of_targets
from agent.decide.targets import Target
from agent.errors import Damaged

READY = {"ID": "n1", "Description": {"Hostname": "ip-1"}, "Status": {"State": "ready"}}
DOWN = {"ID": "n2", "Description": {"Hostname": "ip-2"}, "Status": {"State": "down"}}
UNNAMED = {"ID": "n3", "Status": {}}


class CompletenessTest(unittest.TestCase):
    def assert_missing(self, reason: str, found: Completeness) -> None:
        self.assertEqual(Missing(reason), found)

    def test_wants_a_member_of_the_swarm(self) -> None:
        self.assertEqual(of_swarm("active"), Complete())
        for state in ("inactive", "pending", "error", "locked", ""):
            self.assert_missing("this machine is not active in the Swarm", of_swarm(state))

    def test_wants_every_manager(self) -> None:
        self.assertEqual(of_managers([READY]), Complete())
        self.assert_missing("these managers are down: ip-2", of_managers([READY, DOWN]))
        self.assert_missing("these managers are down: ip-2, n3", of_managers([DOWN, UNNAMED, READY]))

    def test_takes_no_broken_list_for_managers_that_are_there(self) -> None:
        lists: tuple[list[object], ...] = (
            [],
            [None],
            [7],
            [{}],
            ["ready"],
            [{"ID": 7, "Status": {"State": "down"}}],
            [READY, None],
        )
        for broken in lists:
            with self.subTest(broken), self.assertRaises(Damaged):
                of_managers(broken)

    def test_wants_the_youngest_edge_of_this_machine_to_run(self) -> None:
        old = edge("node-1", "2026-01-01T00:00:00Z", State="shutdown", Err="it ended")
        new = edge("node-1", "2026-01-02T00:00:00Z", State="running")
        other = edge("node-2", "2026-01-03T00:00:00Z", State="running")
        self.assertEqual(of_edge([new, old, other], "node-1"), Complete())
        self.assert_missing("the edge on this machine: it ended", of_edge([old, other], "node-1"))
        self.assert_missing("the edge on this machine: no task yet", of_edge([other], "node-1"))
        self.assert_missing("the edge on this machine: no task yet", of_edge([], "node-1"))
        preparing = edge("node-1", "2026-01-04T00:00:00Z", State="preparing")
        self.assert_missing("the edge on this machine: preparing", of_edge([new, preparing], "node-1"))

    def test_takes_the_last_of_edges_without_a_time(self) -> None:
        first, last = edge("node-1", None, State="running"), edge("node-1", None, State="failed")
        self.assert_missing("the edge on this machine: failed", of_edge([first, last], "node-1"))

    def test_takes_no_broken_task_for_an_edge_that_runs(self) -> None:
        statuses: tuple[object, ...] = (None, {}, {"State": None}, {"State": 7}, {"State": "running", "Err": 7})
        for status in statuses:
            with self.subTest(status), self.assertRaises(Damaged):
                of_edge([{"NodeID": "node-1", "Status": status}], "node-1")
        tasks: tuple[object, ...] = (None, 7, "text", [])
        for task in tasks:
            with self.subTest(task):
                self.assert_not_complete(task)

    def assert_not_complete(self, task: object) -> None:
        try:
            found = of_edge([task], "node-1")
        except Damaged:
            return
        self.assertNotEqual(found, Complete())

    def test_wants_every_target_group_to_call_it_healthy(self) -> None:
        http, https = Target("http", "i-0a", "healthy"), Target("https", "i-0a", "healthy")
        other = Target("https", "i-0b", "healthy")
        self.assertEqual(of_targets([http, https], "i-0a"), Complete())
        self.assert_missing(
            "http says unhealthy, https says initial, 0 of 2 target groups call it healthy",
            of_targets([Target("http", "i-0a", "unhealthy"), Target("https", "i-0a", "initial")], "i-0a"),
        )
        self.assert_missing("1 of 2 target groups call it healthy", of_targets([http, other], "i-0a"))
        self.assert_missing("0 of 0 target groups call it healthy", of_targets([], "i-0a"))


def edge(node: str, created: str | None, **status: str) -> dict[str, object]:
    return {"NodeID": node, "CreatedAt": created, "Status": status}
