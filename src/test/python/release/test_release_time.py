"""The time that the app reckons with for a release (ReleaseTime.java) holds what the agent may take."""

from __future__ import annotations

import re
import unittest

from agent import budgets
from release.things import CHECKOUT

JAVA = CHECKOUT / "src/main/java/dev/twinhost/settings/ReleaseTime.java"
RECKONED = {
    name: int(seconds)
    for name, seconds in re.findall(r"private static final int ([A-Z_]+) = ([0-9]+);", JAVA.read_text("utf-8"))
}


class ReleaseTimeTest(unittest.TestCase):
    def test_a_trial_is_over_in_time(self) -> None:
        trial = budgets.DEPLOY + budgets.TRIAL + budgets.STEADY + budgets.ANSWER
        self.assertGreaterEqual(RECKONED["TRIAL"], trial)

    def test_swarm_has_taken_a_release_in_time(self) -> None:
        # the last call begins just before the end of the wait
        self.assertGreaterEqual(RECKONED["DEPLOY"], budgets.DEPLOY + budgets.DEPLOY_CALL)

    def test_a_way_back_is_over_in_time(self) -> None:
        deploy = budgets.DEPLOY + budgets.DEPLOY_CALL
        self.assertGreaterEqual(RECKONED["BACK_DEPLOY"], deploy + budgets.BACK_END)
        self.assertEqual(RECKONED["BACK_DEPLOY"], budgets.BACK_DEPLOY)
        self.assertGreater(RECKONED["LEAST_BACK"], budgets.BACK_DEPLOY)

    def test_the_edges_answer_in_time(self) -> None:
        self.assertGreaterEqual(RECKONED["ANSWER"], budgets.EDGES)
        self.assertGreater(budgets.EDGES, budgets.ANSWER)

    def test_an_image_is_pulled_in_time(self) -> None:
        self.assertGreaterEqual(RECKONED["PULL"], budgets.PULL)

    def test_the_lock_is_waited_for_for_longer_than_another_release_can_have_it(self) -> None:
        self.assertGreaterEqual(RECKONED["PREPARE"], budgets.LOCK + 30)

    def test_an_edge_waits_for_less_than_any_release(self) -> None:
        self.assertLessEqual(budgets.EDGE_PATIENCE + budgets.EDGE_LAST + 60, RECKONED["LEAST_CONVERGE"])
        self.assertLess(budgets.EDGE_FIRST, RECKONED["LEAST_CONVERGE"])

    def test_what_is_steady_is_seen_within_the_time_to_converge(self) -> None:
        self.assertLess(max(budgets.SETTLE, budgets.STEADY) + budgets.PULL_PATIENCE, RECKONED["LEAST_CONVERGE"])


if __name__ == "__main__":
    unittest.main()
