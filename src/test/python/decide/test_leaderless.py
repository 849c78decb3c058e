"""What managers do that are not the leader: stand in for it, rescue the cluster, follow another one."""

from __future__ import annotations

import unittest

from agent.decide.following import Follow, next_step
from agent.decide.rescuing import Rescue, is_due, leaderless, rescue
from agent.decide.standing_in import stands_in
from agent.decide.targets import Target
from agent.decide.watch import Wait
from agent.errors import Damaged
from decide.things import group, instance, node, targets, watched


class StandingInTest(unittest.TestCase):
    nodes = (node("n-a", "i-0a"), node("n-b", "i-0b", leader=True), node("n-c", "i-0c", role="witness"))

    def test_should_stand_in_for_a_leader_whose_heart_does_not_beat(self) -> None:
        for still in (61, None):
            self.assertTrue(stands_in(self.nodes, watched(("i-0a", 5, 5), ("i-0b", still, still)), "i-0a"))

    def test_should_leave_it_to_a_leader_whose_heart_beats(self) -> None:
        self.assertFalse(stands_in(self.nodes, watched(("i-0a", 5, 5), ("i-0b", 60, 60)), "i-0a"))

    def test_should_watch_for_more_than_a_minute_first(self) -> None:
        seen = (("i-0a", 5, 5), ("i-0b", None, None))
        self.assertFalse(stands_in(self.nodes, watched(*seen, since=60), "i-0a"))
        self.assertTrue(stands_in(self.nodes, watched(*seen, since=61), "i-0a"))

    def test_should_not_stand_in_for_nobody(self) -> None:
        nodes = [node("n-a", "i-0a"), node("n-b", "i-0b")]
        self.assertFalse(stands_in(nodes, watched(("i-0a", 5, 5)), "i-0a"))

    def test_should_be_one_manager_alone_that_which_has_been_there_for_longest(self) -> None:
        nodes = [*self.nodes, node("n-d", "i-0d", created="2025-01-02T03:04:05Z")]
        seen = watched(("i-0a", 5, 5), ("i-0b", 90, 90), ("i-0c", 5, 5), ("i-0d", 5, 5))

        self.assertEqual(["i-0d"], [one for one in ("i-0a", "i-0b", "i-0c", "i-0d") if stands_in(nodes, seen, one)])

    def test_should_not_stand_in_while_its_own_heart_stands_still(self) -> None:
        self.assertFalse(stands_in(self.nodes, watched(("i-0a", 61, 61), ("i-0b", 90, 90)), "i-0a"))

    def test_should_not_count_a_leader_that_does_not_say_which_machine_it_is(self) -> None:
        nodes = [node("n-a", "i-0a"), node("n-b", "", leader=True)]
        self.assertFalse(stands_in(nodes, watched(("i-0a", 5, 5)), "i-0a"))

    def test_should_not_guess_who_has_been_there_for_longest(self) -> None:
        nodes = [*self.nodes, node("n-d", "i-0d", created="")]
        with self.assertRaises(Damaged):
            stands_in(nodes, watched(("i-0a", 5, 5), ("i-0b", 90, 90), ("i-0d", 5, 5)), "i-0a")


