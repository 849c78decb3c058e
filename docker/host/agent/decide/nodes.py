"""Nodes and tasks as Swarm lists them, of which only what decides is read. What Swarm leaves out while a node is on
its way in, or a task is not placed yet, is empty here: nothing is known of it, and nothing is done about it.
https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Node/operation/NodeList
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent import shape

# https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Service: an update that is under way
_UNDER_WAY = ("updating", "rollback_started")
# the labels of a machine's engine: bootstrap writes them into daemon.json
_LABELS = ("Description", "Engine", "Labels")


@dataclass(frozen=True)
class Node:
    """A machine as a member of the Swarm. `instance` and `role` are empty where its engine has not said them."""

    id: str
    name: str
    instance: str
    role: str
    state: str
    availability: str
    created: str
    manager: bool
    leader: bool

    @property
    def ready(self) -> bool:
        return self.state == "ready"

    @property
    def down(self) -> bool:
        return self.state == "down"

    @property
    def takes_tasks(self) -> bool:
        """Whether Swarm may place the application there."""
        return self.ready and self.availability == "active" and self.role == "host"


@dataclass(frozen=True)
class Task:
    """A task; `service` and `node` are empty where Swarm names none."""

    service: str
    node: str
    desired: str
    state: str

    @property
    def runs(self) -> bool:
        return self.desired == "running" and self.state == "running"


def name_of(node: object) -> str:
    """The name of a node; its id where its engine has not said one."""
    return shape.maybe_text(node, "Description", "Hostname") or shape.filled(node, "ID")


def runs(task: object) -> bool:
    """Whether a task runs, and is to."""
    return shape.text(task, "DesiredState") == "running" and shape.text(task, "Status", "State") == "running"


def is_updating(service: object) -> bool:
    """Whether Swarm is updating a service, or rolling it back."""
    return shape.maybe_text(service, "UpdateStatus", "State") in _UNDER_WAY


def parse_nodes(listed: Iterable[object]) -> list[Node]:
    return [_node(one) for one in listed]


def parse_tasks(listed: Iterable[object]) -> list[Task]:
    return [
        Task(
            shape.maybe_text(one, "ServiceID") or "",
            shape.maybe_text(one, "NodeID") or "",
            shape.filled(one, "DesiredState"),
            shape.filled(one, "Status", "State"),
        )
        for one in listed
    ]


def _node(value: object) -> Node:
    node = shape.filled(value, "ID")
    status = shape.maybe_mapping(value, "ManagerStatus")
    return Node(
        id=node,
        name=name_of(value),
        instance=shape.maybe_text(value, *_LABELS, "twinhost.instance") or "",
        role=shape.maybe_text(value, *_LABELS, "twinhost.role") or "",
        state=shape.filled(value, "Status", "State"),
        availability=shape.maybe_text(value, "Spec", "Availability") or "",
        created=shape.maybe_text(value, "CreatedAt") or "",
        manager=bool(status),
        leader=shape.maybe_truth(status, "Leader") is True,
    )
