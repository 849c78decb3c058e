"""When a stack has converged, and that nothing else is taken for it."""

from __future__ import annotations

import json
import unittest
from typing import Callable

from agent import shape
from agent.decide.convergence import Converged, Expected, Failed, Update, Verdict, Waiting, judge, updates
from agent.errors import Damaged

AWAY = "No such image: certbot/certbot:v5@sha256:0"
NOTHING: dict[str, Update] = {}


Json = dict[str, object]


def but(value: Json, **more: object) -> Json:
    """The same with other or more keys."""
    copy = dict(value)
    copy.update(more)
    return copy


def node(role: str = "host", state: str = "ready", availability: str = "active") -> Json:
    return {
        "Status": {"State": state},
        "Spec": {"Availability": availability},
        "Description": {"Engine": {"Labels": {"twinhost.role": role}}},
    }


def update(state: str, started: str = "t1", message: str | None = "") -> Json:
    return {"State": state, "StartedAt": started, "Message": message}


def service(name: str = "app", replicas: int | None = 1, last: Json | None = None, spec: object = "new") -> Json:
    mode: Json = {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}}
    made: Json = {
        "ID": "s",
        "Spec": {"Name": f"twinhost_{name}", "Mode": mode, "TaskTemplate": {"ContainerSpec": spec}},
    }
    return made if last is None else but(made, UpdateStatus=last)


def task(spec: object = "new", state: str = "running", desired: str = "running", error: str = "") -> Json:
    return {
        "ID": "t",
        "ServiceID": "s",
        "DesiredState": desired,
        "Status": {"State": state, "Timestamp": "t", "Err": error or None},
        "Spec": {"ContainerSpec": spec},
    }


def said(verdict: Verdict) -> str:
    """The word converged, or what is waited for, or why it failed."""
    if isinstance(verdict, Converged):
        return "converged"
    return f"failed: {verdict.reason}" if isinstance(verdict, Failed) else verdict.reason


class ConvergenceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.nodes = [node(), node(), node("witness", availability="drain")]
        self.expected = Expected(("twinhost_app",), NOTHING, "twinhost_certbot")

    def judge(self, one: Json, *tasks: Json, **expected: object) -> Verdict:
        name = shape.text(one, "Spec", "Name")
        values: Json = {"names": (name,), "before": NOTHING, "optional": "twinhost_certbot"}
        values.update(expected)
        return judge(self.nodes, [one], tasks, Expected(**values))  # type: ignore[arg-type]

    def says(self, words: str, one: Json, *tasks: Json, **expected: object) -> None:
        self.assertEqual(words, said(self.judge(one, *tasks, **expected)))

    def test_every_replica_runs_what_it_was_told_to(self) -> None:
        self.says("converged", service(replicas=2), task(), task())
        self.says("twinhost_app 1 of 2", service(replicas=2), task("old"), task())
        self.says("twinhost_app 0 of 1", service(), task(state="starting"))
        self.says("twinhost_app 2 of 1", service(), task(), task())
        self.says("converged", service(replicas=0))

    def test_nothing_is_equal_to_no_specification(self) -> None:
        self.says("twinhost_app 0 of 1", service(spec=None), task(spec=None))

    def test_an_update_is_waited_for_even_if_every_task_runs(self) -> None:
        self.says("twinhost_app is updated, 1 of 1", service(last=update("updating")), task())
        self.says("twinhost_app is updated, 1 of 1", service(last=update("thinking")), task())
        self.says("twinhost_app is updated, 1 of 1", service(last=update("")), task())
        self.says("converged", service(last=update("completed")), task())

    def test_a_global_service_runs_on_every_host_that_is_ready_and_on_no_witness(self) -> None:
        self.says("converged", service("edge", None), task(), task())
        self.says("twinhost_edge 1 of 2", service("edge", None), task())

        self.nodes = [node(), node(state="down"), node(availability="drain")]
        self.says("converged", service("edge", None), task())

    def test_a_cluster_without_a_host_has_not_converged(self) -> None:
        clusters: list[list[Json]] = [[], [node("witness")], [node(state="down")], [node(role="")]]
        for nodes in clusters:
            self.nodes = nodes
            self.says("no host is ready and active", service("edge", None))

    def test_a_service_that_is_missing_is_waited_for(self) -> None:
        names = ("twinhost_app", "twinhost_edge")
        self.says("twinhost_edge does not exist", service(), task(), names=names)
        verdict = judge(self.nodes, [], [], Expected(names, NOTHING, ""))
        self.assertEqual("twinhost_app does not exist;twinhost_edge does not exist", said(verdict))

    def test_the_last_error_is_said(self) -> None:
        self.says(
            "twinhost_app 0 of 1, an image is pulled; last error: No such image: app:2",
            service(),
            task(state="rejected", desired="shutdown", error="No such image: app:2"),
            task(state="preparing"),
        )
        self.says(
            "twinhost_edge 1 of 2",
            service("edge", None),
            task(),
            task(state="pending", error="host-mode port already in use on 1 node"),
        )

    def test_what_swarm_says_is_one_line(self) -> None:
        forged = "x\n2026-01-01T00:00:00Z release: it has converged\x1b[2K"
        error = task(state="pending", error=forged)
        self.says(
            "twinhost_app 0 of 1; last error: x 2026-01-01T00:00:00Z release: it has converged [2K", service(), error
        )
        self.says(
            "failed: twinhost_app: x 2026-01-01T00:00:00Z release: it has converged [2K",
            service(last=update("paused", "t2", forged)),
            task(),
        )

    def test_the_youngest_error_is_the_last_one(self) -> None:
        def failed(stamp: str, error: str) -> Json:
            return but(task(desired="shutdown"), Status={"State": "failed", "Timestamp": stamp, "Err": error})

        self.says(
            "twinhost_app 0 of 1; last error: b",
            service(),
            failed("2026-01-01T00:00:02Z", "b"),
            failed("2026-01-01T00:00:01Z", "a"),
        )

    def test_why_swarm_rolls_back_is_said_while_it_does_and_kept(self) -> None:
        message = "update rolled back due to failure or early termination of task t9"
        failed = but(task(state="failed", desired="shutdown", error="task: non-zero exit (1)"), ID="t9")
        verdict = self.judge(service(last=update("rollback_started", message=message)), task(), failed)

        why = f"twinhost_app: {message}: task: non-zero exit (1)"
        self.assertEqual(Waiting((f"goes back: {why}",), Failed(why, "t9")), verdict)

    def test_a_task_that_swarm_ended_has_no_error(self) -> None:
        message = "failure of task t9"
        for code, words in ((0, "0"), (143, "143"), (None, "unknown")):
            status: Json = {"State": "failed"}
            if code is not None:
                status["ContainerStatus"] = {"ExitCode": code}
            ended = but(task(desired="shutdown"), ID="t9", Status=status)
            self.says(
                f"goes back: twinhost_app: {message}: it ended (status {words}) or was ended because it did not become"
                " healthy",
                service(last=update("rollback_started", message=message)),
                task(),
                ended,
            )

    def test_a_rollback_is_never_taken_for_converged(self) -> None:
        for message in ("manually requested rollback", "early termination of task gone", ""):
            self.says(
                f"goes back: twinhost_app: {message}",
                service(last=update("rollback_started", message=message)),
                task(),
            )
        self.says("goes back: twinhost_app: null", service(last={"State": "rollback_started"}), task())

    def test_a_release_has_failed_where_swarm_has_rolled_back_or_given_up(self) -> None:
        for state in ("rollback_completed", "rollback_paused", "paused"):
            verdict = self.judge(service(last=update(state, "t2", "failure of task t9")), task())
            self.assertEqual(Failed("twinhost_app: failure of task t9", "t9"), verdict)
        self.says("failed: twinhost_app: null", service(last={"State": "paused"}), task())

    def test_an_older_failure_is_not_this_one(self) -> None:
        before = {"twinhost_app": ("rollback_completed", "t1")}
        old = service(last=update("rollback_completed", "t1", "it did not last"))
        new = service(last=update("rollback_completed", "t2", "it did not last again"))
        self.says("converged", old, task(), before=before)
        self.says("failed: twinhost_app: it did not last again", new, task(), before=before)
        self.assertEqual(before, updates([old]))
        self.assertEqual({"twinhost_app": (None, None)}, updates([service()]))

    def test_certbots_image_holds_nothing_up_where_it_cannot_be_had(self) -> None:
        refused = task(state="rejected", desired="shutdown", error=AWAY)
        pulls = task(state="preparing")
        back = update("rollback_completed", "t2", "rolled back")
        self.says("converged", service("certbot"), refused, pulls)
        self.says("converged", service("certbot", last=back), refused, task())
        self.says(f"twinhost_app 0 of 1; last error: {AWAY}", service(), refused)

    def test_certbots_image_is_waited_for_for_a_while(self) -> None:
        pulls = task(state="preparing")
        self.says("twinhost_certbot 0 of 1, an image is pulled", service("certbot"), pulls)
        self.says("converged", service("certbot"), pulls, late=True)
        self.says("twinhost_app 0 of 1, an image is pulled", service(), pulls, late=True)

    def test_a_certbot_that_does_not_run_is_a_failure(self) -> None:
        failed = task(state="failed", desired="shutdown", error="task: non-zero exit (2)")
        self.says(
            "failed: twinhost_certbot: rolled back; last error: task: non-zero exit (2)",
            service("certbot", last=update("rollback_completed", "t2", "rolled back")),
            failed,
            task(),
            late=True,
        )

    def test_certbot_is_not_waited_for_at_boot(self) -> None:
        names = ("twinhost_certbot", "twinhost_app")
        self.says("converged", service("certbot", last=update("updating")), boot=True)
        self.says("converged", service(), task(), names=names, boot=True)
        self.says("twinhost_app 0 of 1", service(), names=names, boot=True)

    def test_a_first_release_is_given_up_when_three_containers_have_ended(self) -> None:
        ended = task(state="failed", desired="shutdown", error="task: non-zero exit (1)")
        twice = [ended, task(state="complete", desired="shutdown")]
        new = "twinhost_app"
        waits = "twinhost_app 0 of 1; last error: "
        self.says(f"{waits}task: non-zero exit (1)", service(), *twice, ended)
        self.says(f"{waits}task: non-zero exit (1)", service(), *twice, new=new)
        self.says(f"{waits}x", service(), *twice, task("old", "failed", "shutdown", "x"), new=new)
        self.says(
            "failed: twinhost_app: 3 containers have ended one after the other", service(), *twice, ended, new=new
        )
        # at a later attempt it runs
        self.says("converged", service(), *twice, ended, task(), new=new)

    def test_a_failure_is_said_before_what_is_waited_for(self) -> None:
        app = service(last=update("paused", "t2", "it did not last"))
        edge = but(service("edge", None), ID="e")
        names = ("twinhost_app", "twinhost_edge")
        verdict = judge(self.nodes, [edge, app], [task()], Expected(names, NOTHING, ""))
        self.assertEqual("failed: twinhost_app: it did not last", said(verdict))

    def test_what_cannot_be_read_is_no_answer(self) -> None:
        whole: Json = {"nodes": self.nodes, "services": [service()], "tasks": [task()]}
        broken: list[tuple[str, object]] = [
            ("services", [1]),
            ("services", ["text"]),
            ("services", [None]),
            ("services", [{}]),
            ("services", [{"Spec": {}}]),
            ("services", [but(service(), ID=None)]),
            ("services", [but(service(), UpdateStatus="completed")]),
            ("services", [but(service(), UpdateStatus={"State": 1})]),
            ("services", [{"ID": "s", "Spec": {"Name": "twinhost_app", "Mode": {"ReplicatedJob": {}}}}]),
            ("services", [but(service(), Spec={"Name": "twinhost_app", "Mode": {"Replicated": {"Replicas": "1"}}})]),
            ("services", [service(replicas=True)]),
            ("tasks", [7]),
            ("tasks", [None]),
            ("tasks", [{"ServiceID": "s", "DesiredState": "running"}]),
            ("tasks", [{"ServiceID": "s", "DesiredState": "running", "Status": {}}]),
            ("tasks", [{"ServiceID": "s", "Status": {"State": "running"}}]),
            ("tasks", [but(task(), ServiceID=None)]),
            ("nodes", [{}]),
            ("nodes", [None]),
            ("nodes", [{"Status": {"State": None}}]),
        ]
        for what, answer in broken:
            with self.subTest(what=what, answer=answer):
                answers = {**whole, what: answer}
                with self.assertRaises(Damaged):
                    judge(
                        shape.items(answers["nodes"]),
                        shape.items(answers["services"]),
                        shape.items(answers["tasks"]),
                        self.expected,
                    )

    def test_every_missing_key_is_no_answer_or_waited_for(self) -> None:
        """Whatever a whole answer loses, the stack is not called converged for it."""
        services, tasks = [service()], [task()]
        self.assertIsInstance(judge(self.nodes, services, tasks, self.expected), Converged)
        for nodes, ones, others in _cut([node()], services, tasks):
            with self.subTest(nodes=nodes, services=ones, tasks=others):
                try:
                    verdict = judge(nodes, ones, others, self.expected)
                except Damaged:
                    continue
                self.assertNotIsInstance(verdict, Converged)

    def test_only_this_room_makes_it(self) -> None:
        with self.assertRaises(TypeError):
            Converged(object())


