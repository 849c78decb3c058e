"""Who may take the lock of the cluster from whom."""

from __future__ import annotations

import unittest

from agent.decide.cluster_lock import Holder, find_holder, is_gone, is_left_behind
from agent.errors import Damaged

NAME = "twinhost_release"


def config(name: str = NAME, instance: str = "i-0b", limit: str | None = "600") -> dict[str, object]:
    labels = {"twinhost.instance": instance, **({} if limit is None else {"twinhost.limit": limit})}
    return {"ID": "taken", "Spec": {"Name": name, "Labels": labels}}


def node(instance: str, state: str = "ready") -> dict[str, object]:
    return {"Status": {"State": state}, "Description": {"Engine": {"Labels": {"twinhost.instance": instance}}}}


class ClusterLockTest(unittest.TestCase):
    def test_the_holder_is_who_has_the_config_of_that_very_name(self) -> None:
        self.assertEqual(Holder("taken", "i-0b", 600), find_holder([config("other"), config()], NAME, 1385))
        # Swarm's filter finds beginnings
        self.assertIsNone(find_holder([config(f"{NAME}s")], NAME, 1385))
        self.assertIsNone(find_holder([], NAME, 1385))

    def test_a_release_of_before_names_no_limit(self) -> None:
        for limit in (None, "", "soon", "-1", "6e2"):
            found = find_holder([config(limit=limit)], NAME, 1385)
            self.assertEqual(Holder("taken", "i-0b", 1385), found)

    def test_a_holder_that_cannot_be_read_is_none_to_take_it_from(self) -> None:
        for broken in ({"ID": "", "Spec": config()["Spec"]}, {"ID": "x", "Spec": {"Name": NAME}}, 7, None):
            with self.subTest(broken), self.assertRaises(Damaged):
                if find_holder([broken], NAME, 1) is None:
                    raise Damaged("nobody")

    def test_who_is_gone(self) -> None:
        self.assertTrue(is_gone([node("i-0a")], "i-0b"))
        self.assertTrue(is_gone([node("i-0a"), node("i-0b", "down")], "i-0b"))
        self.assertFalse(is_gone([node("i-0a"), node("i-0b")], "i-0b"))
        self.assertFalse(is_gone([], "i-0b"), "a Swarm that names no node says nothing")
        with self.assertRaises(Damaged):
            is_gone([{"Description": {"Engine": {"Labels": {"twinhost.instance": "i-0b"}}}}], "i-0b")

    def test_the_lock_that_is_left_behind(self) -> None:
        holder = Holder("taken", "i-0b", 600)
        for own, gone, first_seen, now, left in (
            ("i-0a", False, None, 5000, False),
            ("i-0a", False, 1000, 1600, False),
            ("i-0a", False, 1000, 1601, True),
            ("i-0a", True, None, 0, True),
            ("i-0b", False, None, 0, True),
        ):
            with self.subTest((own, gone, first_seen, now)):
                self.assertEqual(left, is_left_behind(holder, own, gone, first_seen, now))


if __name__ == "__main__":
    unittest.main()
