"""Who may found a cluster, as a machine without Swarm state judges it on its own clock: section 6 of the design."""

from __future__ import annotations

import unittest

from agent import shape
from agent.decide.cluster_record import Manager, Record
from agent.decide.watch import Claim, Wait, Watch, Watched, next_step, watch
from agent.errors import Damaged

HOST = 0
WITNESS = 60


def record(generation: int, cluster: str, *managers: Manager) -> Record:
    return Record(generation, "i-1", cluster, "", 0, managers)


def manager(instance: str, counter: int, leader: bool) -> Manager:
    return Manager(instance, counter, leader, "10.0.0.1")


class NextStepTest(unittest.TestCase):
    def setUp(self) -> None:
        self.kept: Watch | None = None

    def at(self, now: int, head_start: int, seen: Record) -> Claim | Wait:
        watched, self.kept = watch(seen, self.kept, now)
        # what is kept goes through a file
        self.kept = Watch.parse(shape.parse(shape.compact(self.kept.json()), "it"), now)
        return next_step(watched, head_start)

    def test_should_found_the_first_cluster_at_once_as_a_host(self) -> None:
        self.assertEqual(Claim(1), self.at(1000, HOST, record(0, "")))

    def test_should_give_the_hosts_a_head_start_as_a_witness(self) -> None:
        wait = Wait("the hosts to found a cluster")
        self.assertEqual(wait, self.at(1000, WITNESS, record(0, "")))
        self.assertEqual(wait, self.at(1059, WITNESS, record(0, "")))
        self.assertEqual(Claim(1), self.at(1060, WITNESS, record(0, "")))

    def test_should_give_the_hosts_a_head_start_with_each_generation(self) -> None:
        self.at(1000, WITNESS, record(3, "cluster-a"))
        self.assertEqual(Wait("a heartbeat of generation 3"), self.at(1119, WITNESS, record(3, "cluster-a")))
        self.assertEqual(Claim(4), self.at(1120, WITNESS, record(3, "cluster-a")))

    def test_should_wait_for_a_founder_whose_heart_beats(self) -> None:
        seen = record(1, "", manager("i-1", 1, False))
        self.assertEqual(Wait("a heartbeat of generation 1"), self.at(1000, HOST, seen))
        for beat in range(2, 22):
            step = self.at(990 + 10 * beat, HOST, record(1, "", manager("i-1", beat, False)))
            self.assertEqual(Wait("i-1 to found generation 1"), step)

    def test_should_supersede_a_claim_that_was_abandoned_a_minute_ago(self) -> None:
        self.at(1000, HOST, record(1, "", manager("i-1", 1, False)))
        left = record(1, "", manager("i-1", 2, False))
        self.at(1010, HOST, left)

        self.assertEqual(Wait("i-1 to found generation 1"), self.at(1070, HOST, left))
        self.assertEqual(Claim(2), self.at(1071, HOST, left))

    def test_should_supersede_a_claim_without_any_heartbeat(self) -> None:
        self.at(1000, HOST, record(1, ""))

        self.assertEqual(Wait("a heartbeat of generation 1"), self.at(1059, HOST, record(1, "")))
        self.assertEqual(Claim(2), self.at(1060, HOST, record(1, "")))

    def test_should_never_found_while_a_fresh_heartbeat_sees_a_leader(self) -> None:
        for beat in range(1, 32):
            seen = record(3, "cluster-a", manager("i-1", beat, True), manager("i-2", 7, False))
            self.assertIsInstance(self.at(990 + 10 * beat, HOST, seen), Wait)

    def test_should_found_though_managers_live_when_none_has_seen_a_leader_for_a_minute(self) -> None:
        for beat in range(1, 7):
            step = self.at(990 + 10 * beat, HOST, record(3, "cluster-a", manager("i-1", beat, False)))
            self.assertEqual(Wait("a heartbeat of generation 3"), step)

        self.assertEqual(Claim(4), self.at(1060, HOST, record(3, "cluster-a", manager("i-1", 7, False))))

    def test_should_bear_with_an_election_in_which_nobody_sees_a_leader(self) -> None:
        for now, beat, leader in ((1000, 1, True), (1010, 2, True), (1065, 7, False)):
            self.at(now, HOST, record(3, "cluster-a", manager("i-1", beat, leader)))
        seen = record(3, "cluster-a", manager("i-1", 8, False))

        wait = Wait("a manager of generation 3 that takes this machine in")
        self.assertEqual(wait, self.at(1070, HOST, seen))
        self.assertEqual(Claim(4), self.at(1071, HOST, seen))

    def test_should_not_take_a_counter_that_stands_still_for_a_life(self) -> None:
        seen = record(3, "cluster-a", manager("i-1", 500, True), manager("i-2", 400, True))
        self.at(1000, HOST, seen)

        self.assertEqual(Claim(4), self.at(1060, HOST, seen))

    def test_should_take_a_manager_that_appears_for_a_life(self) -> None:
        self.at(1000, HOST, record(3, "cluster-a"))
        seen = record(3, "cluster-a", manager("i-1", 1, True))

        wait = Wait("a manager of generation 3 that takes this machine in")
        self.assertEqual(wait, self.at(1059, HOST, seen))
        self.assertEqual(wait, self.at(1100, HOST, seen))

    def test_should_take_a_counter_that_began_anew_for_a_life(self) -> None:
        self.at(1000, HOST, record(3, "cluster-a", manager("i-1", 500, True)))
        seen = record(3, "cluster-a", manager("i-1", 1, True))

        self.assertIsInstance(self.at(1060, HOST, seen), Wait)

    def test_should_watch_a_new_generation_from_its_beginning(self) -> None:
        self.at(1000, HOST, record(3, "cluster-a"))
        self.at(1055, HOST, record(4, ""))

        self.assertEqual(Wait("a heartbeat of generation 4"), self.at(1060, HOST, record(4, "")))
        self.assertEqual(Claim(5), self.at(1115, HOST, record(4, "")))


