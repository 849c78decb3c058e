from __future__ import annotations

import dataclasses
import json
from unittest import mock

from agent.errors import NotYet, Unavailable
from agent.verbs import drain
from fakes import FakePrograms, MachineTest

GROUPS: dict[str, list[dict[str, object]]] = {
    "AutoScalingGroups": [
        {
            "AutoScalingGroupName": name,
            "DesiredCapacity": 1,
            "SuspendedProcesses": [],
            "Instances": [{"InstanceId": instance, "LifecycleState": "InService", "HealthStatus": "Healthy"}],
        }
        for name, instance in (("witnesses", "i-0c"), ("hosts", "i-0a"))
    ]
}
COMPLETE = (
    "aws autoscaling complete-lifecycle-action --lifecycle-hook-name goodbye --auto-scaling-group-name hosts"
    " --lifecycle-action-result CONTINUE --instance-id i-0a"
)


class DrainTest(MachineTest):
    def setUp(self) -> None:
        super().setUp()
        self.lifecycle: str | Exception = "InService"
        self.parts: list[str] = []
        self.programs = FakePrograms().answer("aws autoscaling complete")
        self.groups(GROUPS)
        self.replace("agent.aws.run", self.programs)
        self.replace("agent.verbs.drain.metadata", self.metadata)
        for part in ("retire", "step_down", "leave_swarm"):
            self.replace(f"agent.verbs.drain.{part}", lambda _, part=part: self.parts.append(part))
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.engine.swarm("active", "cluster-a")

    def replace(self, name: str, stand_in: object) -> None:
        patch = mock.patch(name, stand_in)
        patch.start()
        self.addCleanup(patch.stop)

    def groups(self, answer: object) -> None:

        self.programs.answer("aws autoscaling describe", answer if isinstance(answer, str) else json.dumps(answer))

    def metadata(self, _clock: object, path: str, attempts: int) -> str:
        self.assertEqual((path, attempts), ("autoscaling/target-lifecycle-state", 2))
        if isinstance(self.lifecycle, Exception):
            raise self.lifecycle
        return self.lifecycle

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    def test_only_drains_a_machine_that_is_shut_down(self) -> None:
        drain.run(self.context, [])

        self.assertEqual(self.parts, ["retire"])
        self.assertTrue(self.exists("var/lib/twinhost/drained"))
        self.assertTrue(self.exists("run/twinhost/leaving"))
        self.assertFalse(self.exists("run/twinhost/left"))
        self.assertEqual(self.programs.calls, [])

    def test_leaves_permanently_where_its_group_ends_it(self) -> None:
        self.lifecycle = "Terminated\n"
        drain.run(self.context, ["--notice"])

        self.assertEqual(self.parts, ["retire", "step_down", "leave_swarm"])
        self.assertEqual(self.programs.calls[-1], COMPLETE)
        self.parts.clear()
        drain.run(self.context, [])
        self.assertEqual(self.parts, [], "it leaves once")

    def test_does_nothing_without_a_notice(self) -> None:
        answers: tuple[str | Exception, ...] = ("InService", "", "terminated", "Terminating", Unavailable("status 404"))
        for said in answers:
            with self.subTest(said):
                self.lifecycle = said
                drain.run(self.context, ["--notice"])
                self.assertEqual(self.parts, [])
                self.assertFalse(self.exists("run/twinhost/leaving"))

    def test_stays_a_member_where_nobody_says_that_it_ends(self) -> None:
        self.lifecycle = Unavailable("the metadata service does not say it")
        drain.run(self.context, [])
        self.assertEqual(self.parts, ["retire"])

    def test_lets_the_group_continue_where_docker_is_dead(self) -> None:
        self.lifecycle = "Terminated"
        self.engine.answer("GET /_ping", Unavailable("Docker cannot be asked"))
        drain.run(self.context, ["--notice"])
        self.assertEqual(self.parts, [])
        self.assertEqual(self.programs.calls[-1], COMPLETE)

    def test_drains_nothing_in_no_swarm(self) -> None:
        (self.machine.paths.state / "cluster-id").unlink()
        drain.run(self.context, [])
        self.assertEqual(self.parts, [])
        self.assertFalse(self.exists("var/lib/twinhost/drained"))

    def test_does_nothing_before_the_first_bootstrap(self) -> None:

        self.lifecycle = "Terminated"
        context = dataclasses.replace(self.context, machine=dataclasses.replace(self.machine, instance=None))
        drain.run(context, [])
        self.assertEqual(self.parts, [])

    def test_waits_for_the_hook(self) -> None:
        refusals = ["An error occurred (ValidationError): No active Lifecycle Action"] * 3
        self.lifecycle = "Terminated"

        def complete() -> str:
            if refusals:
                raise Unavailable(refusals.pop())
            return ""

        self.programs.answer("aws autoscaling complete", complete)
        drain.run(self.context, [])
        self.assertEqual(self.programs.calls.count(COMPLETE), 4)
        self.assertEqual(self.clock.uptime(), 1015)

    def test_does_not_wait_for_ever(self) -> None:
        self.lifecycle = "Terminated"
        self.programs.fail("aws autoscaling complete", "An error occurred (ValidationError): none")
        drain.run(self.context, [])
        self.assertEqual(self.clock.uptime(), 1300)
        self.assertTrue(self.exists("run/twinhost/left"))

    def test_completes_no_group_that_is_not_its_own(self) -> None:
        whole = GROUPS["AutoScalingGroups"]
        half = dict(whole[1])
        half["Instances"] = None
        broken: object
        for broken in ("", "null", "{}", '{"AutoScalingGroups":[]}', {"AutoScalingGroups": [half]}):
            with self.subTest(broken), self.assertRaises((NotYet, Unavailable)):
                self.groups(broken)
                drain.complete_lifecycle(self.context)
        self.groups({"AutoScalingGroups": whole[:1]})
        with self.assertRaises(NotYet):
            drain.complete_lifecycle(self.context)
        self.assertNotIn(COMPLETE, self.programs.calls)


class WitnessTest(DrainTest):
    role = "witness"

    def test_only_drains_a_machine_that_is_shut_down(self) -> None:
        """It has nothing to drain, and is no member that serves."""
        drain.run(self.context, [])
        self.assertEqual(self.parts, [])
        self.assertTrue(self.exists("var/lib/twinhost/drained"))

    def test_leaves_permanently_where_its_group_ends_it(self) -> None:
        self.lifecycle = "Terminated"
        drain.run(self.context, ["--notice"])
        self.assertEqual(self.parts, ["step_down", "leave_swarm"])

    def test_stays_a_member_where_nobody_says_that_it_ends(self) -> None:
        self.lifecycle = Unavailable("the metadata service does not say it")
        drain.run(self.context, [])
        self.assertEqual(self.parts, [])
