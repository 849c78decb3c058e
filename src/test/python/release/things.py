"""A host in a cluster, with a release on its disk, a Docker that answers what a test says, and a deploy that waits."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Callable, TypeVar, cast
from unittest import mock

from agent.engine import EngineRefused
from agent.errors import Unavailable
from agent.verbs import release as verb
from fakes import SHA, FakeClock, FakePrograms, MachineTest

T = TypeVar("T")

CHECKOUT = Path(__file__).parents[4]
BEFORE = "b" * 64
IMAGE = "example/shop:1"
DIGEST = "@sha256:" + "d" * 64
URL = "https://cloudformation.example/arn%3Aaws%3Astack/deploy?X-Amz-Signature=0123"
SETTINGS = {
    "TWINHOST_EMAIL": "someone@example.com",
    "TWINHOST_ACME_DIRECTORY": "https://acme-v02.api.letsencrypt.org/directory",
    "TWINHOST_ACME_PROFILE": "",
    "TWINHOST_APP_PORT": "3000",
    "TWINHOST_APP_REPLICAS": "2",
    "TWINHOST_APP_HEALTH_PATH": "",
    "TWINHOST_APP_START_SECONDS": "60",
    "TWINHOST_APP_PARALLELISM": "1",
    "TWINHOST_CONVERGE_SECONDS": "540",
    "TWINHOST_BACK_SECONDS": "450",
    "TWINHOST_TURN_SECONDS": "1385",
    "TWINHOST_APP_ENVIRONMENT": "{}",
    "TWINHOST_APP_SECRETS": "{}",
    "TWINHOST_CACHE_MAX_SIZE": "256m",
    "TWINHOST_REQUESTS_PER_ADDRESS": "1000",
    "TWINHOST_HSTS_PRELOAD": "false",
    "TWINHOST_MAINTENANCE": "false",
    "TWINHOST_MANAGERS": "3",
    "TWINHOST_LAME_DUCK": "16",
    "TWINHOST_EDGE_UPDATE_DELAY": "15",
}
# as few files as will do: test_files reads those of the checkout
_NGINX = {
    "nginx.conf": "events {}\n",
    "conf.d/site.conf": "# ${TWINHOST_DOMAIN} $host ${host}\n",
    "snippets/request-headers.conf": "proxy_set_header Host $host;\n",
}
_PROGRAMS = ("agent.aws", "agent.registry", *(f"agent.release.{name}" for name in ("docker", "answers", "images")))
# as few files as will do: test_files reads those of the checkout
_NGINX = {
    "nginx.conf": "events {}\n",
    "conf.d/site.conf": "# ${TWINHOST_DOMAIN} $host ${host}\n",
    "snippets/request-headers.conf": "proxy_set_header Host $host;\n",
}
_MORE_PROGRAMS = ("agent.release.pulls", "agent.release.report")


def note(sha: str = SHA, /, **more: object) -> dict[str, object]:
    """A value of the release parameter."""
    return {
        "bucket": "bucket",
        "key": f"{sha}.zip",
        "sha256": sha,
        "balancer": "balancer.example.net",
        "targetGroups": ["arn:aws:x:targetgroup/http/1"],
        "answer": "/site/answer",
        **more,
    }


def node(id_: str = "node-1", instance: str = "i-0b") -> dict[str, object]:
    labels = {"twinhost.role": "host", "twinhost.instance": instance}
    return {
        "ID": id_,
        "Status": {"State": "ready"},
        "Spec": {"Availability": "active"},
        "Description": {"Hostname": id_, "Engine": {"Labels": labels}},
    }


Json = dict[str, object]


def but(value: Json, **more: object) -> Json:
    """The same with other or more keys."""
    copy = dict(value)
    copy.update(more)
    return copy


def service(name: str, replicas: int = 0, **more: object) -> Json:
    spec = {
        "Name": f"twinhost_{name}",
        "Mode": {"Replicated": {"Replicas": replicas}},
        "TaskTemplate": {"ContainerSpec": {"Image": "a", "Configs": [{"ConfigID": "used"}]}},
    }
    return {"ID": name, "Spec": spec, **more}


def services(**app: object) -> list[object]:
    return [service("edge"), service("app", 1, **app), service("challenge"), service("certbot")]


def task(state: str = "running", error: str | None = None, id_: str = "t", name: str = "app") -> dict[str, object]:
    return {
        "ID": id_,
        "ServiceID": name,
        "NodeID": "node-1",
        "CreatedAt": "1",
        "DesiredState": "running",
        "NetworksAttachments": [{"Network": {"Spec": {"Name": "twinhost_web"}}, "Addresses": ["10.0.1.7/24"]}],
        "Status": {"State": state, "ContainerStatus": {"ContainerID": "c0ffee", "PID": 4711}, "Err": error},
        "Spec": {"ContainerSpec": {"Image": "a", "Configs": [{"ConfigID": "used"}]}},
    }


class PacedClock(FakeClock):
    """A second of sleep takes `pace` seconds of it."""

    pace = 1.0

    def sleep(self, seconds: float) -> None:
        super().sleep(self.pace * seconds)


def at_once(_: float, __: str, function: Callable[[], T]) -> T:
    """Takes the place of agent.contained.contained, without a process of its own."""
    try:
        return function()
    except OSError as error:
        raise Unavailable(str(error)) from error


class HostTest(MachineTest):
    """Runs the verb `release` in this process: self.release(); what it said is in self.said, what it has reported to
    the deploy in self.reports.
    """

    def setUp(self) -> None:
        super().setUp()
        for module in ("agent.record", "agent.release.plan"):
            self.patch(f"{module}.contained", at_once)
        self.clock = self.paced = PacedClock()
        object.__setattr__(self.machine, "clock", self.clock)
        self.said = ""
        self.reports: list[str] = []
        self.parameters = {"/site/release": json.dumps(note()), "/site/answer": json.dumps({"sha256": SHA, "url": URL})}
        (self.machine.release / "docker").symlink_to(CHECKOUT / "docker")
        for name, content in _NGINX.items():
            self.write(f"opt/twinhost/releases/{SHA}/nginx/{name}", content)
        self.write_release()
        self.write_settings(**SETTINGS)
        self.context.record.claim(1, "i-0a", "10.0.0.10")
        self.context.record.found(1, "cluster-a", "token")
        self.write("var/lib/twinhost/cluster-id", "cluster-a\n")
        self.write("run/twinhost/bootstrap.lock", "")
        self.programs = self._programs()
        for module in (*_PROGRAMS, *_MORE_PROGRAMS):
            self.patch(f"{module}.run", self.programs)
        self.installed = self.patch("agent.release.apply.install", mock.Mock())
        self.gone_back = self.patch("agent.release.rollout.pass_on", mock.Mock(return_value=0))
        self._swarm()

    def patch(self, name: str, stand_in: object) -> mock.Mock:
        patcher = mock.patch(name, stand_in)
        self.addCleanup(patcher.stop)
        return cast(mock.Mock, patcher.start())

    def release(self, *arguments: str) -> int:
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                return verb.run(self.context, list(arguments))
        finally:
            self.said += output.getvalue()

    def last_line(self) -> str:
        return self.said.splitlines()[-1].split(": ", 1)[1]

    def write_release(self) -> None:
        (self.machine.release / "release.json").write_text(json.dumps(note()))

    def converged_before(self, sha: str = BEFORE, /, **more: object) -> None:
        """That release is the last one that converged, and is on the disk."""
        self.context.record.converged(1, sha, note(sha, **more))
        (self.machine.paths.releases / sha).mkdir(exist_ok=True)

    def with_application(self, **more: str) -> None:
        """An application of another image than the default page's, whose registry has it."""
        self.write_settings(**{**SETTINGS, "TWINHOST_APP_IMAGE": IMAGE, **more})
        found = {"Descriptor": {"digest": DIGEST[1:]}, "Platforms": [{"architecture": "amd64", "os": "linux"}]}
        self.engine.answer(f"GET /distribution/{IMAGE}/json", found)
        self.engine.answer("GET /containers/c0ffee/json", {"State": {}})
        self.engine.answer("GET /containers/c0ffee/top", {"Processes": [["4711"]]})

    def docker(self, begin: str = "") -> list[str]:
        """The command lines of Docker that have been called, without the folders of files."""
        root = f"{self.root}/"
        calls = [call for call in self.programs.calls if call.startswith(f"docker {begin}")]
        return [" ".join(word.rsplit("/", 1)[-1] if root in word else word for word in call.split()) for call in calls]

    def environment(self, begin: str) -> dict[str, str]:
        """That of the last command which begins so."""
        called = zip(self.programs.calls, self.programs.environments)
        return [dict(environment) for call, environment in called if call.startswith(begin)][-1]

    def asked(self, method: str) -> list[str]:
        return [call.split(" ")[1] for call in self.engine.calls if call.startswith(f"{method} ")]

    def _programs(self) -> FakePrograms:
        programs = FakePrograms()
        for begin in ("docker", "systemd-run", "systemctl"):
            programs.answer(begin, "")
        programs.answer("uname -m", "x86_64\n")
        programs.answer("nsenter -t 4711 -n curl", "200 0.003")
        programs.answer("nsenter -t 4711 -n ss", "")
        for name in self.parameters:
            programs.answer(f"aws ssm get-parameter --name {name} ", self._parameter(name))
        programs.answer("curl", self._reported)
        return programs

    def _parameter(self, name: str) -> Callable[[], str]:
        return lambda: self.parameters[name]

    def _reported(self) -> str:
        file = Path(self.programs.calls[-1].rsplit("@", 1)[1])
        answer = json.loads(file.read_text())
        self.assertEqual(f'url = "{URL}"\n', self.programs.inputs[-1])
        self.assertEqual(("i-0a", ""), (answer["UniqueId"], answer["Data"]))
        self.reports.append(f"{answer['Status']} {answer['Reason']}")
        return ""

    def _swarm(self) -> None:
        self.engine.swarm("active", "cluster-a")
        for call, answer in (
            ("GET /nodes", [node()]),
            ("GET /services", services()),
            ("GET /services/twinhost_app", EngineRefused("service twinhost_app not found", 404)),
            ("GET /tasks", [task()]),
            ("GET /configs", [{"ID": "used"}, {"ID": "old"}]),
            ("GET /secrets", []),
            ("POST /configs/create", {"ID": "turn"}),
            ("DELETE /configs/turn", ""),
            ("DELETE /configs/old", ""),
        ):
            self.engine.answer(call, answer)
