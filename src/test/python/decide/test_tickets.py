"""Which keys of session tickets there are at a time."""

from __future__ import annotations

import unittest

from agent.decide.tickets import SLOT, is_key, outdated, slots

BEGIN = 40_000 * SLOT


class SlotsTest(unittest.TestCase):
    def test_the_slot_changes_every_twelve_hours(self) -> None:
        for clock, now in ((BEGIN - 1, 39_999), (BEGIN, 40_000), (BEGIN + SLOT - 1, 40_000), (BEGIN + SLOT, 40_001)):
            with self.subTest(clock):
                self.assertEqual({"previous": now - 1, "now": now, "next": now + 1}, slots(clock))


class KeyTest(unittest.TestCase):
    def test_a_key_has_its_size_and_is_not_of_zeros(self) -> None:
        for content, whole in (
            (b"k" * 80, True),
            (b"k" * 64 + bytes(16), True),
            (b"k" * 63 + bytes(17), False),
            (bytes(80), False),
            (b"", False),
            (b"k" * 79, False),
            (b"k" * 81, False),
            (b"k" * 48, False),
        ):
            with self.subTest(content):
                self.assertEqual(whole, is_key(content))


class OutdatedTest(unittest.TestCase):
    def test_hosts_may_differ_about_the_end_of_a_slot(self) -> None:
        there = ["39998", "39999", "40000", "40001", "40002"]
        for clock, gone in (
            (BEGIN + 599, ["40002"]),
            (BEGIN + 600, ["39998", "40002"]),
            (BEGIN + SLOT - 601, ["39998", "40002"]),
            (BEGIN + SLOT - 600, ["39998"]),
            (BEGIN + SLOT + 600, ["39998", "39999"]),
            (BEGIN + 700 * SLOT, there),
        ):
            with self.subTest(clock):
                self.assertEqual(gone, outdated(there, dict.fromkeys(there, BEGIN), clock))

    def test_what_was_left_half_made_goes_and_what_is_no_key_stays(self) -> None:
        written = {"new.abcdef": BEGIN - 601, "new.ghijkl": BEGIN - 600, "note": 0, "clock": 0, "4x": 0, "²": 0}
        self.assertEqual(["new.abcdef"], outdated(written, written, BEGIN))
