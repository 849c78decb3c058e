"""Which edges a release asks, and what counts as an answer of the application."""

from __future__ import annotations

import unittest

from agent.decide.edges import Edge, Edges, address_in, find_edges, is_answer, is_passed_on, process_of
from agent.errors import Damaged

NODES: list[object] = [{"ID": "1", "Description": {"Hostname": "a"}}, {"ID": "2"}]


def task(on: str, address: str | None = "10.0.1.8/24", process: int | None = 7, **more: object) -> dict[str, object]:
    attached = [{"Network": {"Spec": {"Name": "ingress"}}, "Addresses": ["10.9.9.9/24"]}]
    if address:
        attached.append({"Network": {"Spec": {"Name": "web"}}, "Addresses": [address]})
    status: dict[str, object] = {"State": "running", "ContainerStatus": {"PID": process}}
    return {"NodeID": on, "DesiredState": "running", "Status": status, "NetworksAttachments": attached, **more}


class EdgesTest(unittest.TestCase):
    def test_every_edge_that_runs_is_asked_from_this_machines_own(self) -> None:
        tasks = [task("2", "10.0.1.9/24", 8), task("1"), task("1", DesiredState="shutdown")]
        self.assertEqual(Edges(7, (Edge("2", "10.0.1.9"), Edge("a", "10.0.1.8"))), find_edges(NODES, tasks, "1", "web"))

    def test_without_an_edge_here_nobody_is_asked(self) -> None:
        without: tuple[list[object], ...] = ([], [task("2")], [task("1", process=0)], [task("1", process=None)])
        for tasks in without:
            with self.subTest(tasks):
                self.assertIsNone(find_edges(NODES, tasks, "1", "web"))

    def test_an_edge_that_cannot_be_asked_is_not_left_out(self) -> None:
        one = task("1")
        broken: tuple[list[object], ...] = ([one, task("2", None)], [one, {}], [one, None], [task("1", NodeID=None)])
        for tasks in broken:
            with self.subTest(tasks), self.assertRaises(Damaged):
                find_edges(NODES, tasks, "1", "web")

    def test_the_address_is_the_one_in_the_services_network(self) -> None:
        self.assertEqual("10.0.1.8", address_in(task("1"), "web"))
        self.assertIsNone(address_in(task("1", None), "web"))
        self.assertIsNone(address_in({}, "web"))
        self.assertIsNone(address_in({"NetworksAttachments": [{"Network": {"Spec": {"Name": "web"}}}]}, "web"))

    def test_no_process_is_number_0(self) -> None:
        self.assertEqual(7, process_of(task("1")))
        self.assertIsNone(process_of(task("1", process=0)))
        self.assertIsNone(process_of({}))
        with self.assertRaises(Damaged):
            process_of({"Status": {"ContainerStatus": {"PID": "7"}}})

    def test_an_answer_of_any_status_is_one(self) -> None:
        for said in ("200 0.003", "500 0.003", "404 ", "302", "401 -"):
            self.assertTrue(is_answer(said), said)
        for said in ("", "000 ", "000", "20", "converged", "curl: (7)"):
            self.assertFalse(is_answer(said), said)

    def test_an_edge_says_within_which_time_the_application_has_answered(self) -> None:
        for said in ("200 0.003", "502 0.001", "200 -, 0.003"):
            self.assertTrue(is_passed_on(said), said)
        for said in ("", "502 -, -", "200 ", "200", "0.003", " 0.003"):
            self.assertFalse(is_passed_on(said), said)


if __name__ == "__main__":
    unittest.main()
