"""What a manager does that sees no leader, or is in another cluster than the recorded one."""

from __future__ import annotations

import dataclasses
from unittest import mock

from agent.context import Context
from agent.errors import Unavailable
from verbs.leader import OTHER, REPLACED, WITNESS, LeaderTest


class RescueTest(LeaderTest):
    def setUp(self) -> None:
        super().setUp()
        self.engine.swarm("active", "")
        self.beat("i-0a", 1000, False)
        self.record.beat(1, OTHER, True, "10.0.0.11")
        self.record.beat(1, WITNESS, True, "10.0.0.12")
        self.states[OTHER] = "unhealthy"

    def beat(self, instance: str, now: int, leader: bool) -> None:
        self.clock.now = now
        self.record.beat(1, instance, leader, "10.0.0.10")

    def test_should_have_one_lost_manager_replaced_when_nobody_sees_a_leader_for_ten_minutes(self) -> None:
        self.assertEqual(
            ["no manager sees a leader: what runs goes on running, and a fresh machine may found a cluster"],
            self.heal(),
        )
        for now in (1300, 1599):
            self.beat("i-0a", now, False)
            self.assertEqual([], self.heal())
        self.beat("i-0a", 1600, False)

        self.assertEqual(
            ["had i-0c replaced: nobody has seen a leader for 600 s, and its heart does not beat"], self.heal()
        )
        self.beat("i-0a", 1630, False)
        self.heal()
        self.assertEqual(1, len(self.calls(REPLACED)))
        self.assertEqual("i-0a\n", self.read("srv/twinhost/swarm/generations/1/rescues/1/by"))

    def test_should_rescue_where_an_engine_without_a_leader_says_nothing(self) -> None:
        self.heal()
        self.engine.answer("GET /info", Unavailable("Docker did not answer within 5 s"))
        self.beat("i-0a", 1600, False)

        self.assertEqual(1, len(self.heal()))
        self.assertEqual(1, len(self.calls(REPLACED)))

    def test_should_not_take_a_storage_that_stalls_for_managers_that_are_lost(self) -> None:
        self.heal()
        swarm = self.root / "srv/twinhost/swarm"
        swarm.rename(self.root / "away")
        swarm.write_text("")
        for now in range(1010, 1900, 30):
            self.at(now)
        swarm.unlink()
        (self.root / "away").rename(swarm)
        self.beat("i-0a", 1900, False)

        self.assertEqual(
            ["no manager sees a leader: what runs goes on running, and a fresh machine may found a cluster"],
            self.heal(),
        )
        self.assertEqual([], self.calls(REPLACED))

    def test_should_leave_the_rescue_to_the_survivor_that_claimed_it(self) -> None:
        self.heal()
        self.beat("i-0a", 1599, False)
        self.record.rescue(1, 1, "i-0z")
        self.at(1700)

        self.assertEqual([], self.calls(REPLACED))

    def test_should_replace_nothing_where_the_claim_was_lost_or_cannot_be_made(self) -> None:
        self.heal()
        self.beat("i-0a", 1600, False)
        with mock.patch("agent.record.RecordStore.rescue", side_effect=Unavailable("the shared storage")):
            self.assertEqual([], self.heal())
        seen = self.record.show()
        self.record.rescue(1, 1, "i-0z")
        with mock.patch.object(self.record, "show", return_value=seen):
            self.assertEqual([], self.heal())

        self.assertEqual([], self.calls(REPLACED))

    def test_should_rescue_nobody_while_any_manager_sees_a_leader(self) -> None:
        for now in range(1000, 2000, 50):
            self.beat(OTHER, now, True)
            self.heal()
        self.assertEqual([], self.calls(REPLACED))

    def test_should_say_why_it_can_replace_nobody(self) -> None:
        self.heal()
        self.beat("i-0a", 1600, False)
        self.instances[WITNESS] = "Terminating:Wait"
        self.assertEqual(
            ["no manager sees a leader, and there is no lost manager that may be replaced now"], self.heal()
        )
        with mock.patch("agent.verbs.heal.known_groups", return_value=None):
            self.assertEqual(["no manager sees a leader, and the auto scaling groups cannot be asked"], self.heal())
        self.assertEqual([], self.calls(REPLACED))


