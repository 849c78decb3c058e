"""Whether the application's service may be given a fresh password."""

from __future__ import annotations

import unittest

from agent.decide.refreshing import rests
from agent.errors import Damaged


def task(desired: object, state: object) -> dict[str, object]:
    return {"DesiredState": desired, "Status": {"State": state}}


class RestsTest(unittest.TestCase):
    def test_by_the_state_of_its_update(self) -> None:
        for update, expected in (
            (None, True),
            ({"State": "completed"}, True),
            ({"State": "paused"}, True),
            ({"State": "rollback_completed"}, True),
            ({"State": "updating"}, False),
            ({"State": "rollback_started"}, False),
        ):
            with self.subTest(update):
                self.assertEqual(expected, rests({"UpdateStatus": update}, [task("running", "running")]))
        self.assertTrue(rests({}, []))

    def test_not_while_a_task_waits_for_a_host(self) -> None:
        for state, expected in (
            ("new", False),
            ("allocated", False),
            ("pending", False),
            ("assigned", True),
            ("preparing", True),
            ("running", True),
        ):
            with self.subTest(state):
                self.assertEqual(expected, rests({}, [task("running", "running"), task("running", state)]))
                self.assertTrue(rests({}, [task("shutdown", state)]))

    def test_an_answer_that_is_not_whole_is_no_yes(self) -> None:
        broken: list[tuple[object, list[object]]] = [
            ([], []),
            ("", []),
            ({"UpdateStatus": []}, []),
            ({"UpdateStatus": {"State": 7}}, []),
            ({}, [None]),
            ({}, [[task("running", "running")]]),
            ({}, [{}]),
            ({}, [task("running", None)]),
            ({}, [task(None, "running")]),
        ]
        for service, tasks in broken:
            with self.subTest((service, tasks)), self.assertRaises(Damaged):
                rests(service, tasks)
