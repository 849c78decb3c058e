"""Which edges a release asks for an answer of the application, and what their answer says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent import shape
from agent.decide.nodes import name_of, runs
from agent.errors import Damaged

# the answer's status, and the seconds within which the upstream has answered (nginx/conf.d/release.conf)
_ANSWERED = re.compile(r"([0-9]{3}) .*[0-9]")
_STATUS = re.compile(r"[1-9][0-9]{2}( .*)?")


@dataclass(frozen=True)
class Edge:
    """An edge that runs: the host's name, and the address in the network of the services."""

    host: str
    address: str


@dataclass(frozen=True)
class Edges:
    """Every edge that runs, and a process in this machine's own: they are asked in its network."""

    process: int
    all: tuple[Edge, ...]


def find_edges(nodes: Sequence[object], tasks: Sequence[object], own: str, network: str) -> Edges | None:
    """The edges by the tasks of their service; None where none runs on the node `own`. Damaged where one cannot be
    read, or has no address: it could not be asked.
    """
    names = {shape.filled(node, "ID"): name_of(node) for node in nodes}
    process = None
    found: list[Edge] = []
    for task in tasks:
        if not runs(task):
            continue
        node = shape.filled(task, "NodeID")
        address = address_in(task, network)
        if address is None:
            raise Damaged(f"the edge on {names.get(node, node)} has no address")
        found.append(Edge(names.get(node, node), address))
        if node == own and process is None:
            process = process_of(task)
    return Edges(process, tuple(found)) if process else None


def process_of(task: object) -> int | None:
    """The process of a task's container on this machine; None where it has none."""
    number = shape.maybe_number(task, "Status", "ContainerStatus", "PID")
    return number if number and number > 0 else None


def address_in(task: object, network: str) -> str | None:
    """The address of a task's container in that network; None where it has none."""
    for one in shape.maybe_items(task, "NetworksAttachments"):
        if shape.maybe_text(one, "Network", "Spec", "Name") == network:
            addresses = shape.maybe_items(one, "Addresses")
            if addresses:
                return shape.filled(addresses[0]).split("/")[0] or None
    return None


def is_answer(said: str) -> bool:
    """Whether the application has answered a request itself: any status is an answer."""
    return _STATUS.fullmatch(said.strip("\n")) is not None


def is_passed_on(said: str) -> bool:
    """Whether an edge's answer came from the application: the edge says how long that took."""
    return _ANSWERED.fullmatch(said.strip("\n")) is not None
