"""A test with the leader of a whole cluster: i-0a, the node n-a."""

from __future__ import annotations

import json
from unittest import mock

from agent.verbs import heal
from fakes import FakePrograms, MachineTest, directly, spoken

OTHER, WITNESS = "i-0b", "i-0c"
REPLACED = "aws autoscaling set-instance-health"
START = "systemctl start --no-block twinhost-bootstrap.service"
TASKS = "GET /tasks"


class LeaderTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.write_settings(TWINHOST_MANAGERS="3", TWINHOST_APP_START_SECONDS="60")
        self.write(
            f"{self.machine.release.relative_to(self.root)}/release.json",
            '{"balancer":"b","targetGroups":["arn:aws:x:targetgroup/http/1","arn:aws:x:targetgroup/https/2"]}',
        )
        self.programs = FakePrograms().answer("docker").answer("systemctl").answer(REPLACED)
        for name in ("agent.swarm.run", "agent.aws.run", "agent.verbs.heal.run_program"):
            self.replace(name, self.programs)
        self.replace("agent.record.contained", directly)
        self.record = self.context.record
        self.record.claim(1, "i-0a", "10.0.0.10")
        self.record.found(1, "cluster-a", "t")
        self.write("run/twinhost/bootstrap.lock", "")
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.nodes = {
            name: self.node(name, instance, role)
            for name, instance, role in (("n-a", "i-0a", "host"), ("n-b", OTHER, "host"), ("n-c", WITNESS, "witness"))
        }
        self.instances = {"i-0a": "InService", OTHER: "InService", WITNESS: "InService"}
        self.states = {"i-0a": "healthy", OTHER: "healthy"}
        self.engine.swarm("active", "cluster-a").answer("GET /nodes/node-1", {"ManagerStatus": {"Leader": True}})
        self.engine.answer("GET /configs", []).answer("GET /services", [{"ID": "s"}]).answer(TASKS, [])

    def replace(self, name: str, stand_in: object) -> None:
        patch = mock.patch(name, stand_in)
        patch.start()
        self.addCleanup(patch.stop)

    def node(self, name: str, instance: str, role: str = "host", state: str = "ready") -> dict[str, object]:
        labels: dict[str, object] = {"twinhost.instance": instance, "twinhost.role": role}
        return {
            "ID": name,
            "CreatedAt": "2026-01-02T03:04:05Z",
            "Spec": {"Role": "manager", "Availability": "active" if role == "host" else "drain"},
            "Status": {"State": state},
            "ManagerStatus": {"Addr": "x"},
            "Description": {"Hostname": name, "Engine": {"Labels": labels}},
        }

    def lose(self, name: str, instance: str, role: str = "host") -> None:
        self.nodes[name] = self.node(name, instance, role, "down")

    def heal(self) -> list[str]:
        self.engine.answer("GET /nodes", list(self.nodes.values()))
        self.programs.answer("aws autoscaling describe", json.dumps({"AutoScalingGroups": self.groups()}))
        targets = [{"Target": {"Id": one}, "TargetHealth": {"State": state}} for one, state in self.states.items()]
        self.programs.answer("aws elbv2", json.dumps({"TargetHealthDescriptions": targets}))
        return spoken(lambda: heal.run(self.context, []))

    def groups(self) -> list[dict[str, object]]:
        return [
            {
                "AutoScalingGroupName": f"{role}s",
                "DesiredCapacity": desired,
                "SuspendedProcesses": [],
                "Tags": [{"Key": "twinhost:role", "Value": role}],
                "Instances": [
                    {"InstanceId": one, "LifecycleState": state, "HealthStatus": "Healthy"}
                    for one, state in self.instances.items()
                    if (one == WITNESS) == (role == "witness")
                ],
            }
            for role, desired in (("host", 2), ("witness", 1))
        ]

    def at(self, now: int) -> list[str]:
        self.clock.now = now
        return self.heal()

    def calls(self, begin: str) -> list[str]:
        return [call for call in self.programs.calls if call.startswith(begin)]
