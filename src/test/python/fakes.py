"""Stand-ins for what the agent asks: a machine in a temporary folder, its clock, its engine, other programs."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable, TypeVar

from agent.budgets import Limits
from agent.context import Context
from agent.engine import Engine, EngineRefused
from agent.errors import Unavailable
from agent.machine import Machine, Paths
from agent.process import CommandFailed
from agent.record import RecordStore

T = TypeVar("T")
SHA = "5" * 64


class FakeClock:
    """Time passes only where somebody sleeps."""

    def __init__(self, uptime: int = 1000) -> None:
        self.now = float(uptime)

    def uptime(self) -> int:
        return int(self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeEngine(Engine):
    """Answers by method and path: JSON, or a text as it is, or what it raises. A path stands for itself with any
    query, unless the query is in the answer's path, too. What was asked is in `calls`, with the bodies in `bodies` and
    the headers in `headers`.
    """

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.answers_by_path: dict[str, object] = {}
        self.calls: list[str] = []
        self.bodies: list[object] = []
        self.headers: list[Mapping[str, str]] = []
        self.limits: list[float] = []

    def answer(self, call: str, answer: object) -> FakeEngine:
        """`call` is "GET /path"."""
        self.answers_by_path[call] = answer
        return self

    def swarm(self, state: str, cluster: str, node: str = "node-1") -> FakeEngine:
        swarm = {
            "LocalNodeState": state,
            "NodeID": node,
            "ControlAvailable": state == "active",
            "Cluster": {"ID": cluster},
        }
        return self.answer("GET /info", {"Swarm": swarm}).answer("GET /_ping", "OK")

    def _call(self, method: str, path: str, limit: float, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        call = f"{method} {path}"
        self.calls.append(call)
        self.limits.append(limit)
        self.headers.append(headers)
        if body is not None:
            self.bodies.append(json.loads(body))
        answers = self.answers_by_path
        answer = answers.get(call, answers.get(call.split("?")[0], EngineRefused("no such thing", 404)))
        if isinstance(answer, BaseException):
            raise answer
        return (answer if isinstance(answer, str) else json.dumps(answer)).encode()


class FakePrograms:
    """Takes the place of agent.process.run. The first answer whose beginning the command line has is given."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, object]] = []
        self.calls: list[str] = []
        self.inputs: list[str | bytes | None] = []
        self.environments: list[Mapping[str, str]] = []

    def answer(self, begin: str, answer: object = "") -> FakePrograms:
        """A text, what is raised, or a function without arguments. The latest answer to a beginning counts."""
        self.answers.insert(0, (begin, answer))
        return self

    def fail(self, begin: str, said: str = "", status: int = 1) -> FakePrograms:
        return self.answer(begin, CommandFailed(said or f"ended with status {status}", said, status))

    def __call__(
        self,
        command: Sequence[str],
        limit: float,
        stdin: str | bytes | None = None,
        environment: Mapping[str, str] | None = None,
        merge: bool = False,
        grace: float = 0,
    ) -> str:
        line = " ".join(command)
        self.calls.append(line)
        self.inputs.append(stdin)
        self.environments.append(environment or {})
        for begin, answer in self.answers:
            if line.startswith(begin):
                if isinstance(answer, BaseException):
                    raise answer
                return str(answer() if callable(answer) else answer)
        raise AssertionError(f"nobody expects {line}, within {limit} s and {grace} s more, merged: {merge}")


class MachineTest(unittest.TestCase):
    """A test with a host of its own: self.context, self.machine, self.engine, self.clock, self.root."""

    role = "host"

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.clock = FakeClock()
        self.engine = FakeEngine()
        self.machine = Machine(
            paths=Paths(self.root),
            clock=self.clock,
            release=self.root / "opt/twinhost/releases" / SHA,
            role=self.role,
            stack="Site",
            release_parameter="/site/release",
            region="eu-west-1",
            limits=Limits(300, 1800, 600),
            instance="i-0a",
            address="10.0.0.10",
        )
        self.context = Context(self.machine, self.engine, RecordStore(self.machine))
        for made in (self.machine.release, self.machine.paths.volatile, self.machine.paths.state):
            made.mkdir(parents=True)
        self.write_settings()

    def write(self, path: str, content: str) -> Path:
        """Puts a file there, below the root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write_settings(self, **more: str) -> None:
        """The settings of the release, with others or more of them."""
        values = {
            "TWINHOST_DOMAIN": "example.com",
            "TWINHOST_EXTRA_DOMAINS": "",
            "TWINHOST_ACME_NAME": "production",
            "TWINHOST_APP_IMAGE": "",
            "TWINHOST_APP_REGISTRY_SECRET": "",
            **more,
        }
        lines = "".join(f"export {name}='{value}'\n" for name, value in values.items())
        (self.machine.release / "settings.env").write_text(lines)


def spoken(call: Callable[[], object]) -> list[str]:
    """What was logged meanwhile: each line without its time and the name of the verb."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        call()
    return [line.split(": ", 1)[1] if line[:2] == "20" else line for line in said.getvalue().splitlines()]


def directly(_limit: float, _what: str, function: Callable[[], T]) -> T:
    """Takes the place of agent.contained.contained where the child of its own, and its limit, do not matter."""
    try:
        return function()
    except OSError as error:
        raise Unavailable(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from error
