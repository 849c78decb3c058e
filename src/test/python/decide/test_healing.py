from __future__ import annotations

import unittest
from collections.abc import Sequence

from agent import shape
from agent.budgets import Limits
from agent.decide.groups import Group
from agent.decide.healing import NOTHING_SINCE, Plan, Postponed, Replace, Since, all_there, plan
from agent.decide.nodes import Node
from agent.decide.targets import Target
from agent.errors import Damaged
from decide.things import group, instance, node, targets

LIMITS = Limits(300, 1800, 600)
NODES = [node("n-a", "i-0a", leader=True), node("n-b", "i-0b"), node("n-c", "i-0c", role="witness")]
GROUPS = [group("host", instance("i-0a"), instance("i-0b")), group("witness", instance("i-0c"))]
TARGETS = targets(i_0a="healthy", i_0b="unhealthy")


def with_b(state: str, name: str = "i-0b") -> list[Node]:
    return [NODES[0], node("n-b", name, state), NODES[2]]


class PlanTest(unittest.TestCase):
    def plan(
        self,
        nodes: Sequence[Node] = NODES,
        groups: Sequence[Group] | None = GROUPS,
        seen: Sequence[Target] = TARGETS,
        since: Since = NOTHING_SINCE,
        now: int = 1000,
    ) -> Plan:
        return plan(nodes, groups, seen, "i-0a", since, now, LIMITS)

    def assert_postponed(self, why: str, planned: Plan) -> None:
        assert isinstance(planned.replacement, Postponed), planned.replacement
        self.assertTrue(planned.replacement.reason.endswith(f", but {why}"), planned.replacement.reason)

    def test_should_do_nothing_while_every_machine_is_there(self) -> None:
        self.assertEqual(Plan(NOTHING_SINCE, (), None), self.plan())

    def test_should_remove_a_node_whose_instance_has_ended(self) -> None:
        for state, instances in (
            ("is not listed", [instance("i-0a")]),
            ("is ending", [instance("i-0a"), instance("i-0b", "Terminating:Wait")]),
            ("waits for its successor", [instance("i-0a"), instance("i-0b", health="Unhealthy")]),
        ):
            with self.subTest(state):
                planned = self.plan(with_b("down"), [group("host", *instances, desired=2), GROUPS[1]])
                (removal,) = planned.removals
                self.assertEqual(
                    ("n-b", "i-0b", "its instance i-0b is gone"), (removal.node.id, removal.ended, removal.why)
                )
                self.assertIsNone(planned.replacement)

    def test_should_remove_what_a_machine_was_before_without_asking_aws(self) -> None:
        planned = self.plan([*NODES, node("n-old", "i-0b", "down")], None)

        (removal,) = planned.removals
        self.assertEqual(
            ("n-old", None, "its machine is in the Swarm as another node"),
            (removal.node.id, removal.ended, removal.why),
        )

    def test_should_remove_no_node_that_runs(self) -> None:
        self.assertEqual((), self.plan(groups=[group("host", instance("i-0a"))]).removals)

    def test_should_conclude_nothing_from_a_list_without_this_very_machine(self) -> None:
        cases: tuple[list[Group] | None, ...] = (None, [], [group("host", instance("i-0c"))])
        for groups in cases:
            planned = self.plan(with_b("down"), groups, since=Since({"n-b": 0}, {}))
            self.assertEqual((), planned.removals)
            self.assert_postponed("the auto scaling groups cannot be asked", planned)

    def test_should_do_nothing_about_a_node_that_does_not_say_which_machine_it_is(self) -> None:
        planned = self.plan([*NODES, node("n-d", "", "down")], since=Since({"n-d": 0}, {}))

        self.assertEqual((), planned.removals)
        self.assertIsNone(planned.replacement)
        self.assertEqual({"n-d": 0}, planned.since.down)

    def test_should_replace_a_machine_that_has_been_down_for_five_minutes_though_it_runs(self) -> None:
        first = self.plan(with_b("down"), now=1000)
        self.assertEqual((None, {"n-b": 1000}), (first.replacement, first.since.down))
        self.assertIsNone(self.plan(with_b("down"), since=first.since, now=1299).replacement)

        self.assertEqual(
            Replace("i-0b", "Swarm has called n-b down for 300 s"),
            self.plan(with_b("down"), since=first.since, now=1300).replacement,
        )

    def test_should_begin_to_count_again_when_a_node_was_ready_in_between(self) -> None:
        first = self.plan(with_b("down"), now=1000)
        between = self.plan(with_b("ready"), since=first.since, now=1200)
        self.assertEqual({}, between.since.down)

        self.assertIsNone(self.plan(with_b("down"), since=between.since, now=1400).replacement)

    def test_should_replace_a_machine_that_has_not_come_into_the_swarm_for_half_an_hour(self) -> None:
        first = self.plan(NODES[:2])
        self.assertEqual({"i-0c": 1000}, first.since.missing)
        self.assertIsNone(self.plan(NODES[:2], since=first.since, now=2799).replacement)

        self.assertEqual(
            Replace("i-0c", "it has not been in the Swarm for 1800 s"),
            self.plan(NODES[:2], since=first.since, now=2800).replacement,
        )

    def test_should_never_miss_this_very_machine(self) -> None:
        planned = self.plan([node("n-a", "", leader=True), *NODES[1:]], since=Since({}, {"i-0a": 0}), now=9000)

        self.assertEqual(Plan(NOTHING_SINCE, (), None), planned)

    def test_should_not_miss_an_instance_that_is_on_its_way(self) -> None:
        groups = [group("host", instance("i-0a"), instance("i-0d", "Pending:Wait"), desired=2), GROUPS[1]]

        self.assertEqual({}, self.plan([NODES[0], NODES[2]], groups).since.missing)

    def test_should_name_what_keeps_it_from_replacing(self) -> None:
        cases: tuple[tuple[str, list[Group] | None, list[Target]], ...] = (
            ("the auto scaling groups cannot be asked", None, TARGETS),
            (
                "the groups are being updated",
                [GROUPS[0], group("witness", instance("i-0c"), suspended=["ReplaceUnhealthy"])],
                TARGETS,
            ),
            (
                "the groups are being updated",
                [GROUPS[0], group("witness", instance("i-0c"), suspended=["AZRebalance", "HealthCheck"])],
                TARGETS,
            ),
            (
                "another machine is being replaced",
                [GROUPS[0], group("witness", instance("i-0d", "Terminating:Wait"))],
                TARGETS,
            ),
            (
                "another machine is being replaced",
                [GROUPS[0], group("witness", instance("i-0c", health="Unhealthy"))],
                TARGETS,
            ),
            ("another machine is being launched", [GROUPS[0], group("witness", desired=1)], TARGETS),
            ("the balancer cannot be asked", GROUPS, []),
            (
                "it is the last one that the balancer calls healthy",
                GROUPS,
                targets(i_0a="unhealthy", i_0b="healthy"),
            ),
        )
        for why, groups, seen in cases:
            with self.subTest(why):
                planned = self.plan(with_b("down"), groups, seen, Since({"n-b": 0}, {}), 1000)
                self.assert_postponed(why, planned)
                self.assertIsInstance(planned.replacement, Postponed)

    def test_should_say_what_should_be_replaced_and_why_not(self) -> None:
        planned = self.plan(with_b("down"), GROUPS, [], Since({"n-b": 0}, {}))

        self.assertEqual(
            Postponed(
                "i-0b should be replaced, because Swarm has called n-b down for 1000 s,"
                " but the balancer cannot be asked"
            ),
            planned.replacement,
        )

    def test_should_replace_a_lost_one_before_one_that_still_serves(self) -> None:
        since = Since({}, {"i-0b": 0, "i-0c": 0})
        seen = targets(i_0a="unhealthy", i_0b="healthy")

        planned = self.plan(NODES[:1], GROUPS, seen, since, 3000)

        self.assertEqual(Replace("i-0c", "it has not been in the Swarm for 3000 s"), planned.replacement)

    def test_should_take_a_target_of_an_unknown_state_for_one_that_serves(self) -> None:
        seen = targets(i_0a="unhealthy", i_0b="unavailable")

        planned = self.plan(with_b("down"), GROUPS, seen, Since({"n-b": 0}, {}))

        self.assert_postponed("it is the last one that the balancer calls healthy", planned)


