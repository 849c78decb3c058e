"""Whether a stack has converged: each of its services exists, and runs what it was told to, everywhere.

Only this room makes a Converged, which is what a release needs to be recorded. What cannot be read is Damaged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from agent import shape
from agent.words import one_line

# of a service's last update: its state, and when it began
Update = tuple[Union[str, None], Union[str, None]]

_MAKER = object()
# of these states of an update Swarm does nothing more by itself
_GIVEN_UP = ("paused", "rollback_paused", "rollback_completed")
_ENDED = ("failed", "complete")
# as many containers of a new service end, one after the other, before it is given up: Swarm itself never does
_ATTEMPTS = 3
# the new edge starts when the old one has let go of the port: that is the way of a stop-first update, and no error
_PORT_TAKEN = "host-mode port already in use"
_NO_IMAGE = "No such image"
_TASK = re.compile(r"task ([0-9a-z]+)")


@dataclass(frozen=True)
class Converged:
    """Every service runs what it was told to."""

    _maker: object

    def __post_init__(self) -> None:
        if self._maker is not _MAKER:
            raise TypeError("only agent.decide.convergence says that a stack has converged")


@dataclass(frozen=True)
class Failed:
    """Waiting is of no use. `task` is the one because of which Swarm has rolled back, where it names one."""

    reason: str
    task: str | None = None


@dataclass(frozen=True)
class Waiting:
    """Some services do not run yet as they have to: a reason for each. `rollback` is the first one that Swarm rolls
    back, and why: it says so only until it has.
    """

    reasons: tuple[str, ...]
    rollback: Failed | None = None

    @property
    def reason(self) -> str:
        return ";".join(self.reasons)


Verdict = Union[Converged, Waiting, Failed]


@dataclass(frozen=True)
class Expected:
    """What is judged. `names`: the services that have to be there. `before`: the last update of each of them before
    this release, so that an old failure is not taken for a new one. `new`: a service of which no task has ever
    served. `optional`: one whose image may be out of reach: it holds nothing up and fails nothing while its image
    cannot be had, nor, `late`, while it is on its way; and, at `boot`, not at all.
    """

    names: Sequence[str]
    before: Mapping[str, Update]
    optional: str
    new: str | None = None
    boot: bool = False
    late: bool = False


@dataclass(frozen=True)
class _Task:
    id: str
    state: str
    wanted: bool
    error: str
    timestamp: str
    spec: object
    exit_code: int | None

    def runs(self, spec: object) -> bool:
        """Whether it runs, and is of that specification."""
        return self.wanted and self.state == "running" and self.is_of(spec)

    def is_of(self, spec: object) -> bool:
        return spec is not None and self.spec == spec


def judge(
    nodes: Sequence[object],
    services: Sequence[object],
    tasks: Sequence[object],
    expected: Expected,
) -> Verdict:
    """What these answers of the Engine API say of the stack; Damaged where one of them cannot be read."""
    hosts = sum(is_active_host(node) for node in nodes)
    names = [name for name in expected.names if not (expected.boot and name == expected.optional)]
    found = {shape.filled(service, "Spec", "Name") for service in services}
    waiting = [] if hosts else ["no host is ready and active"]
    waiting += [f"{name} does not exist" for name in names if name not in found]
    by_service: dict[str, list[_Task]] = {}
    by_id: dict[str, _Task] = {}
    for one in tasks:
        task = _task(one)
        by_service.setdefault(shape.text(one, "ServiceID"), []).append(task)
        by_id[task.id] = task
    failed: Failed | None = None
    rollback: Failed | None = None
    for service in services:
        if expected.boot and shape.text(service, "Spec", "Name") == expected.optional:
            continue
        own = by_service.get(shape.filled(service, "ID"), [])
        said = _judge_service(service, own, by_id, hosts, expected)
        if isinstance(said, Failed):
            failed = failed or said
        elif isinstance(said, Waiting):
            waiting += said.reasons
            rollback = rollback or said.rollback
    if failed:
        return rollback or failed
    return Waiting(tuple(waiting), rollback) if waiting else Converged(_MAKER)


def is_active_host(node: object) -> bool:
    """Whether that node is a host to which Swarm may give work."""
    return (
        shape.text(node, "Status", "State") == "ready"
        and shape.maybe_text(node, "Spec", "Availability") == "active"
        and shape.maybe_text(node, "Description", "Engine", "Labels", "twinhost.role") == "host"
    )


def updates(services: Sequence[object]) -> dict[str, Update]:
    """The last update of each service."""
    return {shape.filled(service, "Spec", "Name"): _update(service) for service in services}


def _update(service: object) -> Update:
    return (
        shape.maybe_text(service, "UpdateStatus", "State"),
        shape.maybe_text(service, "UpdateStatus", "StartedAt"),
    )


def _task(task: object) -> _Task:
    return _Task(
        id=shape.maybe_text(task, "ID") or "",
        state=shape.text(task, "Status", "State"),
        wanted=shape.text(task, "DesiredState") == "running",
        error=one_line(shape.maybe_text(task, "Status", "Err") or ""),
        timestamp=shape.maybe_text(task, "Status", "Timestamp") or "",
        spec=shape.maybe(task, "Spec", "ContainerSpec"),
        exit_code=shape.maybe_number(task, "Status", "ContainerStatus", "ExitCode"),
    )


def _judge_service(
    service: object, tasks: Sequence[_Task], everyone: Mapping[str, _Task], hosts: int, expected: Expected
) -> Waiting | Failed | None:
    """None where this service runs what it was told to, or may be left out."""
    name = shape.text(service, "Spec", "Name")
    spec = shape.maybe(service, "Spec", "TaskTemplate", "ContainerSpec")
    wanted = [task for task in tasks if task.wanted]
    running = sum(task.runs(spec) for task in wanted)
    number = _replicas(service, hosts)
    error = _last_error(tasks)
    last = error and f"; last error: {error}"
    # of a task that is refused, its manager says no more than this; pulling is a part of preparing
    # https://github.com/moby/moby/blob/v25.0.0/daemon/cluster/executor/container/controller.go
    pulls = any(task.state == "preparing" for task in wanted)
    if name == expected.optional and (error.startswith(_NO_IMAGE) or (expected.late and not error and pulls)):
        return None
    ended = sum(task.is_of(spec) and task.state in _ENDED for task in tasks)
    if name == expected.new and running < number and ended >= _ATTEMPTS:
        return Failed(f"{name}: {ended} containers have ended one after the other")
    state, _ = update = _update(service)
    message = shape.maybe_text(service, "UpdateStatus", "Message")
    if state in _GIVEN_UP and update != expected.before.get(name):
        return Failed(f"{name}: {_words(message)}{last}", _named_task(message))
    if state == "rollback_started":
        task = _named_task(message)
        why = f"{name}: {_words(message)}{_result_of(everyone, task)}"
        return Waiting((f"goes back: {why}",), Failed(why, task))
    if state not in (None, "completed", *_GIVEN_UP):
        return Waiting((f"{name} is updated, {running} of {number}{last}",))
    if running != number or len(wanted) != number:
        return Waiting((f"{name} {running} of {number}{', an image is pulled' if pulls else ''}{last}",))
    return None


def _replicas(service: object, hosts: int) -> int:
    # {} where it is global
    if shape.maybe(service, "Spec", "Mode", "Global") is not None:
        return hosts
    return shape.number(service, "Spec", "Mode", "Replicated", "Replicas")


def _last_error(tasks: Collection[_Task]) -> str:
    errors = [task for task in tasks if task.error and not task.error.startswith(_PORT_TAKEN)]
    return sorted(errors, key=lambda task: task.timestamp)[-1].error if errors else ""


def _words(message: str | None) -> str:
    return "null" if message is None else one_line(message)


def _named_task(message: str | None) -> str | None:
    """The task because of which Swarm rolls back, which it names in words alone."""
    found = _TASK.search(message or "")
    return found[1] if found else None


def _result_of(tasks: Mapping[str, _Task], id_: str | None) -> str:
    task = tasks.get(id_ or "")
    if task is None:
        return ""
    if task.error:
        return f": {task.error}"
    status = "unknown" if task.exit_code is None else task.exit_code
    return f": it ended (status {status}) or was ended because it did not become healthy"
