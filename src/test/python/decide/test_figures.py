"""What a host publishes of its certificate."""

from __future__ import annotations

import unittest

from agent.decide.figures import figures


def values(days: int | None, trusted: bool) -> dict[str, object]:
    found = {}
    for datum in figures(days, trusted, "i-0a"):
        assert datum["Unit"] == "None"
        dimensions = datum.get("Dimensions")
        found[f"{datum['MetricName']}{'' if dimensions is None else f' {dimensions}'}"] = datum["Value"]
    return found


class FiguresTest(unittest.TestCase):
    def test_each_is_there_for_the_site_and_for_this_host(self) -> None:
        own = " [{'Name': 'Instance', 'Value': 'i-0a'}]"
        self.assertEqual(
            {
                "CertificateDaysLeft": 59,
                f"CertificateDaysLeft{own}": 59,
                "CertificateTrusted": 1,
                f"CertificateTrusted{own}": 1,
            },
            values(59, True),
        )

    def test_without_an_end_there_are_no_days(self) -> None:
        self.assertEqual([0, 0], list(values(None, False).values()))
        self.assertNotIn("CertificateDaysLeft", values(None, False))

    def test_no_days_are_days(self) -> None:
        self.assertEqual(0, values(0, False)["CertificateDaysLeft"])
        self.assertEqual(-3, values(-3, False)["CertificateDaysLeft"])
