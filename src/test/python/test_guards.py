"""Each question whose answer allows something, asked with each way in which what it reads can be broken: its answer
has to be no. And where the whole answer is a no, no damage to a part of it may make a yes of it.
"""

from __future__ import annotations

import json
import unittest
from collections.abc import Iterable
from typing import Callable, NamedTuple
from unittest import mock

from agent import aws, shape
from agent.budgets import Limits
from agent.decide import following, healing, rescuing
from agent.decide.beating import beat, membership
from agent.decide.cluster_record import Manager, Record
from agent.decide.nodes import parse_nodes
from agent.decide.spreading import replicas_to_spread
from agent.decide.standing_in import stands_in
from agent.decide.targets import Target
from agent.decide.watch import Claim, Watch, next_step, watch
from agent.errors import Problem
from agent.swarm import release_runs
from decide.things import tasks, watched
from fakes import FakeEngine, FakePrograms, MachineTest
from faults import broken, damaged

INFO = {"Swarm": {"LocalNodeState": "inactive", "NodeID": "n-a", "ControlAvailable": True, "Cluster": {"ID": "c"}}}
ARN = "arn:aws:x:targetgroup/http/1"


class Guard(NamedTuple):
    """`asks` with an answer as text; `no` is a whole answer whose answer is no."""

    name: str
    yes: object
    no: object
    asks: Callable[[str], bool]


def node(name: str, instance: str, state: str = "ready", leader: bool = False) -> dict[str, object]:
    labels: dict[str, object] = {"twinhost.instance": instance, "twinhost.role": "host"}
    return {
        "ID": name,
        "CreatedAt": "2026-01-02T03:04:05Z",
        "Spec": {"Availability": "active"},
        "Status": {"State": state},
        "ManagerStatus": {"Leader": leader},
        "Description": {"Hostname": name, "Engine": {"Labels": labels}},
    }


def groups(lost: str = "InService") -> dict[str, object]:
    return {
        "AutoScalingGroups": [
            {
                "AutoScalingGroupName": "hosts",
                "DesiredCapacity": 2,
                "SuspendedProcesses": [{"ProcessName": "AZRebalance"}],
                "Tags": [{"Key": "twinhost:role", "Value": "host"}],
                "Instances": [
                    {"InstanceId": one, "LifecycleState": state, "HealthStatus": "Healthy"}
                    for one, state in (("i-0a", "InService"), ("i-0b", lost))
                ],
            }
        ]
    }


def health(own: str, other: str) -> dict[str, object]:
    return {
        "TargetHealthDescriptions": [
            {"Target": {"Id": one}, "TargetHealth": {"State": state}} for one, state in (("i-0a", own), ("i-0b", other))
        ]
    }


