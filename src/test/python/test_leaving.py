from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Callable
from unittest import mock

from agent import budgets, leaving
from agent.errors import NotYet, TimedOut, Unavailable
from fakes import FakePrograms, MachineTest, directly

NAME = "com.docker.swarm.service.name"
RUNS = [{"Labels": {NAME: "twinhost_edge"}}, {"Labels": {NAME: "twinhost_app"}}]
DRAIN = "docker node update --availability drain node-1"
BROKEN = ("", "null", "7", '"text"', "[", "{}", "[null]", '[{"Labels":null}]', '[{"Labels":{}}]')


class LeavingTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.programs = FakePrograms().answer("docker")
        self.spread = mock.Mock(return_value=None)
        replaced = {"leaving.run": self.programs, "leaving.spread": self.spread, "record.contained": directly}
        for name, stand_in in replaced.items():
            patch = mock.patch(f"agent.{name}", stand_in)
            patch.start()
            self.addCleanup(patch.stop)
        self.engine.swarm("active", "cluster-a").answer("GET /containers/json", [])
        (self.machine.paths.state / "tls").mkdir()

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()


class Retire(LeavingTest):
    def test_drains_and_waits_until_nothing_runs(self) -> None:
        self.engine.answer("GET /containers/json", RUNS)
        with mock.patch("agent.leaving.wait_for") as wait:
            leaving.retire(self.context)

        self.assertTrue(self.exists("var/lib/twinhost/tls/retire"))
        self.assertEqual(self.programs.calls, [DRAIN])
        self.assertEqual(wait.call_args.args[1:3], (budgets.OUT_EDGE - budgets.ENGINE_LOOK, "what runs here to end"))
        with self.assertRaisesRegex(NotYet, "^twinhost_edge twinhost_app$"):
            wait.call_args.args[3]()

    def test_continues_when_its_time_is_over(self) -> None:
        self.engine.answer("GET /containers/json", RUNS)
        leaving.retire(self.context)
        self.assertGreaterEqual(self.clock.uptime(), 1000 + budgets.OUT_EDGE - budgets.ENGINE_LOOK)

    def test_does_not_take_a_broken_answer_for_an_empty_machine(self) -> None:
        for broken in (*BROKEN, Unavailable("Docker did not answer within 5 s")):
            with self.subTest(broken), self.assertRaises((NotYet, Unavailable)):
                self.engine.answer("GET /containers/json", broken)
                leaving.require_nothing_runs(self.context)
        self.engine.answer("GET /containers/json", [])
        leaving.require_nothing_runs(self.context)

    def test_spreads_before_it_drains(self) -> None:
        # in a child, of which only what it returns or writes is seen
        mark = self.root / "mark"
        self.spread.side_effect = lambda *_: mark.write_text(json.dumps(self.programs.calls)) and "spread"
        leaving.retire(self.context)
        self.assertEqual(json.loads(mark.read_text()), [])
        self.assertEqual(self.programs.calls, [DRAIN])

    def test_drains_where_the_spread_fails_or_hangs(self) -> None:
        for failure in (TimedOut("waited 60 s"), Unavailable("no"), ValueError("a defect"), lambda *_: time.sleep(9)):
            with self.subTest(failure), mock.patch("agent.budgets.OUT_SPREAD", 2.05):
                self.programs.calls.clear()
                self.spread.side_effect = failure
                leaving.retire(self.context)
                self.assertEqual(self.programs.calls, [DRAIN])

    def test_ends_the_edge_first_where_no_leader_is_seen(self) -> None:
        self.engine.swarm("active", "")
        self.assert_stops()

    def test_ends_the_edge_first_where_swarm_does_not_drain(self) -> None:
        self.programs.fail("docker node update", "Error response from daemon: no leader")
        self.assert_stops(DRAIN)

    def test_ends_the_edge_first_where_the_engine_says_nothing_whole(self) -> None:
        for broken in ("", "null", "7", "{}", '{"Swarm":null}', '{"Swarm":{"ControlAvailable":"yes"}}'):
            with self.subTest(broken):
                self.programs.calls.clear()
                self.engine.answer("GET /info", broken)
                self.assert_stops()

    def test_asks_for_the_others_where_the_edge_cannot_be_ended(self) -> None:
        self.engine.swarm("active", "")
        self.programs.answer("docker ps", "c1\n").fail("docker stop -t 85", "no")
        leaving.retire(self.context)
        self.assertEqual(self.programs.calls[-1], "docker stop -t 25 c1")

    def test_takes_no_longer_than_its_part_to_end_the_edge(self) -> None:
        self.engine.swarm("active", "")
        limits: list[float] = []

        def run(command: list[str], limit: float, grace: float) -> str:
            limits.append(limit + grace)
            return "c1" if command[1] == "ps" else ""

        # a second passes between any two looks at the clock
        clock = mock.Mock(side_effect=range(100))
        with mock.patch("agent.leaving.run", run), mock.patch("agent.leaving.time.monotonic", clock):
            leaving.retire(self.context)
        self.assertEqual(limits, [7, budgets.OUT_EDGE - 1, 7, budgets.OUT_SPREAD - 1])

    def test_calls_nothing_where_nothing_runs(self) -> None:
        self.engine.swarm("active", "")
        leaving.retire(self.context)
        self.assertEqual([call for call in self.programs.calls if "stop" in call], [])

    def test_announces_nothing_on_a_machine_without_an_edge(self) -> None:
        (self.machine.paths.state / "tls").rmdir()
        leaving.retire(self.context)
        self.assertFalse(self.exists("var/lib/twinhost/tls"))

    def assert_stops(self, *before: str) -> None:
        self.programs.answer("docker ps -q -f label=com.docker.swarm.service.id", "e1\na1\n")
        self.programs.answer("docker ps -q -f label=com.docker.swarm.service.name=twinhost_edge", "e1\n")
        leaving.retire(self.context)
        self.assertEqual(
            self.programs.calls,
            [
                *before,
                "docker ps -q -f label=com.docker.swarm.service.name=twinhost_edge",
                "docker stop -t 85 e1",
                "docker ps -q -f label=com.docker.swarm.service.id",
                "docker stop -t 25 e1 a1",
            ],
        )


