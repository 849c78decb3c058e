"""The cluster record, as several machines write it at once, on a storage that may stall."""

from __future__ import annotations

import os
import time
from typing import Callable
from unittest import mock

from agent import budgets
from agent.contained import contained
from agent.errors import Unavailable
from agent.record import AlreadyClaimed, last_seen
from storage import RecordTest


class ClaimTest(RecordTest):
    contained = staticmethod(contained)

    def test_should_make_one_founder_of_eight_that_claim_at_once(self) -> None:
        answers = self.at_once(8, lambda machine: self.record.claim(1, f"i-{machine}", "10.0.0.1"))

        self.assertEqual(["claimed"], [one for one in answers if one != "AlreadyClaimed"])
        self.assertEqual(f"i-{answers.index('claimed')}\n", (self.folder(1) / "founder").read_text())

    def test_should_make_one_rescuer_of_eight(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")

        answers = self.at_once(8, lambda machine: self.record.rescue(1, 1, f"i-{machine}"))

        self.assertEqual(["claimed"], [one for one in answers if one != "AlreadyClaimed"])
        by = (self.folder(1) / "rescues/1/by").read_text()
        self.assertEqual(f"i-{answers.index('claimed')}\n", by)
        self.assertEqual(1, self.record.show().rescues)

    def at_once(self, machines: int, claim: Callable[[int], None]) -> list[str]:
        """What each of so many processes got, which begin when all are there."""
        start, go = os.pipe()
        answers = []
        for machine in range(machines):
            answer, end = os.pipe()
            if os.fork() == 0:
                os.close(go)
                os.read(start, 1)  # until the other end is closed
                try:
                    claim(machine)
                    os.write(end, b"claimed")
                except BaseException as problem:
                    os.write(end, type(problem).__name__.encode())
                os._exit(0)
            os.close(end)
            answers.append(answer)
        os.close(start)
        os.close(go)
        said = []
        for answer in answers:
            with os.fdopen(answer, "rb") as pipe:
                said.append(pipe.read().decode())
        for _ in range(machines):
            os.wait()
        return said


class LongAgoTest(RecordTest):
    def test_should_keep_of_the_generations_of_long_ago_those_that_had_a_release(self) -> None:
        for generation in range(1, 24):
            self.record.claim(generation, "i-1", "10.0.0.1")
            if generation == 2:
                self.record.converged(2, "a" * 64, {"sha256": "a" * 64})

        self.assertEqual([2, *range(4, 24)], sorted(int(one.name) for one in self.folder(1).parent.iterdir()))
        self.assertEqual("a" * 64, self.record.show().release)

    def test_should_have_claimed_also_where_what_is_old_cannot_be_removed(self) -> None:
        with mock.patch("agent.record.RecordStore._tidy_up", side_effect=Unavailable("the shared storage")):
            self.record.claim(1, "i-1", "10.0.0.1")

        self.assertEqual("i-1", self.record.show().founder)


class AnswerTest(RecordTest):
    def test_should_answer_a_deploy_once_and_forget_old_answers(self) -> None:
        self.record.answer("deploy-0")
        with self.assertRaises(AlreadyClaimed):
            self.record.answer("deploy-0")
        self.record.unanswered("deploy-0")
        for number in range(22):
            self.record.answer(f"deploy-{number}")
            made = self.root / f"srv/twinhost/swarm/answers/deploy-{number}"
            os.utime(made, (number, number))

        left = {one.name for one in made.parent.iterdir()}
        self.assertEqual({f"deploy-{number}" for number in range(2, 22)}, left)


class HeartbeatTest(RecordTest):
    def setUp(self) -> None:
        super().setUp()
        self.record.claim(1, "i-1", "10.0.0.1")
        self.file = self.folder(1) / "managers/i-2"

    def test_should_count_every_heartbeat(self) -> None:
        self.record.beat(1, "i-2", True, "10.0.0.2")
        self.record.beat(1, "i-2", False, "10.0.0.2")

        self.assertEqual("2 no 10.0.0.2\n", self.file.read_text())

    def test_should_begin_anew_where_the_counter_cannot_be_read(self) -> None:
        for damage in (b"", b"7 y", b"\xff"):
            self.file.write_bytes(damage)
            self.record.beat(1, "i-2", True, "10.0.0.2")
            self.assertEqual("1 yes 10.0.0.2\n", self.file.read_text())

    def test_should_mend_a_machines_own_damaged_heartbeat_alone(self) -> None:
        self.assertFalse(self.record.mend("i-2", "10.0.0.2"))
        self.record.beat(1, "i-2", True, "10.0.0.2")
        self.assertFalse(self.record.mend("i-2", "10.0.0.2"))
        self.assertEqual("1 yes 10.0.0.2\n", self.file.read_text())

        self.file.write_text("12")
        self.assertFalse(self.record.mend("i-1", "10.0.0.1"))
        self.assertEqual("12", self.file.read_text())
        self.assertTrue(self.record.mend("i-2", "10.0.0.2"))
        self.assertEqual("1 no 10.0.0.2\n", self.file.read_text())

    def test_should_forget_a_manager_that_leaves(self) -> None:
        self.record.leave("i-1")
        self.record.leave("i-1")

        self.assertEqual((), self.record.show().managers)


class StalledStorageTest(RecordTest):
    contained = staticmethod(contained)

    def test_should_end_a_read_that_stalls(self) -> None:
        self.record.claim(1, "i-1", "10.0.0.1")
        os.mkfifo(self.folder(1) / "cluster-id")  # nobody writes there, so an open for reading has no end
        before = time.monotonic()

        with mock.patch.object(budgets, "STORAGE", 0.05):
            reason = self.reason(self.record.show, Unavailable)

        self.assertEqual("the shared storage did not answer within 0.05 s", reason)
        self.assertLess(time.monotonic() - before, 2)
        self.assertIsNone(last_seen(self.machine.paths))

    def test_should_end_what_ignores_every_signal_but_kill(self) -> None:
        note = self.root / "pid"

        def hang() -> None:
            note.write_text(str(os.getpid()))
            time.sleep(30)

        with self.assertRaises(Unavailable):
            contained(0.05, "the shared storage", hang)

        with self.assertRaises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)

    def test_should_say_that_the_child_has_died(self) -> None:
        def die() -> None:
            os._exit(0)

        reason = self.reason(lambda: contained(5, "the shared storage", die), Unavailable)

        self.assertEqual("the shared storage could not be asked: the process that asked has died", reason)