class WatchTest(unittest.TestCase):
    def test_should_measure_on_this_machines_own_clock(self) -> None:
        _, kept = watch(record(1, "c", manager("i-1", 1, True), manager("i-2", 5, False)), None, 100)
        _, kept = watch(record(1, "c", manager("i-1", 2, True), manager("i-2", 5, False)), kept, 110)
        watched, kept = watch(record(1, "c", manager("i-1", 3, False), manager("i-2", 5, False)), kept, 130)

        first, second = watched.managers
        self.assertEqual((30, 0, 20), (watched.watched, first.still, first.led))
        self.assertEqual((None, None), (second.still, second.led))
        self.assertEqual((True, False), (first.beats, second.beats))
        self.assertTrue(watched.sees_leader)

    def test_should_call_a_heartbeat_fresh_for_a_minute(self) -> None:
        for age, fresh in ((60, True), (61, False)):
            watched = self.watched_after(age)
            self.assertEqual((fresh, fresh), (watched.beats, watched.sees_leader), age)

    def test_should_take_nothing_that_is_kept_and_broken(self) -> None:
        whole = '{"generation":1,"since":900,"managers":{"i-1":{"counter":3,"moved":950,"led":null}}}'
        self.assertEqual(900, Watch.parse(shape.parse(whole, "it"), 1000).since)
        for broken in (
            "",
            "null",
            "7",
            "[]",
            '"text"',
            "{}",
            "no JSON",
            whole[:40],
            whole.replace("900", '"900"'),
            whole.replace("900", "true"),
            whole.replace("900", "1001"),
            whole.replace("950", "1001"),
            whole.replace("950", '"950"'),
            whole.replace('"counter":3,', ""),
            whole.replace(',"led":null', ""),
            whole.replace('"moved":950,', ""),
            whole.replace('{"counter":3,"moved":950,"led":null}', "null"),
            whole.replace('{"i-1":{"counter":3,"moved":950,"led":null}}', "[]"),
        ):
            with self.subTest(broken), self.assertRaises(Damaged):
                Watch.parse(shape.parse(broken, "it"), 1000)

    def watched_after(self, age: int) -> Watched:
        _, kept = watch(record(1, "c", manager("i-1", 1, True)), None, 100)
        moved = record(1, "c", manager("i-1", 2, True))
        _, kept = watch(moved, kept, 200)
        watched, _ = watch(moved, kept, 200 + age)
        return watched


if __name__ == "__main__":
    unittest.main()