class RescuingTest(unittest.TestCase):
    seen = watched(("i-0a", 5, None), ("i-0b", 700, 700), ("i-0c", 700, 700))
    groups = (group("host", instance("i-0a"), instance("i-0b")), group("witness", instance("i-0c")))
    seen_targets = targets(i_0a="healthy", i_0b="unhealthy")

    def test_should_count_from_the_last_leader_that_anybody_saw(self) -> None:
        self.assertEqual(700, leaderless(self.seen))
        self.assertEqual(90, leaderless(watched(("i-0a", 5, None), ("i-0b", 90, 90), ("i-0c", 700, 700))))
        self.assertEqual(40, leaderless(watched(("i-0a", 5, None), since=40)))
        self.assertEqual(40, leaderless(watched(since=40)))

    def test_should_be_due_after_the_limit_and_as_long_after_the_rescue_before(self) -> None:
        for led, rescues, since_last, due in (
            (599, 0, 0, False),
            (600, 0, 0, True),
            (600, 1, 599, False),
            (600, 1, 600, True),
            (599, 1, 900, False),
        ):
            with self.subTest(led=led, rescues=rescues, since_last=since_last):
                self.assertEqual(due, is_due(watched(("i-0b", led, led), rescues=rescues), since_last, 600))

    def test_should_have_the_witness_replaced_first(self) -> None:
        self.assertEqual(Rescue("i-0c", 1), rescue(self.seen, self.groups, self.seen_targets, "i-0a"))

    def test_should_number_the_next_rescue(self) -> None:
        seen = watched(("i-0b", None, None), rescues=2)
        self.assertEqual(Rescue("i-0b", 3), rescue(seen, self.groups, self.seen_targets, "i-0a"))

    def test_should_replace_no_manager_whose_heart_beats_nor_itself(self) -> None:
        self.assertIsNone(rescue(watched(("i-0a", None, None)), self.groups, self.seen_targets, "i-0a"))
        self.assertIsNone(rescue(watched(("i-0b", 60, 700), ("i-0c", 60, 700)), self.groups, self.seen_targets, "i-0a"))

    def test_should_replace_nothing_while_a_machine_is_on_its_way(self) -> None:
        for groups in (
            [group("host", instance("i-0a"), instance("i-0b", "Terminating:Wait")), self.groups[1]],
            [group("host", instance("i-0a"), instance("i-0b", health="Unhealthy")), self.groups[1]],
            [group("host", instance("i-0a"), desired=2), self.groups[1]],
        ):
            self.assertIsNone(rescue(self.seen, groups, self.seen_targets, "i-0a"))

    def test_should_leave_a_group_alone_that_replaces_nothing(self) -> None:
        groups = [self.groups[0], group("witness", instance("i-0c"), suspended=["ReplaceUnhealthy"])]
        self.assertEqual(Rescue("i-0b", 1), rescue(self.seen, groups, self.seen_targets, "i-0a"))

    def test_should_replace_no_manager_that_no_group_lists(self) -> None:
        self.assertIsNone(rescue(watched(("i-0z", None, None)), self.groups, self.seen_targets, "i-0a"))

    def test_should_replace_nobody_while_the_balancer_cannot_be_asked(self) -> None:
        self.assertIsNone(rescue(self.seen, self.groups, [], "i-0a"))

    def test_should_never_replace_the_last_one_that_serves(self) -> None:
        seen = watched(("i-0a", 5, None), ("i-0b", 700, 700))
        states = targets(i_0a="unhealthy", i_0b="healthy")
        self.assertIsNone(rescue(seen, self.groups, states, "i-0a"))


class FollowingTest(unittest.TestCase):
    no_leader = Wait("the record names another cluster, of which no manager sees a leader yet")
    no_host = Wait("the record names another cluster, of which no host is healthy yet")
    lives = watched(("i-0b", 5, 5))

    def test_should_follow_a_cluster_of_which_a_host_is_healthy(self) -> None:
        seen = targets(i_0a="healthy", i_0b="healthy")
        self.assertEqual(Follow(1), next_step(self.lives, "i-0a", True, seen))

    def test_should_not_follow_a_cluster_that_nobody_leads(self) -> None:
        seen = targets(i_0a="unhealthy", i_0b="healthy")
        for led in (61, None):
            for is_host in (True, False):
                self.assertEqual(self.no_leader, next_step(watched(("i-0b", 5, led)), "i-0a", is_host, seen))

    def test_should_continue_to_serve_while_no_host_of_the_other_cluster_is_healthy(self) -> None:
        cases: list[list[Target]] = [
            targets(i_0a="healthy", i_0b="unhealthy"),
            targets(i_0a="healthy", i_0z="healthy"),
            targets(i_0a="unavailable"),
            [],
        ]
        for seen in cases:
            self.assertEqual(self.no_host, next_step(self.lives, "i-0a", True, seen))

    def test_should_follow_at_once_where_it_serves_nobody(self) -> None:
        seen = targets(i_0a="unhealthy", i_0b="unhealthy")
        self.assertEqual(Follow(1), next_step(self.lives, "i-0a", True, seen))

    def test_should_follow_as_a_witness_whatever_the_balancer_says(self) -> None:
        self.assertEqual(Follow(1), next_step(self.lives, "i-0c", False, []))

    def test_should_judge_nobody_by_one_target_group_alone(self) -> None:
        seen = [*targets(i_0a="healthy"), *targets(i_0b="healthy")[:1]]
        self.assertEqual(self.no_host, next_step(self.lives, "i-0a", True, seen))


if __name__ == "__main__":
    unittest.main()
