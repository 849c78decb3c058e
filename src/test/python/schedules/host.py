"""A machine in memory: its power, its disk, its Docker, and the units that run the agent's verbs on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from agent import lease
from agent.budgets import Limits
from agent.context import Context
from agent.engine import Engine, EngineRefused
from agent.errors import NotAllowed, Problem, Unavailable
from agent.machine import Machine, Paths, Settings
from agent.verbs import heal, heartbeat, join
from schedules.storage import HostRecord

if TYPE_CHECKING:
    from schedules.swarm import Cluster, Member
    from schedules.world import World

# shorter than on a machine, so that a schedule is: down, missing, leaderless
LIMITS = Limits(90, 400, 150)
SETTINGS = Settings({"TWINHOST_MANAGERS": "3", "TWINHOST_APP_START_SECONDS": "30", "TWINHOST_DOMAIN": "example.com"})
BOOT = 25


class Died(BaseException):
    """The process that runs a verb has died."""


class Host:
    """A machine: its power, its Docker, its disk (`swarm`, and the files below `context`'s root)."""

    def __init__(self, world: World, role: str, number: int) -> None:
        self.world, self.role, self.instance, self.address = world, role, f"i-{number}", f"10.0.0.{number}"
        self.on = self.docker = True
        self.epoch = 0
        self.booted = world.now
        self.swarm: tuple[str, str] | None = None
        self.booting = True
        self.beats = False
        self.edge: int | None = None
        self.ill: int | None = 0
        # when the storage answers it again
        self.storage_back: int = 0
        paths = Paths(world.root / self.instance)
        for folder in (paths.volatile, paths.state):
            folder.mkdir(parents=True)
        machine = Machine(
            paths,
            HostClock(self),
            world.root / "5555",
            role,
            "Site",
            "/site/release",
            "",
            LIMITS,
            self.instance,
            self.address,
        )
        self.context = HostContext(machine, HostEngine(self), HostRecord(self, machine))

    @property
    def answers(self) -> bool:
        return self.on and self.docker

    def member(self) -> tuple[Cluster, Member] | None:
        """Its place in a Swarm, as the others of that know it."""
        if self.swarm is None:
            return None
        cluster = self.world.swarms.clusters[self.swarm[0]]
        member = cluster.members.get(self.swarm[1])
        return None if member is None else (cluster, member)

    def seen_cluster(self) -> Cluster | None:
        """The cluster of which it is a manager and sees the leader."""
        found = self.member()
        if not self.answers or found is None or not found[1].manager:
            return None
        cluster = found[0]
        leader = cluster.members.get(cluster.leader)
        led = leader is not None and self.world.now >= cluster.leads and leader.host.answers
        return cluster if led and leader is not None and self.world.reach(self, leader.host) else None

    def run(self, verb: Callable[[], object]) -> bool:
        """Runs a verb to its end, as systemd does. Whether it did what it is for."""
        before, self.world.current = self.world.current, self
        try:
            verb()
        except (Problem, Died):
            return False
        finally:
            self.world.current = before
        return True

    def reboot(self) -> None:
        """A power cut, and the same disk again."""
        self.cut_power()
        self.on = self.docker = True
        self.booted = self.world.now - 5
        for file in self.context.machine.paths.volatile.iterdir():
            file.unlink()
        self.start(BOOT)

    def start_docker(self) -> None:
        self.docker = True

    def cut_power(self) -> None:
        self.epoch += 1
        self.on, self.edge, self.booting = False, None, True

    def start(self, after: int) -> None:
        self.booting = True
        epoch = self.epoch
        self.world.after(after, lambda: self.bootstrap(epoch))

    def bootstrap(self, epoch: int) -> None:
        if epoch != self.epoch or not self.on:
            return
        self.booting = True
        (self.context.machine.paths.volatile / "bootstrap.lock").touch()
        if not self.beats:
            self.beats = True
            self.world.after(self.world.random.randrange(10), self.beat)
            self.world.after(self.world.random.randrange(30), self.heal)
        if not self.docker:
            self.start(10)
            return
        if self.context.machine.own_cluster() is not None and self.swarm is not None:
            self.booting = False
            self.release(epoch)
            return
        completed: list[bool] = []
        if self.swarm is not None and not self.run(lambda: completed.append(join._complete(self.context))):
            self.start(10)
            return
        if completed == [True]:
            self.booting = False
            self.release(epoch)
            return
        self.leave()
        (self.context.machine.paths.volatile / "watch").unlink(missing_ok=True)
        self.join(epoch, self.world.now + 900)

    def join(self, epoch: int, limit: int) -> None:
        """One look of `join`, and the next."""
        if epoch != self.epoch:
            return
        joined: list[bool] = []
        if not self.run(lambda: joined.append(join._step(self.context) is None)) or self.world.now > limit:
            self.booting = False
            self.world.after(10, lambda: self.bootstrap(self.epoch))
        elif joined == [True]:
            self.booting = False
            self.release(epoch)
        else:
            self.world.after(1, lambda: self.join(epoch, limit))

    def release(self, epoch: int) -> None:
        """`release --boot`: the first host brings the services; an edge starts where they run."""
        if epoch != self.epoch or self.booting:
            return
        cluster = self.seen_cluster()
        if cluster is None:
            self.world.after(10, lambda: self.release(epoch))
            return
        if not cluster.serves and self.role == "host":
            try:
                lease.lease(self.context.machine)
            except NotAllowed:
                self.world.after(10, lambda: self.release(epoch))
                return
            cluster.serves = True

    def leave(self) -> None:
        self.swarm = None
        self.edge = None

    def beat(self) -> None:
        if self.instance not in self.world.hosts:
            return
        if self.on:
            self.run(lambda: heartbeat.run(self.context, []))
        self.world.after(10, self.beat)

    def heal(self) -> None:
        if self.instance not in self.world.hosts:
            return
        if self.on and not self.booting:
            self.run(lambda: heal.run(self.context, []))
        self.world.after(30, self.heal)


class HostClock:
    def __init__(self, host: Host) -> None:
        self._host = host

    def uptime(self) -> int:
        return self._host.world.now - self._host.booted

    def sleep(self, seconds: float) -> None:
        host, world = self._host, self._host.world
        epoch, current = host.epoch, world.current
        world.advance(world.now + max(1, round(seconds)))
        world.current = current
        if host.epoch != epoch:
            raise Died


@dataclass(frozen=True)
class HostContext(Context):
    def settings(self) -> Settings:
        return SETTINGS

    def release_note(self) -> object:
        return {"balancer": "b", "targetGroups": ["arn:aws:x:targetgroup/http/1"]}


class HostEngine(Engine):
    def __init__(self, host: Host) -> None:
        super().__init__(Path("/nowhere"))
        self._host, self._world = host, host.world

    def _call(self, method: str, path: str, limit: float, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        host = self._host
        if not host.answers:
            raise Unavailable(f"Docker did not answer within {limit:g} s {headers or ''}")
        name = f"{method} {path.split('?')[0]}"
        if name == "GET /_ping":
            return b"OK"
        if name == "GET /info":
            return json.dumps({"Swarm": self._info()}).encode()
        if name == "POST /swarm/leave":
            host.leave()
            return b""
        if name == "POST /swarm/init":
            host.context.clock.sleep(self._world.random.randrange(1, 9))
            self._world.may_die(host)
            self._world.swarms.found(host)
            self._world.may_die(host)
            return b'"node"'
        if name == "POST /swarm/join":
            asked = json.loads(body or b"")
            self._world.swarms.take_in(host, asked["RemoteAddrs"][0].split(":")[0], asked["JoinToken"])
            self._world.may_die(host)
            return b""
        cluster = host.seen_cluster()
        if cluster is None:
            raise EngineRefused("The swarm does not have a leader", 503)
        if name == "GET /swarm":
            return json.dumps({"JoinTokens": {"Manager": f"token of {cluster.id}"}}).encode()
        if name == "GET /nodes":
            return json.dumps([self._node(cluster, one) for one in cluster.members.values()]).encode()
        if name.startswith("GET /nodes/"):
            return json.dumps(self._node(cluster, cluster.members[name.rpartition("/")[2]])).encode()
        if name == "GET /services":
            return b'[{"ID": "s"}]' if cluster.serves else b"[]"
        if name in ("GET /tasks", "GET /configs"):
            return b"[]"
        raise EngineRefused("no such thing", 404)

    def _info(self) -> dict[str, object]:
        host = self._host
        if host.swarm is None:
            return {"LocalNodeState": "inactive", "NodeID": "", "ControlAvailable": False}
        found = host.member()
        cluster = host.seen_cluster()
        return {
            "LocalNodeState": "active",
            "NodeID": host.swarm[1],
            "ControlAvailable": found is None or found[1].manager,
            "Cluster": {"ID": cluster.id if cluster else ""},
        }

    def _node(self, cluster: Cluster, one: Member) -> dict[str, object]:
        labels = {"twinhost.instance": one.host.instance, "twinhost.role": one.host.role}
        node: dict[str, object] = {
            "ID": one.id,
            "CreatedAt": f"{one.created:08}",
            "Spec": {"Availability": "active"},
            "Status": {"State": "ready" if one.ready else "down"},
            "Description": {"Hostname": one.id, "Engine": {"Labels": labels}},
        }
        if one.manager:
            node["ManagerStatus"] = {"Addr": "x", "Leader": one.id == cluster.leader}
        return node