class StepDown(LeavingTest):
    def test_is_a_manager_no_longer(self) -> None:
        def demote() -> str:
            self.engine.swarm("inactive", "")
            return ""

        self.programs.answer("docker node demote", demote)
        leaving.step_down(self.context)
        self.assertEqual(self.programs.calls, ["docker node demote node-1"])

    def test_leaves_as_a_manager_where_it_cannot(self) -> None:
        leaving.step_down(self.context)
        self.assertGreaterEqual(self.clock.uptime(), 1010)
        self.programs.fail("docker node demote", "no")
        leaving.step_down(self.context)
        self.engine.swarm("active", "")
        self.programs.calls.clear()
        leaving.step_down(self.context)
        self.assertEqual(self.programs.calls, [])

    def test_does_not_take_a_broken_answer_for_a_demotion(self) -> None:
        for broken in (
            *BROKEN,
            '{"Swarm":{}}',
            '{"Swarm":{"ControlAvailable":null}}',
            '{"Swarm":{"ControlAvailable":0}}',
        ):
            with self.subTest(broken), self.assertRaises(NotYet):
                self.engine.answer("GET /info", broken)
                leaving.require_demoted(self.context)


class LeaveSwarm(LeavingTest):
    def setUp(self) -> None:
        super().setUp()
        self.context.record.claim(1, "i-0a", "10.0.0.10")
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.write("var/lib/twinhost/drained", "")

    def test_forgets_the_swarm_and_has_the_record_forget_this_manager(self) -> None:
        self.engine.answer("POST /swarm/leave", "")
        leaving.leave_swarm(self.context)
        self.assertIn("POST /swarm/leave?force=true", self.engine.calls)
        self.assert_forgotten()

    def test_forgets_where_the_engine_does_not_answer(self) -> None:
        self.engine.answer("POST /swarm/leave", Unavailable("Docker did not answer within 15 s"))
        leaving.leave_swarm(self.context)
        self.assert_forgotten()

    def test_has_the_record_forget_it_where_the_disk_takes_no_change_any_more(self) -> None:
        self.engine.answer("POST /swarm/leave", "")
        with mock.patch.object(Path, "unlink", refuses_on(self.machine.paths.state)):
            leaving.leave_swarm(self.context)
        self.assertTrue(self.exists("var/lib/twinhost/cluster-id"))
        self.assertEqual(self.context.record.show().managers, ())

    def test_ends_where_the_storage_cannot_be_read(self) -> None:
        self.engine.answer("POST /swarm/leave", "")
        (self.root / "srv").rename(self.root / "away")
        (self.root / "srv").write_text("")
        leaving.leave_swarm(self.context)
        self.assertFalse(self.exists("var/lib/twinhost/cluster-id"))

    def assert_forgotten(self) -> None:
        self.assertFalse(self.exists("var/lib/twinhost/cluster-id"))
        self.assertFalse(self.exists("var/lib/twinhost/drained"))
        self.assertEqual(self.context.record.show().managers, ())


def refuses_on(disk: Path) -> Callable[..., None]:
    """Path.unlink, of which that disk is read-only by now."""
    unlink = Path.unlink

    def unlink_elsewhere(file: Path, missing_ok: bool = False) -> None:
        if disk in file.parents:
            raise OSError(errno.EROFS, "Read-only file system", str(file))
        unlink(file, missing_ok)

    return unlink_elsewhere
