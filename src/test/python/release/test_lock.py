"""One release at a time in the whole cluster."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import unittest
from collections.abc import Iterator
from unittest import mock

from agent.engine import EngineRefused
from agent.errors import Hopeless, TimedOut, Unavailable
from agent.release.ending import Ended, ended_by_signals
from agent.release.lock import cluster_lock
from release.things import HostTest, node

TAKEN = EngineRefused("rpc error: code = AlreadyExists desc = config twinhost_release already exists", 409)


class LockTest(HostTest):
    def test_the_lock_names_its_machine_and_how_long_it_may_last(self) -> None:
        with cluster_lock(self.context, 1385) as waited:
            self.assertFalse(waited)
            self.assertEqual("turn\n", self.read("run/twinhost/turn"))
            self.assertEqual([], self.asked("DELETE"))
        self.assertEqual(
            [
                {
                    "Name": "twinhost_release",
                    "Labels": {"twinhost.instance": "i-0a", "twinhost.limit": "1385"},
                    "Data": "aS0wYQ==",
                }
            ],
            self.engine.bodies,
        )
        self.assertEqual(["/configs/turn"], self.asked("DELETE"))
        self.assertFalse((self.root / "run/twinhost/turn").exists())

    def test_it_is_given_back_whatever_the_end(self) -> None:
        self.engine.answer("DELETE /configs/turn", Unavailable("no leader"))
        with self.assertRaises(KeyError), cluster_lock(self.context, 10):
            raise KeyError
        self.assertFalse((self.root / "run/twinhost/turn").exists())

    def test_it_is_given_back_where_the_release_is_ended_or_breaks_off_as_it_takes_it(self) -> None:
        post = self.engine.post

        def ended(*arguments: object) -> object:
            os.kill(os.getpid(), signal.SIGTERM)
            return post(*arguments)  # type: ignore[arg-type]

        with mock.patch.object(self.engine, "post", ended), self.assertRaises(Ended), ended_by_signals():
            self._enter()
        full = mock.patch("agent.files.write", side_effect=OSError(errno.ENOSPC, "No space left on device"))
        with full, self.assertRaises(OSError):
            self._enter()
        self.assertEqual(["/configs/turn"] * 2, self.asked("DELETE"))

    def _enter(self) -> None:
        with cluster_lock(self.context, 10):
            self.fail("it has been ended")

    def test_where_nobody_leads_the_swarm_it_is_the_end_at_once(self) -> None:
        reason = "rpc error: code = Unknown desc = The swarm does not have a leader."
        for refusal in (EngineRefused(reason, 503), Unavailable(reason)):
            self.engine.answer("POST /configs/create", refusal)
            with self.assertRaises(Hopeless) as end, cluster_lock(self.context, 10):
                self.fail("it has no lock")
            self.assertEqual(reason, end.exception.reason)
        self.assertEqual(1000, self.clock.uptime())

    def test_another_machine_is_waited_for(self) -> None:
        self.taken_by("i-0b")
        self.paced.pace = 60
        said = self.waits(600, TimedOut)
        self.assertIn("waits for another release to end: i-0b applies one\n", said)
        self.assertIn("/configs/taken", self.asked("DELETE"), "it has had its 600 s")

    def test_what_is_left_behind_is_taken_at_once(self) -> None:
        for instance in ("i-0a", "i-0gone"):
            self.taken_by(instance)
            with self.quietly(), cluster_lock(self.context, 1385) as waited:
                # whatever it has changed is to be looked at
                self.assertTrue(waited)
            self.assertEqual("/configs/taken", self.asked("DELETE")[-2])

    def test_a_release_is_not_waited_for_longer_than_it_can_take(self) -> None:
        for limit, end in ((None, 2440), ("soon", 2440), ("600", 1720), ("3000", None)):
            with self.subTest(limit):
                self.paced.now, self.paced.pace = 1000, 120
                self.taken_by("i-0b", limit)
                taken_at: list[int] = []
                with mock.patch.object(self.engine, "delete", lambda _, at=taken_at: at.append(self.clock.uptime())):
                    self.waits(1385, TimedOut)
                self.assertEqual(end, taken_at[0] if taken_at else None)

    def test_a_machine_of_which_swarm_says_nothing_keeps_it(self) -> None:
        self.paced.pace = 600
        broken: tuple[object, ...] = ([], None, {}, '[{"ID":', "", EngineRefused("no leader", 503))
        for nodes in broken:
            with self.subTest(nodes):
                self.taken_by("i-0gone", "100000")
                self.engine.answer("GET /nodes", nodes)
                self.assertIn("i-0gone applies one\n", self.waits(1385, TimedOut))
        self.assertEqual([], self.asked("DELETE"))

    def test_a_holder_that_cannot_be_read_keeps_it(self) -> None:
        self.paced.pace = 600
        self.taken_by("i-0b")
        broken: tuple[object, ...] = (
            None,
            {},
            '[{"ID":',
            "",
            [7],
            [{"ID": "", "Spec": {"Name": "twinhost_release"}}],
            [],
        )
        for configs in broken:
            with self.subTest(configs):
                self.engine.answer("GET /configs", configs)
                self.waits(1385, TimedOut)
        self.assertEqual([], self.asked("DELETE"))

    def waits(self, limit: int, end: type[Exception]) -> str:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), self.assertRaises(end), cluster_lock(self.context, limit):
            self.fail("it has no lock")
        return output.getvalue()

    def taken_by(self, instance: str, limit: str | None = "600") -> None:
        labels = {"twinhost.instance": instance, **({} if limit is None else {"twinhost.limit": limit})}
        self.engine.answer("GET /nodes", [node()])
        self.engine.answer("POST /configs/create", TAKEN)
        self.engine.answer("GET /configs", [{"ID": "taken", "Spec": {"Name": "twinhost_release", "Labels": labels}}])
        self.engine.answer("DELETE /configs/taken", "")

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """What is taken away is free at the next attempt."""
        with mock.patch.object(self.clock, "sleep", self._free), contextlib.redirect_stdout(io.StringIO()):
            yield

    def _free(self, seconds: float) -> None:
        self.clock.now += seconds
        self.engine.answer("POST /configs/create", {"ID": "turn"})


if __name__ == "__main__":
    unittest.main()
