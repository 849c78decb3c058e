"""What the engine's answers say of the nodes, the services and the application, for `twinhost status`. An answer that
is not whole counts as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, TypeVar

from agent import shape
from agent.decide.nodes import is_updating, name_of
from agent.decide.stack import APPLICATION, RELEASE_LOCK, STACK
from agent.decide.status import ApplicationState, NodeState, Replica, ServiceState, Tag
from agent.errors import Damaged

T = TypeVar("T")

_PREFIX = f"{STACK}_"
# the way of a stop-first update, in which the old edge still has its port
_PORT_IN_USE = "host-mode port already in use"


@dataclass(frozen=True)
class Answers:
    """What the engine answered, each as it came; None where it did not."""

    info: object
    nodes: object
    services: object
    tasks: object
    configs: object


@dataclass(frozen=True)
class Task:
    service: str
    node: str
    desired: str
    state: str
    error: str
    time: str
    image: str | None


def swarm_of(answers: Answers) -> str:
    """The engine's state in its Swarm; unknown where it does not say."""
    return _whole(answers.info, lambda info: shape.text(info, "Swarm", "LocalNodeState")) or "unknown"


def nodes_of(answers: Answers) -> list[NodeState] | None:
    nodes = _whole(answers.nodes, lambda found: [_node(one) for one in shape.items(found)])
    return nodes if nodes is None else sorted(nodes, key=lambda one: (one.role, one.name))


def services_of(answers: Answers) -> list[ServiceState] | None:
    nodes = _ready(answers)
    tasks = _tasks(answers)

    def service(value: object) -> ServiceState:
        own = [task for task in tasks if task.service == shape.filled(value, "ID")]
        failed = [task for task in own if task.error and not task.error.startswith(_PORT_IN_USE)]
        return ServiceState(
            name=_without_stack(shape.text(value, "Spec", "Name")),
            wanted=shape.number(value, "ServiceStatus", "DesiredTasks"),
            update=shape.maybe_text(value, "UpdateStatus", "State") or "none",
            error=sorted(failed, key=lambda task: task.time)[-1].error if failed else "",
            nodes=[nodes[task.node] for task in own if _runs(task, nodes)],
        )

    services = _whole(answers.services, lambda found: [service(one) for one in shape.items(found)])
    return services if services is None else sorted(services, key=lambda one: one.name)


def application_image(answers: Answers) -> str | None:
    """The reference of the application's service; None where there is none."""
    service = _application(answers)
    return None if service is None else _image(service, "Spec", "TaskTemplate")


def application_of(answers: Answers, noted: str | None, tag: Tag | None) -> ApplicationState | None:
    service = _application(answers)
    if service is None:
        return None
    nodes = _ready(answers)
    running = {
        Replica(nodes[task.node], task.image)
        for task in _tasks(answers)
        if task.service == shape.filled(service, "ID") and task.image is not None and _runs(task, nodes)
    }
    return ApplicationState(
        image=_image(service, "Spec", "TaskTemplate"),
        noted=noted,
        tag=tag,
        running=sorted(running, key=lambda one: (one.image, one.node)),
        updates=is_updating(service),
    )


def releases_of(answers: Answers) -> str:
    """The instance that applies a release; ? where it does not say which it is, empty where none does."""

    def holder(configs: object) -> str:
        for config in shape.items(configs):
            if shape.maybe_text(config, "Spec", "Name") == RELEASE_LOCK:
                return shape.maybe_text(config, "Spec", "Labels", "twinhost.instance") or "?"
        return ""

    return _whole(answers.configs, holder) or ""


def _whole(value: object, parse: Callable[[object], T]) -> T | None:
    """What `parse` finds in an answer; None where there was none, or it is not whole."""
    if value is None:
        return None
    try:
        return parse(value)
    except Damaged:
        return None


def _node(value: object) -> NodeState:
    status = shape.maybe(value, "ManagerStatus")
    if status is None:
        manager = "none"
    elif shape.maybe_truth(status, "Leader"):
        manager = "leader"
    else:
        manager = shape.maybe_text(status, "Reachability") or "unknown"
    identity = shape.filled(value, "ID")
    labels = shape.maybe_mapping(value, "Description", "Engine", "Labels")
    return NodeState(
        id=identity,
        name=name_of(value),
        instance=shape.maybe_text(labels, "twinhost.instance") or "?",
        role=shape.maybe_text(labels, "twinhost.role") or "?",
        state=shape.text(value, "Status", "State"),
        availability=shape.text(value, "Spec", "Availability"),
        manager=manager,
    )


def _ready(answers: Answers) -> Mapping[str, str]:
    """The names of the nodes that are ready, by their ids."""
    return {node.id: node.name for node in nodes_of(answers) or [] if node.state == "ready"}


def _tasks(answers: Answers) -> list[Task]:
    return _whole(answers.tasks, lambda found: [_task(one) for one in shape.items(found)]) or []


def _task(value: object) -> Task:
    return Task(
        service=shape.maybe_text(value, "ServiceID") or "",
        node=shape.maybe_text(value, "NodeID") or "",
        desired=shape.maybe_text(value, "DesiredState") or "",
        state=shape.text(value, "Status", "State"),
        error=shape.maybe_text(value, "Status", "Err") or "",
        time=shape.maybe_text(value, "Status", "Timestamp") or "",
        image=_image(value, "Spec"),
    )


def _runs(task: Task, ready: Mapping[str, str]) -> bool:
    return task.desired == "running" and task.state == "running" and task.node in ready


def _application(answers: Answers) -> object:
    def find(services: object) -> object:
        for service in shape.items(services):
            if shape.text(service, "Spec", "Name") == APPLICATION:
                # what is read of it below
                _image(service, "Spec", "TaskTemplate")
                shape.filled(service, "ID")
                shape.maybe_text(service, "UpdateStatus", "State")
                return service
        return None

    return _whole(answers.services, find)


def _image(value: object, *path: str) -> str | None:
    return shape.maybe_text(value, *path, "ContainerSpec", "Image")


def _without_stack(name: str) -> str:
    return name[len(_PREFIX) :] if name.startswith(_PREFIX) else name
