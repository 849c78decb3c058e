"""What the leader does: nodes, machines and services."""

from __future__ import annotations

import json
from typing import Callable
from unittest import mock

from agent.context import Context
from agent.engine import EngineRefused
from agent.locks import held
from agent.verbs import heal
from fakes import spoken
from verbs.leader import OTHER, REPLACED, TASKS, WITNESS, LeaderTest

SPREAD = (
    "docker service update --quiet --detach --no-resolve-image --label-add twinhost.spread=2 --replicas 3 twinhost_app"
)
TAKE_BACK = (
    "docker service update --quiet --detach --no-resolve-image --label-rm twinhost.spread --replicas 2 twinhost_app"
)


class LeadingTest(LeaderTest):
    def test_should_demote_and_remove_a_node_whose_instance_is_gone_and_forget_it_in_the_record(self) -> None:
        self.record.beat(1, OTHER, True, "10.0.0.11")
        self.lose("n-b", OTHER)
        del self.instances[OTHER]

        self.assertEqual(["removed the node n-b: its instance i-0b is gone"], self.heal())

        self.assertEqual(["docker node demote n-b", "docker node rm --force n-b"], self.calls("docker"))
        self.assertRegex(
            self.read("var/lib/twinhost/healed"), "^20.*Z removed the node n-b: its instance i-0b is gone\n$"
        )
        self.assertEqual(["i-0a"], [one.instance for one in self.record.show().managers])

    def test_should_leave_a_heartbeat_of_a_machine_that_runs_in_the_record(self) -> None:
        self.record.beat(1, OTHER, True, "10.0.0.11")
        self.nodes["n-old"] = self.node("n-old", OTHER, state="down")

        self.assertEqual(["removed the node n-old: its machine is in the Swarm as another node"], self.heal())
        self.assertIn(OTHER, [one.instance for one in self.record.show().managers])

    def test_should_say_why_a_node_could_not_be_removed(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        self.programs.fail("docker node demote", "is a worker").fail("docker node rm", "is not down")

        said = self.heal()

        self.assertIn("the node n-b could not be removed: waited 30 s for the demotion of n-b, last: is not down", said)
        self.assertFalse((self.root / "var/lib/twinhost/healed").exists())

    def test_should_ask_for_the_lease_before_each_step(self) -> None:
        self.lose("n-b", OTHER)
        self.nodes["n-d"] = self.node("n-d", "i-0d", state="down")
        del self.instances[OTHER]

        def dawdle() -> str:
            self.clock.now += 31
            return ""

        self.programs.answer("docker node rm", dawdle)

        self.assertEqual("nothing is changed: the cluster record was last read 31 s ago", self.heal()[-1])
        self.assertEqual(["docker node rm --force n-b"], self.calls("docker node rm"))

    def test_should_have_a_machine_replaced_that_is_down_for_five_minutes_though_it_runs(self) -> None:
        self.lose("n-b", OTHER)
        self.states[OTHER] = "unhealthy"
        self.assertEqual([], self.at(1000))
        self.assertEqual([], self.at(1299))

        self.assertEqual(["had i-0b replaced: Swarm has called n-b down for 300 s"], self.at(1300))
        self.assertEqual(
            [f"{REPLACED} --instance-id i-0b --health-status Unhealthy --no-should-respect-grace-period"],
            self.calls(REPLACED),
        )

    def test_should_say_why_it_replaces_nothing_once(self) -> None:
        self.lose("n-b", OTHER)
        self.states = {"i-0a": "unhealthy", OTHER: "healthy"}
        self.at(1000)
        why = "should be replaced, because Swarm has called n-b down for 1000 s, but it is the last one"

        self.assertEqual([f"i-0b {why} that the balancer calls healthy"], self.at(2000))
        self.assertEqual([], self.at(2000))
        self.assertEqual([], self.calls(REPLACED))

    def test_should_replace_nothing_where_aws_cannot_be_asked_or_answers_by_halves(self) -> None:
        self.lose("n-b", OTHER)
        self.at(1000)
        whole = json.dumps({"AutoScalingGroups": self.groups()})
        for answer in ("", "null", "{}", '{"AutoScalingGroups":[]}', whole[:-30], whole.replace('"InService"', "null")):
            with self.subTest(answer):
                self.replace("agent.leading.known_groups", self.with_groups(answer))
                self.at(9000)
                self.assertEqual([], self.calls(REPLACED))
                self.assertEqual([], self.calls("docker node"))

    def with_groups(self, answer: str) -> Callable[[Context], object]:
        from agent.replacing import known_groups

        def asked(context: Context) -> object:
            self.programs.answer("aws autoscaling describe", answer)
            return known_groups(context)

        return asked

    def test_should_remove_and_spread_also_where_its_release_does_not_name_the_target_groups(self) -> None:
        self.lose("n-b", OTHER)
        self.lose("n-c", WITNESS, "witness")
        self.at(1000)
        del self.instances[WITNESS]
        note = self.machine.release / "release.json"
        for broken in (None, b"", b"\xff", b"null"):
            note.unlink(missing_ok=True)
            if broken is not None:
                note.write_bytes(broken)
            self.programs.calls.clear()
            self.at(1300)
            self.assertEqual(1, len(self.calls("docker node rm")), broken)
            self.assertEqual([], self.calls(REPLACED))

    def test_should_say_that_a_group_could_not_be_told(self) -> None:
        self.lose("n-b", OTHER)
        self.states[OTHER] = "unhealthy"
        self.at(1000)
        self.programs.fail(REPLACED, "An error occurred (Throttling)")

        self.assertEqual("i-0b could not be given to its group for replacement", self.at(1300)[-1])
        self.assertFalse((self.root / "var/lib/twinhost/healed").exists())

    def test_should_begin_to_count_anew_where_what_it_kept_is_broken(self) -> None:
        for broken in ("", "null", "{}", '{"down":{"n-b":"0"},"missing":{}}', '{"down":{"n-b'):
            self.lose("n-b", OTHER)
            self.write("run/twinhost/heal-since", broken)
            self.assertEqual([], self.heal())
            self.assertEqual('{"down":{"n-b":1000},"missing":{}}\n', self.read("run/twinhost/heal-since"))

    def test_should_do_nothing_where_swarm_does_not_list_its_nodes_whole(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        for damage in ("null", "[null]", "{}", "7", "", '[{"ID":"n-b"'):
            with self.subTest(damage), mock.patch.object(self, "nodes", {}):
                self.engine.answer("GET /nodes", damage)
                spoken(lambda: heal.run(self.context, []))
        self.assertEqual([], self.programs.calls)

    def test_should_change_nothing_where_another_leads_or_nobody_says(self) -> None:
        self.lose("n-b", OTHER)
        del self.instances[OTHER]
        for answer in ({"ManagerStatus": {}}, {"ManagerStatus": None}, None, [], 7, "", '{"ManagerStatus":{"Lead'):
            with self.subTest(answer):
                self.engine.answer("GET /nodes/node-1", answer)
                self.assertEqual([], self.heal())
        self.engine.answer("GET /nodes/node-1", EngineRefused("no", 500))
        self.assertEqual([], self.heal())

        self.assertEqual([], self.programs.calls)
        self.assertFalse((self.root / "run/twinhost/heal-since").exists())

    def test_should_stand_in_for_a_leader_whose_heart_does_not_beat(self) -> None:
        self.engine.answer("GET /nodes/node-1", {"ManagerStatus": {"Leader": False}})
        self.nodes["n-b"]["ManagerStatus"] = {"Leader": True}
        self.lose("n-c", WITNESS, "witness")
        del self.instances[WITNESS]
        self.record.beat(1, OTHER, True, "10.0.0.11")
        for now, said in ((1000, []), (1060, []), (1061, ["removed the node n-c: its instance i-0c is gone"])):
            self.record.beat(1, "i-0a", True, "10.0.0.10")
            self.assertEqual(said, self.at(now))


class ServicesTest(LeaderTest):
    def app(self, labels: object, *on: str, replicas: int = 2) -> None:
        mode = {"Replicated": {"Replicas": replicas}}
        self.engine.answer("GET /services/twinhost_app", {"Spec": {"Labels": labels, "Mode": mode}})
        self.engine.answer(TASKS, self.tasks(*on))

    def tasks(self, *on: str) -> list[object]:
        return [{"NodeID": one, "DesiredState": "running", "Status": {"State": "running"}} for one in on]

    def pend(self, *more: str) -> None:
        self.engine.answer(
            TASKS,
            [{"ServiceID": "s", "DesiredState": "running", "Status": {"State": state}} for state in ("pending", *more)],
        )

    def test_should_start_one_more_replica_before_it_ends_one_of_two_on_the_same_host(self) -> None:
        self.app({}, "n-a", "n-a")

        def start() -> str:
            self.engine.answer(TASKS, self.tasks("n-a", "n-a", "n-b"))
            return ""

        self.programs.answer(SPREAD, start)

        self.assertEqual("spread the application over the hosts again", self.heal()[-1])
        self.assertEqual([SPREAD, TAKE_BACK], self.calls("docker"))

    def test_should_take_back_a_replica_that_does_not_come_up_and_not_try_again_for_ten_minutes(self) -> None:
        self.app({}, "n-a", "n-a")

        why = "waited 90 s for one more replica of the application"
        self.assertEqual(f"the application could not be spread: {why}", self.heal()[-1])
        self.assertEqual([SPREAD, TAKE_BACK], self.calls("docker"))
        end = int(self.clock.now)
        self.heal()
        self.at(end + 599)
        self.assertEqual(2, len(self.calls("docker")))
        self.at(end + 600)
        self.assertEqual(4, len(self.calls("docker")))

    def test_should_take_back_a_replica_where_swarm_answers_by_halves_meanwhile(self) -> None:
        self.app({}, "n-a", "n-a")

        def start() -> str:
            self.engine.answer(TASKS, "null")
            return ""

        self.programs.answer(SPREAD, start)

        self.assertIn("waited 90 s for one more replica of the application, last: it is null", self.heal()[-1])
        self.assertEqual([SPREAD, TAKE_BACK], self.calls("docker"))

    def test_should_bring_to_its_end_what_a_leader_before_has_begun(self) -> None:
        self.app({"twinhost.spread": "2"}, "n-a", "n-a", "n-b", replicas=3)

        self.heal()

        self.assertEqual([SPREAD, TAKE_BACK], self.calls("docker"))

    def test_should_name_what_docker_says_where_it_refuses(self) -> None:
        self.app({}, "n-a", "n-a")
        self.programs.fail(SPREAD, "update out of sequence")
        self.assertEqual(["the application could not be spread: update out of sequence"], self.heal())

        self.app({"twinhost.spread": "2"}, "n-a", "n-a", "n-b", replicas=3)
        self.programs.answer(SPREAD).fail(TAKE_BACK, "update out of sequence")
        self.assertEqual(
            [
                "  docker: update out of sequence",
                "the application could not be spread: the one more could not be taken back",
            ],
            self.heal(),
        )

    def test_should_spread_nothing_where_swarm_does_not_say_the_whole(self) -> None:
        self.app({}, "n-a", "n-a")
        for call, answer in (
            ("GET /services/twinhost_app", "null"),
            ("GET /services/twinhost_app", '{"Spec":{"La'),
            ("GET /services/twinhost_app", EngineRefused("no", 500)),
            (TASKS, "null"),
            (TASKS, "[null]"),
            (TASKS, EngineRefused("no", 500)),
        ):
            self.app({}, "n-a", "n-a")
            self.engine.answer(call, answer)
            self.assertEqual([], self.heal())
        self.assertEqual([], self.programs.calls)

    def test_should_have_swarm_begin_again_once_with_a_service_that_pends(self) -> None:
        self.pend()
        self.assertEqual([], self.at(1000))
        self.assertEqual([], self.at(1119))

        self.assertEqual(["had Swarm begin again with the service s, of which every task was pending"], self.at(1120))
        self.assertEqual([], self.at(2000))
        self.assertEqual(["docker service update --quiet --detach --no-resolve-image --force s"], self.calls("docker"))

    def test_should_begin_again_with_nothing_of_which_a_task_runs_or_nothing_is_known(self) -> None:
        self.pend("running")
        self.at(1000)
        self.at(2000)
        self.pend()
        self.at(3000)
        for answer in ("null", "[null]", "7", ""):
            self.engine.answer(TASKS, answer)
            self.at(4000)
        self.assertEqual([], self.calls("docker"))

    def test_should_begin_again_with_nothing_while_a_release_may_be_under_way(self) -> None:
        self.pend()
        self.at(1000)
        answers: list[object] = [[{"ID": "turn"}], None, {}, "", EngineRefused("no leader", 500)]
        for answer in answers:
            self.engine.answer("GET /configs", answer)
            self.at(2000)
        self.engine.answer("GET /configs", [])
        with held(self.root / "run/twinhost/release.lock", 0):
            self.at(2000)
        self.assertEqual([], self.calls("docker"))

        self.at(2000)
        self.assertEqual(1, len(self.calls("docker")))
