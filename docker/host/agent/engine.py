"""Docker's Engine API, over its socket. 1.44 is the API of Docker 25.0:
https://docs.docker.com/reference/api/engine/version/v1.44/
"""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent import budgets, shape
from agent.errors import Damaged, Unavailable
from agent.words import plain

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_VERSION = "v1.44"
_STATES = ("inactive", "pending", "active", "error", "locked")


class EngineRefused(Unavailable):
    """The engine answered with an error. `reason` is its own message."""

    def __init__(self, reason: str, status: int = 500) -> None:
        super().__init__(reason)
        self.status = status


class EngineTimedOut(Unavailable):
    """The engine had no answer within the limit."""


class Engine:
    """One engine. Each call is one connection: nothing is kept that could be out of date."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, path: str, limit: float = budgets.ENGINE, headers: Mapping[str, str] | None = None) -> object:
        """The answer, as JSON."""
        return shape.parse(
            self._call("GET", path, limit, None, headers or {}), f"Docker's answer to {path.split('?')[0]}"
        )

    def post(self, path: str, body: object, limit: float = budgets.ENGINE) -> object:
        """The answer, as JSON; None where the engine has nothing to say. The body may hold secrets: it is in no
        argument and no log.
        """
        said = self._call("POST", path, limit, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return shape.parse(said, f"Docker's answer to {path.split('?')[0]}") if said.strip() else None

    def delete(self, path: str, limit: float = budgets.ENGINE) -> None:
        self._call("DELETE", path, limit, None, {})

    def ping(self, limit: float = budgets.ENGINE) -> None:
        """Raises Unavailable while the engine does not answer at all."""
        self._call("GET", "/_ping", limit, None, {})

    def answers(self) -> bool:
        """Whether the engine answers at all; for what waits or looks away, never for what acts."""
        try:
            self.ping(budgets.ENGINE_LOOK)
        except Unavailable:
            return False
        return True

    def info(self) -> object:
        return self.get("/info", budgets.ENGINE_LOOK)

    def swarm_state(self) -> str:
        """inactive, pending, active, error or locked. Anything but inactive means that Swarm state is on this disk."""
        state = shape.text(self.info(), "Swarm", "LocalNodeState")
        if state not in _STATES:
            raise Damaged("Docker names a state of Swarm that is none")
        return state

    def cluster(self) -> str | None:
        """The id of the cluster that this manager is in, read through its leader; None where it sees no leader, or is
        no manager.
        """
        info = self.info()
        if shape.maybe_truth(info, "Swarm", "ControlAvailable") is not True:
            return None
        return shape.maybe_text(info, "Swarm", "Cluster", "ID") or None

    def seen_cluster(self) -> str | None:
        """The same; None also where the engine does not say."""
        try:
            return self.cluster()
        except (Unavailable, Damaged):
            return None

    def sees_leader(self) -> bool:
        """Whether this manager sees a leader; no where the engine does not say."""
        return self.seen_cluster() is not None

    def own_node(self) -> str:
        """This machine's id as a node of its Swarm."""
        return shape.filled(self.info(), "Swarm", "NodeID")

    def leads(self) -> bool:
        """Whether this manager is the Raft leader."""
        return shape.maybe_truth(self.get(f"/nodes/{self.own_node()}"), "ManagerStatus", "Leader") is True

    def nodes(self, **filters: str) -> list[object]:
        return shape.items(self.get(f"/nodes{_query(filters)}"))

    def services(self, **filters: str) -> list[object]:
        return shape.items(self.get(f"/services{_query(filters)}"))

    def tasks(self, **filters: str) -> list[object]:
        return shape.items(self.get(f"/tasks{_query(filters)}"))

    def service(self, name: str) -> object | None:
        """That service; None where Swarm has none of this name."""
        try:
            return self.get(f"/services/{name}")
        except EngineRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def _call(self, method: str, path: str, limit: float, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        connection = _Connection(self._path, limit)
        try:
            connection.request(method, f"/{_VERSION}{path}", body, {"Host": "docker", **headers})
            answer = connection.getresponse()
            said = answer.read()
        except socket.timeout:
            raise EngineTimedOut(f"Docker did not answer within {limit:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"Docker cannot be asked: {getattr(error, 'strerror', None) or error}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise EngineRefused(_message(said), answer.status)
        return said


class _Connection(http.client.HTTPConnection):
    """Over the engine's socket, with a limit for all of it."""

    def __init__(self, path: Path, limit: float) -> None:
        super().__init__("docker")
        self._path = path
        self._limit = limit

    def connect(self) -> None:
        self.sock = _Socket(time.monotonic() + self._limit)
        self.sock.settimeout(self._limit)
        self.sock.connect(str(self._path))


class _Socket(socket.socket):
    """Nothing is read from it after its end: an engine that trickles is one that does not answer."""

    def __init__(self, end: float) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self._end = end

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)


def filters(wanted: Mapping[str, str | list[str]]) -> str:
    """The query `filters=…` of the Engine API."""
    lists: dict[str, list[str]] = {key: [value] if isinstance(value, str) else value for key, value in wanted.items()}
    return "filters=" + urllib.parse.quote(json.dumps(lists, separators=(",", ":")), safe="")


def _query(wanted: Mapping[str, str]) -> str:
    return f"?{filters(wanted)}" if wanted else ""


def _message(said: bytes) -> str:
    """The engine's own words, as one line."""
    try:
        words = shape.text(shape.parse(said, "the refusal"), "message")
    except Damaged:
        words = said.decode(errors="replace")
    return " ".join(plain(words).split()) or "Docker refuses, and does not say why"