# without these an answer is as whole as before: a task's id, its error and the time of its state are for words alone
_SPARE = (("tasks", "ID"), ("tasks", "Status", "Timestamp"), ("tasks", "Status", "Err"))


def _cut(
    nodes: list[Json], services: list[Json], tasks: list[Json]
) -> list[tuple[list[object], list[object], list[object]]]:
    """The same answers, each time with another key away, or null."""
    found: list[tuple[list[object], list[object], list[object]]] = []
    whole: dict[str, list[object]] = {"nodes": [*nodes], "services": [*services], "tasks": [*tasks]}
    for what, answer in whole.items():
        for path in _paths(answer[0]):
            if (what, *path) in _SPARE:
                continue
            for change in (_drop, _nullify):
                copy = json.loads(json.dumps(answer))
                _change(copy[0], path, change)
                cut = {**whole, what: copy}
                found.append((cut["nodes"], cut["services"], cut["tasks"]))
    return found


def _paths(value: object) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [path for key in value for path in ((key,), *((key, *rest) for rest in _paths(value[key])))]


def _change(value: Json, path: tuple[str, ...], change: Callable[[Json, str], None]) -> None:
    for step in path[:-1]:
        value = shape.mapping(value, step)
    change(value, path[-1])


def _drop(value: Json, key: str) -> None:
    del value[key]


def _nullify(value: Json, key: str) -> None:
    value[key] = None


if __name__ == "__main__":
    unittest.main()
