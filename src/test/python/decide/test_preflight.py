"""The checks before an order of a certificate."""

from __future__ import annotations

import unittest
from typing import Callable

from agent.decide.preflight import check_balancer, check_ipv4, check_ipv6, check_targets
from agent.decide.targets import Target
from agent.errors import NotYet

OWN = ["198.51.100.80", "198.51.100.81"]
NAME = "www.example.com"


class ChecksTest(unittest.TestCase):
    def test_what_can_succeed_passes_without_a_word(self) -> None:
        check_balancer("balancer.example.net", OWN)
        check_ipv4(NAME, OWN, OWN)
        check_ipv4(NAME, OWN[1:], OWN)
        check_ipv6(NAME, [])
        check_targets([Target("g", "i-0a", "unhealthy"), Target("g", "i-0b", "healthy")])

    def test_everything_else_is_refused_with_its_reason(self) -> None:
        refusals: list[tuple[Callable[[], None], str]] = [
            (lambda: check_balancer("b.example.net", []), "the balancer's name b.example.net has no address yet"),
            (lambda: check_ipv4(NAME, [], OWN), f"{NAME} has no A record yet"),
            (lambda: check_ipv4(NAME, [], []), f"{NAME} has no A record yet"),
            (
                lambda: check_ipv4(NAME, [*OWN, "192.0.2.7"], OWN),
                f"{NAME} points to 192.0.2.7, which is not the balancer",
            ),
            (
                lambda: check_ipv4(NAME, ["192.0.2.9", "192.0.2.7"], []),
                f"{NAME} points to 192.0.2.7 192.0.2.9, which is not the balancer",
            ),
            (
                lambda: check_ipv6(NAME, ["2001:db8::7", "2001:db8::8"]),
                f"{NAME} has an AAAA record, 2001:db8::7, which is not the balancer's",
            ),
            (lambda: check_targets([]), "the balancer has no healthy target yet"),
            (lambda: check_targets([Target("g", "i-0a", "unhealthy")]), "the balancer has no healthy target yet"),
            (lambda: check_targets([Target("g", "i-0a", "")]), "the balancer has no healthy target yet"),
        ]
        for check, reason in refusals:
            with self.subTest(reason), self.assertRaises(NotYet) as raised:
                check()
            self.assertEqual(reason, raised.exception.reason)