class AllThereTest(unittest.TestCase):
    def test_should_say_so_only_of_a_whole_swarm(self) -> None:
        self.assertTrue(all_there(NODES, 3))
        self.assertFalse(all_there(NODES[:2], 3))
        self.assertFalse(all_there(with_b("down"), 3))
        self.assertFalse(all_there(with_b("unknown"), 3))
        self.assertFalse(all_there([*NODES[:2], node("n-d", "i-0d", manager=False)], 3))
        self.assertFalse(all_there([], 3))


class SinceTest(unittest.TestCase):
    def test_should_come_through_a_file_as_it_was(self) -> None:
        since = Since({"n-b": 7}, {"i-0c": 9})

        self.assertEqual(since, Since.parse(shape.parse(shape.compact(since.json()), "it")))

    def test_should_take_nothing_that_is_broken(self) -> None:
        for broken in (
            "",
            "null",
            "{}",
            "[]",
            '{"down":{}}',
            '{"down":{},"missing":null}',
            '{"down":{"n":"7"},"missing":{}}',
            '{"down":{"n":null},"missing":{}}',
            '{"down":[],"missing":{}}',
            '{"down":{"n":7},"miss',
        ):
            with self.subTest(broken), self.assertRaises(Damaged):
                Since.parse(shape.parse(broken, "it"))


if __name__ == "__main__":
    unittest.main()