class CutShortTest(LeaderTest):
    """A founder that has its Swarm, and died before the record had that."""

    def setUp(self) -> None:
        super().setUp()
        self.record.claim(2, "i-0a", "10.0.0.10")
        self.write("var/lib/twinhost/cluster-id", "cluster-b\n")
        self.engine.swarm("active", "cluster-b").answer("GET /swarm", {"JoinTokens": {"Manager": "SWMTKN-b"}})

    def test_should_complete_its_founding_so_that_others_can_join(self) -> None:
        self.assertEqual(["recorded the founding of generation 2, which was cut short"], self.heal())

        record = self.record.show()
        self.assertEqual((2, "cluster-b", "SWMTKN-b"), (record.generation, record.cluster, self.record.token(2)))
        self.assertEqual([("i-0a", True)], [(one.instance, one.leader) for one in record.managers])
        self.assertEqual([], self.heal())

    def test_should_leave_the_founding_to_the_machine_that_has_claimed_the_generation(self) -> None:
        for cluster, noted in (("cluster-a", "cluster-b"), ("", "cluster-b"), ("cluster-b", "cluster-a")):
            self.engine.swarm("active", cluster)
            self.write("var/lib/twinhost/cluster-id", f"{noted}\n")
            self.heal()
        self.engine.swarm("active", "cluster-b")
        self.write("var/lib/twinhost/cluster-id", "cluster-b\n")
        self.engine.answer("GET /info", Unavailable("Docker did not answer within 5 s"))
        self.heal()
        self.engine.swarm("active", "cluster-b")
        self.record.claim(3, OTHER, "10.0.0.11")
        self.heal()

        self.assertEqual((3, ""), (self.record.show().generation, self.record.show().cluster))
        self.assertFalse((self.root / "srv/twinhost/swarm/generations/2/cluster-id").exists())
        self.assertEqual([], self.programs.calls)

    def test_should_try_again_where_the_record_or_the_token_cannot_be_had(self) -> None:
        self.engine.answer("GET /swarm", {"JoinTokens": {"Manager": ""}})
        reason = "JoinTokens.Manager is empty"
        self.assertEqual([f"the founding of generation 2 is not recorded yet: {reason}"], self.heal())
        self.assertEqual([], self.heal())
        self.assertEqual("", self.record.show().cluster)
        self.engine.answer("GET /swarm", {"JoinTokens": {"Manager": "SWMTKN-b"}})
        with mock.patch.object(self.record, "found", side_effect=Unavailable("the shared storage")):
            self.heal()
        self.assertEqual("", self.record.show().cluster)
        self.heal()
        self.assertEqual("cluster-b", self.record.show().cluster)


class FollowTest(LeaderTest):
    def setUp(self) -> None:
        super().setUp()
        self.record.claim(2, OTHER, "10.0.0.11")
        self.record.found(2, "cluster-b", "t")
        self.record.beat(2, OTHER, True, "10.0.0.11")
        self.done: list[str] = []
        for part in ("retire", "leave_swarm"):
            self.replace(f"agent.verbs.heal.{part}", lambda _, part=part: self.done.append(part))
        self.replace("agent.verbs.heal.main", lambda arguments: self.done.append(" ".join(arguments)))

    def beat(self, now: int, leader: bool) -> list[str]:
        self.clock.now = now
        self.record.beat(2, OTHER, leader, "10.0.0.11")
        return self.heal()

    def test_should_follow_the_recorded_cluster_when_a_host_of_it_is_healthy(self) -> None:
        self.assertEqual(["the record names another cluster, of which no manager sees a leader yet"], self.heal())

        self.assertEqual(["leaves its cluster and follows the recorded one, generation 2"], self.beat(1030, True))
        self.assertEqual(["retire", "leave_swarm", "bootstrap"], self.done)

    def test_should_continue_to_serve_while_no_host_of_the_recorded_cluster_is_healthy(self) -> None:
        self.states[OTHER] = "unhealthy"
        self.heal()

        self.assertEqual(["the record names another cluster, of which no host is healthy yet"], self.beat(1030, True))
        self.assertEqual([], self.beat(5000, True))
        self.assertEqual([], self.done)

    def test_should_continue_to_serve_while_the_balancer_does_not_say_the_whole(self) -> None:
        self.heal()
        with mock.patch("agent.aws.target_health", side_effect=Unavailable("Throttling")):
            self.beat(1030, True)
        self.assertEqual([], self.done)

    def test_should_not_follow_a_cluster_that_nobody_leads(self) -> None:
        self.heal()

        self.assertEqual([], self.beat(5000, False))
        self.assertEqual(([], []), (self.done, self.calls("aws")))

    def test_should_follow_as_a_witness_without_asking_the_balancer(self) -> None:
        self.context = Context(dataclasses.replace(self.machine, role="witness"), self.engine, self.record)
        self.heal()
        self.beat(1030, True)

        self.assertEqual(["retire", "leave_swarm", "bootstrap"], self.done)
        self.assertEqual([], self.calls("aws"))
