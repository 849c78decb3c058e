"""Why an application does not serve, in words, from what Swarm, Docker and the kernel say of its container."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent import shape
from agent.errors import Damaged
from agent.words import one_line

_SOCKET = re.compile(r"(.*):([0-9]+)")
_LONGEST_CHECK = 200
# Docker's own DNS is in every container
_DNS = "127.0.0.11"


@dataclass(frozen=True)
class Container:
    """What Docker says of a container."""

    out_of_memory: bool = False
    # checks of its health that failed one after the other, and how many of them make it unhealthy
    failing: int = 0
    retries: int = 3
    # what its last check said
    check: str = ""
    # whether its health is checked at all
    checked: bool = False


def read_container(answer: object) -> Container:
    """What an answer of the Engine API says of a container; Damaged where it cannot be read."""
    state = shape.maybe(answer, "State")
    health = shape.maybe(state, "Health")
    looks = shape.maybe_items(health, "Log")
    check = shape.maybe_text(looks[-1], "Output") if looks else None
    return Container(
        out_of_memory=shape.maybe_truth(state, "OOMKilled") is True,
        failing=shape.maybe_number(health, "FailingStreak") or 0,
        retries=max(shape.maybe_number(answer, "Config", "Healthcheck", "Retries") or 0, 0) or 3,
        check=one_line(check or "")[:_LONGEST_CHECK],
        checked=health is not None,
    )


def why_ended(task: object, container: Container, seconds: int) -> str:
    """Why a container that does not run does not. `seconds` is appStartSeconds. Whatever cannot be read of the task is
    left out: these are words for a person, and permit nothing.
    """
    state, error = _status(task)
    check = container.check and f"; its check said last: {container.check}"
    if container.out_of_memory:
        return "it was ended because the memory of the machine ran out; appReplicas or another instanceType may help"
    # who ends well on a signal leaves no error behind; and who has ended is unhealthy to Docker, whatever its checks
    # have said: https://github.com/moby/moby/blob/v25.0.5/container/health.go, CloseMonitorChannel
    if "unhealthy container" in error or container.failing >= container.retries:
        return (
            f"it was too slow, or is broken: not healthy within {seconds} s (appStartSeconds) and three checks{check}"
        )
    if state == "starting":
        return f"it was too slow: not healthy within {seconds} s (appStartSeconds){check}"
    if state == "complete":
        return "it ended by itself, with status 0"
    return error or f"Swarm did not bring it further than {state or 'nothing'}"


def what_listens(sockets: str, port: str) -> str:
    """What listens in a container, in words, by the lines that `ss -Hltn` says; `port` is appPort."""
    right = inside = six = ""
    others: list[str] = []
    for line in sockets.splitlines():
        fields = line.split()
        match = _SOCKET.fullmatch(re.sub(r"%[^:]*", "", fields[3])) if len(fields) > 3 else None
        if not match or match[1] == _DNS:
            continue
        address = match[1]
        if match[2] != port:
            others.append(match[2])
        # over both protocols ss calls it *
        elif address == "[::]":
            six = match[0]
        elif address.startswith("127.") or address == "[::1]":
            inside = match[0]
        else:
            right = match[0]
    if right:
        return f"though it listens on port {port}"
    if inside:
        return f"as it listens on {inside} only: let it listen on 0.0.0.0"
    if six:
        return f"as it listens on {six} over IPv6 only: let it listen on 0.0.0.0"
    if others:
        return f"as it listens on {', '.join(others)}, and appPort is {port}"
    return "as it listens on no port"


def to_blame(tasks: Sequence[object], node: str, ended: bool) -> object | None:
    """Of the tasks of the application the one that says most: on `node` if there is any, and of those rather one that
    runs or, `ended`, that does not. None where none has come so far.
    """
    candidates = [task for task in tasks if _status(task)[0] in ("running", "complete", "failed", "rejected")]

    def rank(task: object) -> tuple[bool, bool, str]:
        runs = _status(task)[0] == "running" and shape.maybe_text(task, "DesiredState") == "running"
        return (
            shape.maybe_text(task, "NodeID") == node,
            runs != ended,
            shape.maybe_text(task, "CreatedAt") or "",
        )

    return max(reversed(candidates), key=rank, default=None)


def _status(task: object) -> tuple[str, str]:
    """State and error of a task, as far as they can be read."""
    try:
        error = shape.maybe_text(task, "Status", "Err") or ""
        return shape.maybe_text(task, "Status", "State") or "", one_line(error)
    except Damaged:
        return "", ""