class GuardsTest(MachineTest):
    def guards(self) -> Iterable[Guard]:
        whole = [node("n-a", "i-0a", leader=True), node("n-b", "i-0b", "down")]
        leader_lost = [node("n-a", "i-0a"), node("n-b", "i-0b", leader=True)]
        yield Guard(
            "no Swarm state",
            INFO,
            {"Swarm": {"LocalNodeState": "active"}},
            lambda text: self.engine_says("GET /info", text).swarm_state() == "inactive",
        )
        yield Guard(
            "sees a leader",
            INFO,
            {"Swarm": {"ControlAvailable": False, "Cluster": {"ID": "c"}}},
            lambda text: self.engine_says("GET /info", text).sees_leader(),
        )
        yield Guard("is a node", INFO, {"Swarm": {"NodeID": ""}}, lambda text: self.own_node(text) == "n-a")
        yield Guard("leads", {"ManagerStatus": {"Leader": True}}, {"ManagerStatus": {"Leader": False}}, self.leads)
        yield Guard("no release runs", [], [{"ID": "turn"}], self.no_release_runs)
        yield Guard("stands in", leader_lost, whole, self.stands_in)
        yield Guard("removes", whole, [whole[0], node("n-b", "i-0b")], self.removes)
        yield Guard("replaces, by its nodes", whole, [whole[0], node("n-b", "i-0b")], self.replaces_by_nodes)
        yield Guard("replaces, by its groups", groups(), groups("Pending"), self.replaces_by_groups)
        yield Guard(
            "replaces, by the balancer",
            health("healthy", "unhealthy"),
            health("unhealthy", "healthy"),
            self.replaces_by_targets,
        )
        yield Guard("rescues, by its groups", groups(), groups("Terminating:Wait"), self.rescues_by_groups)
        yield Guard("follows", health("healthy", "healthy"), health("healthy", "unhealthy"), self.follows_by_targets)
        yield Guard("beats", INFO, {"Swarm": {"ControlAvailable": False, "Cluster": {"ID": "c"}}}, self.beats_by_info)
        yield Guard("spreads", self.service(2), self.service(1), self.spreads)
        yield Guard("claims", self.kept(100), self.kept(990), self.claims)

    def test_should_say_no_where_what_it_reads_is_broken(self) -> None:
        for guard in self.guards():
            with self.subTest(guard.name):
                self.assertTrue(guard.asks(json.dumps(guard.yes)))
                self.assertFalse(self.says_yes(guard, json.dumps(guard.no)))
            for text in broken(guard.yes):
                with self.subTest(guard.name, text=text):
                    self.assertFalse(self.says_yes(guard, text))

    def test_should_make_no_yes_of_a_no_by_any_damage(self) -> None:
        for guard in self.guards():
            for value in damaged(guard.no):
                text = json.dumps(value)
                if self.says_yes(guard, text):
                    self.fail(f"{guard.name}: {text}")

    def says_yes(self, guard: Guard, text: str) -> bool:
        try:
            return guard.asks(text)
        except Problem:
            return False

    def engine_says(self, call: str, text: str) -> FakeEngine:
        return self.engine.answer(call, text)

    def aws_says(self, text: str) -> mock._patch[FakePrograms]:
        return mock.patch("agent.aws.run", FakePrograms().answer("aws", text))

    def own_node(self, text: str) -> str:
        return self.engine_says("GET /info", text).own_node()

    def leads(self, text: str) -> bool:
        self.engine.swarm("active", "c", "n-a")
        return self.engine_says("GET /nodes/n-a", text).leads()

    def no_release_runs(self, text: str) -> bool:
        self.engine_says("GET /configs", text)
        return not release_runs(self.context)

    def stands_in(self, text: str) -> bool:
        seen = watched(("i-0a", 5, 5), ("i-0b", 90, 90))
        return stands_in(parse_nodes(shape.items(shape.parse(text, "it"))), seen, "i-0a")

    def plan(self, nodes: object, seen: object, targets: object) -> healing.Plan:
        with self.aws_says(json.dumps(seen) if not isinstance(seen, str) else seen):
            listed = aws.groups("Site")
        with self.aws_says(json.dumps(targets) if not isinstance(targets, str) else targets):
            found = aws.target_health([ARN])
        since = healing.Since({"n-b": 0}, {})
        return healing.plan(parse_nodes(shape.items(nodes)), listed, found, "i-0a", since, 1000, Limits(300, 1800, 600))

    def removes(self, text: str) -> bool:
        gone: dict[str, object] = groups()
        (group,) = shape.items(gone, "AutoScalingGroups")
        shape.items(group, "Instances").pop()
        return bool(self.plan(shape.parse(text, "it"), gone, health("healthy", "unhealthy")).removals)

    def replaces(self, plan: healing.Plan) -> bool:
        return isinstance(plan.replacement, healing.Replace)

    def replaces_by_nodes(self, text: str) -> bool:
        return self.replaces(self.plan(shape.parse(text, "it"), groups(), health("healthy", "unhealthy")))

    def replaces_by_groups(self, text: str) -> bool:
        lost: list[object] = [node("n-a", "i-0a", leader=True), node("n-b", "i-0b", "down")]
        return self.replaces(self.plan(lost, text, health("healthy", "unhealthy")))

    def replaces_by_targets(self, text: str) -> bool:
        lost: list[object] = [node("n-a", "i-0a", leader=True), node("n-b", "i-0b", "down")]
        return self.replaces(self.plan(lost, groups(), text))

    def rescues_by_groups(self, text: str) -> bool:
        with self.aws_says(text):
            listed = aws.groups("Site")
        targets = [Target("http", "i-0a", "healthy"), Target("http", "i-0b", "unhealthy")]
        return rescuing.rescue(watched(("i-0a", 5, None), ("i-0b", 700, 700)), listed, targets, "i-0a") is not None

    def follows_by_targets(self, text: str) -> bool:
        with self.aws_says(text):
            found = aws.target_health([ARN])
        step = following.next_step(watched(("i-0b", 5, 5)), "i-0a", True, found)
        return isinstance(step, following.Follow)

    def beats_by_info(self, text: str) -> bool:
        record = Record(1, "i-0a", "c", "", 0, ())
        return beat(record, membership(shape.parse(text, "it")), "other", "i-0a", False) is not None

    def service(self, replicas: int) -> dict[str, object]:
        return {
            "Spec": {"Labels": {}, "Mode": {"Replicated": {"Replicas": replicas}}},
            "UpdateStatus": {"State": "completed"},
        }

    def spreads(self, text: str) -> bool:
        hosts: list[object] = [node("n-a", "i-0a"), node("n-b", "i-0b")]
        service = shape.parse(text, "it")
        return replicas_to_spread(parse_nodes(hosts), tasks("n-a", "n-a"), service) is not None

    def kept(self, since: int) -> dict[str, object]:
        beats: dict[str, object] = {"counter": 7, "moved": None, "led": None}
        return {"generation": 1, "since": since, "managers": {"i-0a": beats}}

    def claims(self, text: str) -> bool:
        record = Record(1, "i-0a", "c", "", 0, (Manager("i-0a", 7, True, "10.0.0.9"),))
        seen, _ = watch(record, Watch.parse(shape.parse(text, "it"), 1000), 1000)
        return isinstance(next_step(seen, 0), Claim)


if __name__ == "__main__":
    unittest.main()
