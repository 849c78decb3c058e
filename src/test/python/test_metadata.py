from __future__ import annotations

import http.client
import unittest
import urllib.error
from email.message import Message
from unittest import mock

from agent.errors import Unavailable
from agent.metadata import metadata
from fakes import FakeClock

STATE = "autoscaling/target-lifecycle-state"


class MetadataTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = FakeClock()
        self.asked: list[str] = []

    def ask(self, *answers: str | Exception) -> str:
        left = list(answers)

        def answer(_method: str, path: str, _headers: object) -> str:
            self.asked.append(path)
            if path == "api/token":
                return "token"
            said = left.pop(0)
            if isinstance(said, Exception):
                raise said
            return said

        with mock.patch("agent.metadata._ask", answer):
            return metadata(self.clock, STATE, attempts=2)

    def test_is_what_the_service_says(self) -> None:
        self.assertEqual("InService", self.ask("InService"))
        self.assertEqual(["api/token", f"meta-data/{STATE}"], self.asked)

    def test_is_asked_once_more(self) -> None:
        """Also where the answer is cut short, or is none: whoever asks goes on without it."""
        undecodable = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        broken: tuple[Exception, ...] = (
            ConnectionRefusedError("Connection refused"),
            TimeoutError(),
            urllib.error.HTTPError("", 503, "", Message(), None),
            http.client.IncompleteRead(b"InSer"),
            http.client.BadStatusLine(""),
            undecodable,
        )
        for failure in broken:
            with self.subTest(failure):
                self.assertEqual("InService", self.ask(failure, "InService"))
                with self.assertRaisesRegex(Unavailable, f"the metadata service does not say {STATE}: ."):
                    self.ask(failure, failure)

    def test_is_not_asked_again_for_what_there_is_not(self) -> None:
        with self.assertRaisesRegex(Unavailable, "status 404"):
            self.ask(urllib.error.HTTPError("", 404, "", Message(), None))
        self.assertEqual(1000, self.clock.uptime())
