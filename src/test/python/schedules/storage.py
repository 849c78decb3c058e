"""The cluster record in memory, on a storage that stalls, and what each machine sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.budgets import LEASE
from agent.decide.cluster_record import Manager, Record
from agent.errors import Unavailable
from agent.machine import Machine
from agent.record import AlreadyClaimed, RecordStore

if TYPE_CHECKING:
    from schedules.host import Host
    from schedules.world import World


class Broken(AssertionError):
    """What must never be."""


@dataclass
class Generation:
    founder: str = ""
    cluster: str = ""
    token: str = ""
    managers: dict[str, Manager] = field(default_factory=dict)
    rescues: int = 0


class Storage:
    def __init__(self, world: World) -> None:
        self._world = world
        self.generations: dict[int, Generation] = {}
        # since when for all of them it answers again
        self.back = 0
        # the record since when
        self._records: list[tuple[int, Record]] = [(0, Record(0, "", "", "", 0, ()))]

    def answers(self, host: Host) -> bool:
        return self._world.now >= max(host.storage_back, self.back)

    def forget(self, instance: str) -> None:
        if self.generations:
            self.generations[max(self.generations)].managers.pop(instance, None)
            self.changed()

    def show(self) -> Record:
        """As it is, or as it was a second ago: so long a machine may keep what it has seen of a folder (nfs(5))."""
        late = self._world.now - self._world.random.randrange(2)
        return next(record for at, record in reversed(self._records) if at <= late)

    def changed(self) -> None:
        number = max(self.generations)
        one = self.generations[number]
        managers = tuple(one.managers[name] for name in sorted(one.managers))
        record = Record(number, one.founder, one.cluster, "", one.rescues, managers)
        del self._records[:-100]
        self._records.append((self._world.now, record))

    def check_lease(self, host: Host, what: str) -> None:
        """Which machine acts is in the cluster that the record names, or has named until half a minute ago."""
        own = host.swarm[0] if host.swarm else None
        until = self._world.now + 1
        for at, record in reversed(self._records):
            if record.cluster == own and self._world.now - until <= LEASE + 1:
                return
            until = at
        raise Broken(f"{host.instance} of {own} acts without a lease: {what}")


class HostRecord(RecordStore):
    """The record as that machine reaches it. Each step of a change may be the last of the process that makes it, and an
    answer may be lost on a storage that stalls.
    """

    def __init__(self, host: Host, machine: Machine) -> None:
        super().__init__(machine)
        self._host, self._storage = host, host.world.storage

    def _reached(self) -> dict[int, Generation]:
        if not self._storage.answers(self._host):
            raise Unavailable("the shared storage did not answer within 5 s")
        return self._storage.generations

    def _stepped(self) -> None:
        self._storage.changed()
        self._host.world.may_die(self._host)
        if self._host.world.is_drawn():
            raise Unavailable("the shared storage did not answer within 5 s")

    def show(self) -> Record:
        self._reached()
        return self._storage.show()

    def claim(self, generation: int, instance: str, address: str) -> None:
        generations = self._reached()
        if generation in generations:
            raise AlreadyClaimed(f"{generation} is taken")
        one = generations[generation] = Generation()
        self._stepped()
        one.founder = instance
        self._stepped()
        self.beat(generation, instance, False, address)

    def found(self, generation: int, cluster: str, token: str) -> None:
        one = self._reached()[generation]
        if one.founder != self._host.instance:
            raise Broken(f"{self._host.instance} founds generation {generation}, which {one.founder} has claimed")
        if one.cluster not in ("", cluster):
            raise Broken(f"generation {generation} is founded twice")
        one.token = token
        self._stepped()
        one.cluster = cluster
        self._stepped()

    def beat(self, generation: int, instance: str, leader: bool, address: str) -> None:
        managers = self._reached()[generation].managers
        before = managers.get(instance)
        managers[instance] = Manager(instance, before.counter + 1 if before else 1, leader, address)
        self._storage.changed()

    def mend(self, instance: str, address: str) -> bool:
        raise AssertionError(f"nothing damages the heartbeat of {instance} {address}")

    def leave(self, instance: str) -> None:
        self._reached()
        self._storage.forget(instance)

    def rescue(self, generation: int, number: int, instance: str) -> None:
        one = self._reached()[generation]
        if one.rescues >= number:
            raise AlreadyClaimed(f"{number} is taken")
        one.rescues = number
        self._stepped()
        assert instance == self._host.instance

    def token(self, generation: int) -> str:
        return self._reached()[generation].token

    def release(self) -> dict[str, object] | None:
        return None
