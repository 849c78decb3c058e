"""Which configs and secrets nothing needs any more."""

from __future__ import annotations

import unittest

from agent.decide.leftovers import in_use, unused
from agent.errors import Damaged


def spec(config: str = "c", secret: str = "s") -> dict[str, object]:
    container = {"Configs": [{"ConfigID": config}], "Secrets": [{"SecretID": secret}]}
    return {"TaskTemplate": {"ContainerSpec": container}}


class LeftoversTest(unittest.TestCase):
    def test_a_service_and_its_way_back_need_theirs(self) -> None:
        services = [{"Spec": spec(), "PreviousSpec": spec("c0", "s0")}, {"Spec": {}}, {"Spec": spec("d", "t")}]
        self.assertEqual({"c", "s", "c0", "s0", "d", "t"}, in_use(services))
        null = {"TaskTemplate": {"ContainerSpec": {"Configs": None}}}
        self.assertEqual(set(), in_use([{"Spec": null, "PreviousSpec": None}]))

    def test_where_swarm_does_not_say_what_it_needs_nothing_is_unused(self) -> None:
        broken: tuple[list[object], ...] = (
            [],
            [None],
            [7],
            ["text"],
            [{}],
            [{"Spec": None}],
            [{"Spec": []}],
            [{"Spec": {"TaskTemplate": {"ContainerSpec": {"Configs": {}}}}}],
            [{"Spec": {"TaskTemplate": {"ContainerSpec": {"Configs": [{}]}}}}],
            [{"Spec": {"TaskTemplate": {"ContainerSpec": {"Secrets": [{"SecretID": ""}]}}}}],
            [{"Spec": spec(), "PreviousSpec": "text"}],
        )
        for services in broken:
            with self.subTest(services), self.assertRaises(Damaged):
                in_use(services)

    def test_what_is_not_used_is_named(self) -> None:
        self.assertEqual(["b"], unused([{"ID": "a"}, {"ID": "b"}], {"a"}))
        with self.assertRaises(Damaged):
            unused([{"ID": "a"}, {}], {"a"})


if __name__ == "__main__":
    unittest.main()
