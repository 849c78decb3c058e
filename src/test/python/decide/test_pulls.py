"""Whether every host has an image."""

from __future__ import annotations

import unittest

from agent.decide.pulls import Missing, Pulled, Rejected, pulled
from agent.errors import Damaged


def node(id_: str, role: str = "host", state: str = "ready", name: str | None = None) -> dict[str, object]:
    described: dict[str, object] = {"Engine": {"Labels": {"twinhost.role": role}}}
    if name:
        described["Hostname"] = name
    return {"ID": id_, "Status": {"State": state}, "Spec": {"Availability": "active"}, "Description": described}


def task(on: str, state: str, error: str | None = None, created: str | None = "1") -> dict[str, object]:
    return {"NodeID": on, "CreatedAt": created, "Status": {"State": state, "Err": error}}


class PullsTest(unittest.TestCase):
    def test_what_has_started_has_been_pulled(self) -> None:
        for state, verdict in (
            ("failed", Pulled()),
            ("running", Pulled()),
            ("complete", Pulled()),
            ("preparing", Missing("it is not yet on a")),
            ("new", Missing("it is not yet on a")),
            ("", Missing("it is not yet on a")),
            ("rejected", Rejected("rejected by a: No such image")),
        ):
            with self.subTest(state):
                self.assertEqual(verdict, pulled([node("1", name="a")], [task("1", state, "No such image")]))

    def test_every_host_that_is_ready_has_to_have_it(self) -> None:
        hosts = [node("1"), node("2"), node("3", "witness"), node("4", state="down")]
        self.assertEqual(Missing("it is not yet on 2"), pulled(hosts, [task("1", "failed")]))
        self.assertEqual(Pulled(), pulled(hosts, [task("1", "failed"), task("2", "failed")]))
        self.assertEqual(Missing("it is not yet on 1, 2"), pulled(hosts, []))
        self.assertEqual(Missing("Swarm names no host that is ready"), pulled([node("3", "witness")], []))
        self.assertEqual(Missing("Swarm names no host that is ready"), pulled([], []))

    def test_the_youngest_task_of_a_host_counts(self) -> None:
        tasks = [task("1", "rejected", "x", "1"), task("1", "failed", None, "2")]
        self.assertEqual(Pulled(), pulled([node("1")], tasks))
        self.assertEqual(Pulled(), pulled([node("1")], tasks[::-1]))

    def test_a_host_that_rejects_it_says_so_before_others_have_it(self) -> None:
        hosts = [node("1"), node("2", name="b"), node("3", name="c")]
        tasks = [task("1", "preparing"), task("2", "rejected", "full"), task("3", "rejected")]
        self.assertEqual(Rejected("rejected by b: full; c: "), pulled(hosts, tasks))

    def test_a_broken_answer_is_no_image_that_is_there(self) -> None:
        broken: tuple[list[object], ...] = ([7], [{"NodeID": "1"}], [{"NodeID": "1", "Status": {}}], [{"NodeID": 1}])
        for tasks in broken:
            with self.subTest(tasks), self.assertRaises(Damaged):
                pulled([node("1")], tasks)
        nameless = node("1")
        nameless["ID"] = None
        damaged: tuple[list[object], ...] = ([None], [{}], [nameless])
        for nodes in damaged:
            with self.subTest(nodes), self.assertRaises(Damaged):
                pulled(nodes, [task("1", "failed")])


if __name__ == "__main__":
    unittest.main()
