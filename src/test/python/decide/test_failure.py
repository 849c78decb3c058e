"""Why an application does not serve, in words."""

from __future__ import annotations

import unittest

from agent.decide.failure import Container, read_container, to_blame, what_listens, why_ended
from agent.errors import Damaged

ILL = "it was too slow, or is broken: not healthy within 60 s (appStartSeconds) and three checks"


def task(state: str, error: str | None = None, **more: object) -> dict[str, object]:
    return {"Status": {"State": state, "Err": error}, "NodeID": "n", "DesiredState": "running", **more}


class WhyEndedTest(unittest.TestCase):
    def test_the_result_of_a_container(self) -> None:
        check = {"Health": {"Log": [{"Output": "first"}, {"Output": "curl: (7) Failed to connect\n"}]}}
        for state, error, container, reason in (
            ("failed", "task: non-zero exit (1)", {}, "task: non-zero exit (1)"),
            ("complete", None, {}, "it ended by itself, with status 0"),
            (
                "failed",
                "task: non-zero exit (137)",
                {"OOMKilled": True},
                "it was ended because the memory of the machine ran out; appReplicas or another instanceType may help",
            ),
            (
                "failed",
                "task: non-zero exit (137): dockerexec: unhealthy container",
                check,
                f"{ILL}; its check said last: curl: (7) Failed to connect",
            ),
            # what has ended is unhealthy to Docker, whatever its checks have said
            (
                "failed",
                "task: non-zero exit (1)",
                {"Health": {"Status": "unhealthy", "FailingStreak": 2, "Log": [{"Output": "refused"}]}},
                "task: non-zero exit (1)",
            ),
            (
                "complete",
                None,
                {"Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [{"Output": "curl: (22) 500"}]}},
                f"{ILL}; its check said last: curl: (22) 500",
            ),
            ("rejected", "No such image: example/shop:1", {}, "No such image: example/shop:1"),
            (
                "starting",
                None,
                {"Health": {"Log": [{"Output": "still migrating"}]}},
                "it was too slow: not healthy within 60 s (appStartSeconds); its check said last: still migrating",
            ),
            ("pending", "no suitable node", {}, "no suitable node"),
            ("preparing", None, {}, "Swarm did not bring it further than preparing"),
        ):
            with self.subTest(state=state, error=error):
                found = read_container({"State": container})
                self.assertEqual(reason, why_ended(task(state, error), found, 60))

    def test_a_task_that_says_nothing(self) -> None:
        values: tuple[object, ...] = (None, {}, [], 7, "text", {"Status": 7}, {"Status": {"State": 7}})
        for broken in values:
            with self.subTest(broken):
                self.assertEqual("Swarm did not bring it further than nothing", why_ended(broken, Container(), 60))

    def test_how_often_a_check_may_fail_is_the_images_to_say(self) -> None:
        state = {"Health": {"FailingStreak": 4}}
        for retries, failing in ((5, False), (4, True), (0, True), (-1, True), (None, True)):
            answer = {"State": state, "Config": {"Healthcheck": {"Retries": retries}}}
            with self.subTest(retries):
                said = why_ended(task("complete"), read_container(answer), 60)
                self.assertEqual(failing, said == ILL)

    def test_what_a_check_said_is_one_short_line(self) -> None:
        answer = {"State": {"Health": {"Log": [{"Output": "a\n\n\tb" + "c" * 300}]}}}
        self.assertEqual("a b" + "c" * 197, read_container(answer).check)
        self.assertTrue(read_container(answer).checked)
        self.assertFalse(read_container({"State": {"Health": None}}).checked)

    def test_a_broken_answer_says_nothing_of_a_container(self) -> None:
        values: tuple[object, ...] = (
            7,
            "text",
            [],
            {"State": 7},
            {"State": {"Health": {"Log": {}}}},
            {"State": {"OOMKilled": "no"}},
        )
        for broken in values:
            with self.subTest(broken), self.assertRaises(Damaged):
                read_container(broken)


class WhatListensTest(unittest.TestCase):
    def test_what_listens_instead(self) -> None:
        for sockets, words in (
            (
                "127.0.0.1:3000 127.0.0.11:40001",
                "as it listens on 127.0.0.1:3000 only: let it listen on 0.0.0.0",
            ),
            ("[::1]:3000", "as it listens on [::1]:3000 only: let it listen on 0.0.0.0"),
            ("[::]:3000", "as it listens on [::]:3000 over IPv6 only: let it listen on 0.0.0.0"),
            ("127.0.0.11:40001 *:8080", "as it listens on 8080, and appPort is 3000"),
            ("0.0.0.0:8080 [::]:9090 127.0.0.1:9229", "as it listens on 8080, 9090, 9229, and appPort is 3000"),
            ("127.0.0.11:40001", "as it listens on no port"),
            ("", "as it listens on no port"),
            ("0.0.0.0:3000", "though it listens on port 3000"),
            ("*:3000", "though it listens on port 3000"),
            ("0.0.0.0%eth0:3000", "though it listens on port 3000"),
            ("127.0.0.1:3000 10.0.1.7:3000", "though it listens on port 3000"),
        ):
            with self.subTest(sockets):
                lines = "\n".join(f"LISTEN 0 511 {socket} 0.0.0.0:*" for socket in sockets.split())
                self.assertEqual(words, what_listens(lines, "3000"))

    def test_lines_of_another_kind_are_none(self) -> None:
        self.assertEqual("as it listens on no port", what_listens("LISTEN\nnothing here at all\n\n", "3000"))


class ToBlameTest(unittest.TestCase):
    def test_one_on_this_machine_says_most(self) -> None:
        here, there = task("running", NodeID="here"), task("running", NodeID="there", CreatedAt="9")
        self.assertIs(here, to_blame([there, here], "here", ended=False))
        self.assertIs(there, to_blame([there], "here", ended=False))

    def test_one_that_runs_or_that_has_ended(self) -> None:
        runs, ended = task("running", CreatedAt="1"), task("failed", CreatedAt="2")
        self.assertIs(runs, to_blame([ended, runs], "n", ended=False))
        self.assertIs(ended, to_blame([runs, ended], "n", ended=True))

    def test_the_youngest_of_equals(self) -> None:
        young, old = task("failed", CreatedAt="2"), task("failed", CreatedAt="1")
        self.assertIs(young, to_blame([old, young], "n", ended=True))
        self.assertIs(young, to_blame([young, old], "n", ended=True))

    def test_what_has_not_begun_is_not_to_blame(self) -> None:
        self.assertIsNone(to_blame([task("preparing"), task("pending"), {}], "n", ended=True))
        self.assertIsNone(to_blame([], "n", ended=True))


if __name__ == "__main__":
    unittest.main()
