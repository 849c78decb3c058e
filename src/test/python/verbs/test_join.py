"""How a machine gets into a cluster: through a manager, or by founding one."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Callable
from unittest import mock

from agent import files
from agent.context import Context
from agent.decide.cluster_record import Record
from agent.engine import EngineRefused
from agent.errors import Problem, Refused, TimedOut, Unavailable
from agent.founding import is_founding
from agent.verbs import join
from fakes import FakeEngine, MachineTest, directly, spoken

TOKEN = "SWMTKN-1-secret"
MANAGER = "10.0.0.9"


def info(state: str, cluster: str) -> dict[str, object]:
    swarm: dict[str, object] = {"LocalNodeState": state, "ControlAvailable": state == "active"}
    swarm["Cluster"] = {"ID": cluster}
    return {"Swarm": swarm}


class ChangingEngine(FakeEngine):
    """What it says of itself is other after some calls: by these, in `after`."""

    def __init__(self) -> None:
        super().__init__()
        self.after: dict[str, object] = {}

    def _call(self, method: str, path: str, limit: float, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        call = f"{method} {path.split('?')[0]}"
        if call in self.after:
            self.answer("GET /info", self.after[call])
        return super()._call(method, path, limit, body, headers)


class JoinTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        for name, stand_in in (
            ("agent.record.contained", directly),
            ("agent.verbs.join.socket.create_connection", self.connect),
        ):
            patch = mock.patch(name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)
        self.record = self.context.record
        self.listening = {MANAGER}
        self.tried: list[object] = []
        self.changing = ChangingEngine()
        self.engine = self.changing
        self.context = Context(self.machine, self.engine, self.record)
        self.engine.swarm("inactive", "")
        self.becomes("POST /swarm/init", "active", "cluster-new")
        self.becomes("POST /swarm/leave", "inactive", "")
        self.engine.answer("GET /swarm", {"JoinTokens": {"Manager": TOKEN, "Worker": "other"}})

    def connect(self, address: tuple[str, int], limit: float) -> mock.Mock:
        self.tried.append((*address, limit))
        if address[0] not in self.listening:
            raise ConnectionRefusedError
        return mock.Mock(spec=socket.socket)

    def becomes(self, call: str, state: str, cluster: str, refusal: str = "") -> None:
        """What the engine is after that call, and what it says."""
        self.changing.after[call] = info(state, cluster)
        self.engine.answer(call, EngineRefused(refusal, 500) if refusal else "")

    def join(self) -> list[str]:
        return spoken(lambda: join.run(self.context, []))

    def ends(self, kind: type[Problem] = Refused) -> str:
        with self.assertRaises(kind) as end:
            self.join()
        return end.exception.reason

    def record_cluster(self) -> None:
        self.record.claim(1, "i-old", MANAGER)
        self.record.found(1, "cluster-old", TOKEN)
        self.record.beat(1, "i-old", True, MANAGER)
        self.becomes("POST /swarm/join", "active", "cluster-old")

    def body(self, key: str) -> dict[str, object]:
        """The body that has this key."""
        (found,) = [one for one in self.engine.bodies if isinstance(one, dict) and key in one]
        return found

    def asked(self, call: str) -> int:
        return len([one for one in self.engine.calls if one.startswith(call)])


class FoundingTest(JoinTest):
    def test_should_found_the_first_cluster_and_record_it(self) -> None:
        said = self.join()

        self.assertEqual("founds generation 1", said[0])
        self.assertEqual("is in the cluster cluster-new", said[-1])
        record = self.record.show()
        self.assertEqual((1, "i-0a", "cluster-new"), (record.generation, record.founder, record.cluster))
        (manager,) = record.managers
        self.assertEqual(("i-0a", True, "10.0.0.10"), (manager.instance, manager.leader, manager.address))
        self.assertEqual(TOKEN, self.record.token(1))
        self.assertEqual("cluster-new\n", self.read("var/lib/twinhost/cluster-id"))
        self.assertFalse(is_founding(self.machine.paths))

    def test_should_keep_the_swarms_addresses_away_from_the_network_of_the_machines(self) -> None:
        self.join()

        self.assertEqual(
            {
                "ListenAddr": "0.0.0.0:2377",
                "AdvertiseAddr": "10.0.0.10",
                "Availability": "active",
                "DefaultAddrPool": ["172.20.0.0/14"],
                "SubnetSize": 24,
            },
            self.body("DefaultAddrPool"),
        )

    def test_should_beat_as_a_founder_while_it_founds(self) -> None:
        seen: list[bool] = []
        found = self.record.found

        def look(*arguments: object) -> None:
            seen.append(is_founding(self.machine.paths))
            found(*arguments)  # type: ignore[arg-type]

        with mock.patch.object(self.record, "found", look):
            self.join()

        self.assertEqual([True], seen)

    def test_should_found_again_when_every_recorded_manager_is_gone(self) -> None:
        self.record_cluster()
        self.listening.clear()

        said = self.join()

        self.assertEqual(["waits for a heartbeat of generation 1", "founds generation 2"], said[:2])
        self.assertEqual(60, self.clock.now - 1000)
        self.assertEqual("cluster-new", self.record.show().cluster)

    def test_should_give_the_hosts_a_head_start_as_a_witness(self) -> None:
        self.context = Context(dataclasses.replace(self.machine, role="witness"), self.engine, self.record)

        self.assertEqual(["waits for the hosts to found a cluster", "founds generation 1"], self.join()[:2])
        self.assertEqual(30, self.clock.now - 1000)
        self.assertEqual("drain", self.body("DefaultAddrPool")["Availability"])

    def test_should_wait_for_the_winner_of_a_claim(self) -> None:
        claim = self.record.claim

        def lose(generation: int, *_: str) -> None:
            claim(generation, "i-fast", MANAGER)
            claim(generation, "i-0a", "10.0.0.10")

        with mock.patch.object(self.record, "claim", lose), mock.patch("agent.budgets.JOIN", 9):
            self.ends()

        self.assertEqual(0, self.asked("POST /swarm/init"))
        self.assertEqual("i-fast", self.record.show().founder)

    def test_should_not_wait_for_itself_after_a_claim_that_broke_off(self) -> None:
        claim = self.record.claim

        def stall(generation: int, *identity: str) -> None:
            claim(generation, *identity)
            raise Unavailable("the shared storage did not answer within 5 s")

        with mock.patch.object(self.record, "claim", stall), self.assertRaises(Refused):
            self.clock.now = 1000
            with mock.patch("agent.budgets.JOIN", 3):
                self.join()

        self.assertFalse(is_founding(self.machine.paths))

    def test_should_record_no_cluster_without_a_token_or_an_id(self) -> None:
        for answer in ("null", "{}", {"JoinTokens": None}, {"JoinTokens": {"Manager": ""}}, '{"JoinTokens":{"Man'):
            with self.subTest(answer):
                self.engine.answer("GET /swarm", answer).swarm("inactive", "")
                reason = self.ends(TimedOut)
                self.assertTrue(
                    reason.startswith("waited 120 s for the shared storage to take the founding down, last: "), reason
                )
                self.assertEqual("", self.record.show().cluster)
                (self.root / "var/lib/twinhost/cluster-id").unlink()
        with self.assertRaises(Problem):
            join.note_founding(self.context, 1)
        self.assertEqual("", self.record.show().cluster)

    def test_should_say_that_the_swarm_could_not_be_founded(self) -> None:
        self.becomes("POST /swarm/init", "inactive", "", "no space left on device")
        said = spoken(lambda: self.assertEqual("the Swarm could not be founded", self.ends()))

        self.assertEqual([], said)
        self.becomes("POST /swarm/init", "active", "")
        self.clock.now += 100
        self.assertEqual("the Swarm that was founded sees no leader", self.ends())


class JoiningTest(JoinTest):
    def test_should_join_through_a_live_manager_without_waiting(self) -> None:
        self.record_cluster()

        said = self.join()

        self.assertEqual([f"joins generation 1 through {MANAGER}", "is in the cluster cluster-old"], said)
        self.assertEqual(
            {
                "ListenAddr": "0.0.0.0:2377",
                "AdvertiseAddr": "10.0.0.10",
                "RemoteAddrs": [f"{MANAGER}:2377"],
                "JoinToken": TOKEN,
                "Availability": "active",
            },
            self.body("JoinToken"),
        )
        self.assertEqual((1000, [(MANAGER, 2377, 2)]), (self.clock.now, self.tried))
        self.assertEqual("cluster-old\n", self.read("var/lib/twinhost/cluster-id"))

    def test_should_join_drained_as_a_witness(self) -> None:
        self.context = Context(dataclasses.replace(self.machine, role="witness"), self.engine, self.record)
        self.record_cluster()

        self.join()

        self.assertEqual("drain", self.body("JoinToken")["Availability"])

    def test_should_ask_no_manager_that_sees_no_leader_nor_itself(self) -> None:
        self.record_cluster()
        self.record.beat(1, "i-old", False, MANAGER)
        self.record.beat(1, "i-0a", True, MANAGER)

        self.assertEqual("founds generation 2", self.join()[1])
        self.assertEqual([], self.tried)

    def test_should_ask_the_next_manager_where_one_does_not_listen(self) -> None:
        self.record_cluster()
        self.record.beat(1, "i-first", True, "10.0.0.8")

        self.join()

        self.assertEqual([("10.0.0.8", 2377, 2), (MANAGER, 2377, 2)], self.tried)
        self.assertEqual([f"{MANAGER}:2377"], self.body("JoinToken")["RemoteAddrs"])

    def test_should_leave_what_a_manager_without_a_leader_has_begun_and_found_after_a_minute(self) -> None:
        self.record_cluster()
        self.becomes("POST /swarm/join", "pending", "", "rpc error: The swarm does not have a leader")

        said = self.join()

        self.assertEqual(
            [
                f"joins generation 1 through {MANAGER}",
                f"{MANAGER} did not take this machine in: rpc error: The swarm does not have a leader",
                "waits for a heartbeat of generation 1",
            ],
            said[:3],
        )
        self.assertEqual(60, self.clock.now - 1000)
        self.assertGreater(self.asked("POST /swarm/leave?force=true"), 50)
        self.assertEqual((2, "cluster-new"), (self.record.show().generation, self.record.show().cluster))

    def test_should_leave_a_swarm_in_which_it_sees_no_leader(self) -> None:
        self.record_cluster()
        self.becomes("POST /swarm/join", "active", "")

        said = self.join()

        refused = said.count(f"{MANAGER} did not take this machine in: waited 60 s for a leader")
        self.assertGreater(refused, 0)
        self.assertEqual(refused, self.asked("POST /swarm/leave?force=true"))

    def test_should_wait_for_a_join_that_docker_continues_in_the_background(self) -> None:
        self.record_cluster()
        words = "Timeout was reached before node joined. The attempt to join the swarm will continue in the background."
        self.becomes("POST /swarm/join", "active", "cluster-old", words)

        self.assertEqual("is in the cluster cluster-old", self.join()[-1])
        self.assertEqual((1, 0), (self.asked("POST /swarm/join"), self.asked("POST /swarm/leave")))

    def test_should_try_again_where_the_token_cannot_be_read(self) -> None:
        self.record_cluster()
        token = self.root / "srv/twinhost/swarm/generations/1/token"
        token.write_text("")

        said = self.join()

        why = "generations/1/token in the cluster record is damaged"
        self.assertEqual(f"{MANAGER} did not take this machine in: {why}", said[1])
        self.assertEqual(0, self.asked("POST /swarm/join"))

    def test_should_never_log_the_token(self) -> None:
        self.record_cluster()
        joined = self.join()
        self.engine.swarm("inactive", "")
        (self.root / "srv").rename(self.root / "away")
        founded = self.join()

        self.assertIn("founds generation 1", founded)
        self.assertNotIn(TOKEN, "\n".join(joined + founded))


class SurvivorTest(JoinTest):
    def test_should_neither_join_nor_found_with_swarm_state_on_its_disk(self) -> None:
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        for state in ("active", "pending", "error", "locked"):
            self.engine.swarm(state, "")
            self.assertEqual(["has Swarm state on its disk: a survivor, which neither joins nor founds"], self.join())

        self.assertEqual(0, self.asked("POST"))
        self.assertFalse((self.root / "srv/twinhost/swarm").exists())

    def test_should_begin_again_after_a_join_that_was_cut_short(self) -> None:
        self.engine.swarm("pending", "")

        said = self.join()

        self.assertEqual(["leaves what a join that was cut short has begun", "founds generation 1"], said[:2])

    def test_should_complete_a_join_that_was_cut_short_where_that_was_the_recorded_cluster(self) -> None:
        self.record_cluster()
        self.engine.swarm("active", "cluster-old")

        self.assertEqual(["completes a join that was cut short: is in the cluster cluster-old"], self.join())

        self.assertEqual("cluster-old\n", self.read("var/lib/twinhost/cluster-id"))
        self.assertEqual(0, self.asked("POST"))

    def test_should_leave_a_cluster_that_the_record_does_not_name(self) -> None:
        self.record_cluster()
        self.engine.swarm("active", "cluster-other")

        self.assertEqual("leaves what a join that was cut short has begun", self.join()[0])
        self.assertEqual("cluster-old\n", self.read("var/lib/twinhost/cluster-id"))

    def test_should_leave_no_cluster_while_the_record_cannot_be_read(self) -> None:
        self.engine.swarm("active", "cluster-old")
        self.write("srv/twinhost/swarm", "a file where a folder should be")

        self.assertIn("a join was cut short, and the cluster record cannot be read: Not a directory", self.ends())
        self.assertEqual(0, self.asked("POST"))

    def test_should_do_nothing_where_docker_does_not_say_whether_there_is_swarm_state(self) -> None:
        for answer in (
            "null",
            "{}",
            "[]",
            "7",
            "",
            {"Swarm": {}},
            {"Swarm": {"LocalNodeState": None}},
            {"Swarm": {"LocalNodeState": ""}},
            {"Swarm": {"LocalNodeState": "other"}},
            '{"Swarm":{"LocalNodeState":"ina',
            EngineRefused("no", 500),
            Unavailable("Docker cannot be asked"),
        ):
            with self.subTest(answer):
                self.engine.answer("GET /info", answer)
                self.assertEqual("Docker does not say whether this machine is in a Swarm", self.ends())
        self.assertEqual(0, self.asked("POST"))

    def test_should_say_what_it_waited_for_when_the_record_cannot_be_read(self) -> None:
        self.write("srv/twinhost/swarm", "a file where a folder should be")

        reason = self.ends()

        self.assertTrue(
            reason.startswith("waited 900 s for the cluster record to be readable: Not a directory"), reason
        )
        self.assertEqual((900, 0), (self.clock.now - 1000, self.asked("POST")))

    def test_should_name_the_damaged_file_that_it_waited_for_and_claim_nothing(self) -> None:
        self.record_cluster()
        (self.root / "srv/twinhost/swarm/generations/1/cluster-id").write_text("clus")

        with mock.patch("agent.budgets.JOIN", 9):
            reason = self.ends()

        self.assertEqual(
            "waited 9 s for the cluster record to be readable:"
            " generations/1/cluster-id in the cluster record is damaged",
            reason,
        )
        self.assertEqual(0, self.asked("POST"))
        self.assertFalse((self.root / "srv/twinhost/swarm/generations/2").exists())

    def test_should_not_take_a_storage_that_stalls_for_managers_that_are_gone(self) -> None:
        for away, claimed in ((10, 60), (300, 5 + 300 + 60)):
            with self.subTest(away):
                self.setUp()
                self.record_cluster()
                self.listening.clear()
                show = self.record.show

                def stall(away: int = away, show: Callable[[], Record] = show) -> Record:
                    if 1005 <= self.clock.now < 1005 + away:
                        raise Unavailable("the shared storage did not answer within 5 s")
                    return show()

                with mock.patch.object(self.record, "show", stall):
                    self.join()
                self.assertEqual(claimed, self.clock.now - 1000)

    def test_should_leave_where_the_disk_does_not_take_the_note_of_its_cluster(self) -> None:
        self.record_cluster()
        write = files.write

        def full(file: Path, content: str | bytes, mode: int = 0o600) -> None:
            if file.name == "cluster-id":
                raise OSError(28, "No space left on device")
            write(file, content, mode)

        with mock.patch("agent.files.write", full), mock.patch("agent.budgets.JOIN", 0):
            self.ends()

        self.assertEqual(1, self.asked("POST /swarm/leave?force=true"))

    def test_should_watch_the_record_from_its_own_beginning(self) -> None:
        self.record_cluster()
        self.listening.clear()
        self.write("run/twinhost/watch", '{"generation":1,"since":1,"managers":{}}')

        self.join()

        self.assertEqual(60, self.clock.now - 1000)
