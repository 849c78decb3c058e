"""A site of two hosts and a witness in memory, on which the agent's own verbs run: time, which passes from event to
event, the machines, the network between them, and the faults. What must never be is checked where it would happen:
`Broken` says what it was.
"""

from __future__ import annotations

import heapq
import random
from pathlib import Path
from typing import Callable

from schedules.cloud import Cloud
from schedules.host import Died, Host
from schedules.storage import Storage
from schedules.swarm import Swarms

FAULTS = ("power", "ill", "reboot", "docker", "storage", "storages", "cut", "isolate", "dies", "aws", "every", "two")

_DIES = 0.2


class World:
    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.random = root, random.Random(seed)
        self.now = 1000
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.hosts: dict[str, Host] = {}
        # whose verb runs
        self.current: Host | None = None
        self.swarms, self.storage, self.cloud = Swarms(self), Storage(self), Cloud(self)
        # pairs of machines that do not reach each other
        self.cuts: set[frozenset[str]] = set()
        # until when processes die, and lose answers, at the steps that count
        self._dies_until = 0
        self.actions: list[str] = []
        self.helped = False
        self.after(5, self.tick)

    def count(self) -> int:
        self._count += 1
        return self._count

    def after(self, seconds: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, self.count(), event))

    def advance(self, until: int) -> None:
        while self._events and self._events[0][0] <= until:
            at, _, event = heapq.heappop(self._events)
            self.now = max(self.now, at)
            event()
        self.now = max(self.now, until)

    def tick(self) -> None:
        """Every five seconds."""
        self.swarms.elect()
        for host in self.hosts.values():
            self.cloud.see(host)
        self.after(5, self.tick)

    def say(self, what: str) -> None:
        self.actions.append(f"{self.now} {what}")

    def is_drawn(self) -> bool:
        """Whether the process that runs dies at this step, or loses an answer."""
        return self.now < self._dies_until and self.random.random() < _DIES

    def may_die(self, host: Host) -> None:
        if self.is_drawn():
            self.say(f"{host.instance}: the process dies")
            raise Died

    def reach(self, one: Host, other: Host) -> bool:
        return one is other or frozenset((one.instance, other.instance)) not in self.cuts

    def listens(self, address: str) -> bool:
        """Whether the machine whose verb runs reaches a Docker there."""
        other = next((one for one in self.hosts.values() if one.address == address), None)
        joins = self.current
        return other is not None and joins is not None and other.answers and self.reach(joins, other)

    def fault(self, kind: str, seconds: int) -> None:
        draw = self.random
        there = [one for one in self.hosts.values() if one.on]
        if not there:
            return
        host = draw.choice(there)
        self.say(f"fault: {kind} {host.instance} {seconds}")
        if kind in ("power", "ill"):
            host.cut_power()
            # EC2 sees one of them soon, the other never
            if kind == "power":
                self.after(seconds, lambda: self.cloud.end(host))
        elif kind == "reboot":
            host.reboot()
        elif kind == "docker":
            host.docker = False
            if draw.random() < 0.7:
                self.after(seconds, host.start_docker)
        elif kind == "storage":
            host.storage_back = self.now + seconds
        elif kind == "storages":
            self.storage.back = self.now + seconds
        elif kind in ("cut", "isolate"):
            others = [one for one in self.hosts.values() if one is not host]
            cut = {frozenset((host.instance, one.instance)) for one in (others if kind == "isolate" else others[:1])}
            self.cuts |= cut
            self.after(seconds, lambda: self.cuts.difference_update(cut))
        elif kind == "dies":
            self._let_die(seconds)
        elif kind == "aws":
            self.cloud.back = self.now + seconds
        elif kind == "two":
            # of which EC2 sees one alone
            other = draw.choice([one for one in there if one is not host] or there)
            other.cut_power()
            self.cloud.end(host)
            self._let_die(300)
        elif kind == "every":
            for one in list(self.hosts.values()):
                if draw.random() < 0.5:
                    one.reboot()
                else:
                    self.cloud.end(one)

    def _let_die(self, seconds: int) -> None:
        self._dies_until = self.now + seconds

    def help(self) -> None:
        """A person has the machines replaced that are dead though EC2 calls them running."""
        for host in list(self.hosts.values()):
            if not host.answers:
                self.say(f"a person has {host.instance} replaced")
                self.helped = True
                self.cloud.end(host)

    def is_whole(self) -> bool:
        """All three machines are in the recorded cluster, which is led, and both hosts are healthy."""
        named = self.storage.generations[max(self.storage.generations)].cluster if self.storage.generations else ""
        listed = [one for one in self.cloud.listed.values() if one.health == "Healthy"]
        seen = [one.host.seen_cluster() for one in listed]
        return (
            len(self.cloud.listed) == 3
            and all(one is not None and one.id == named for one in seen)
            and len(self.swarms.clusters[named].members) == 3
            and sum(self.cloud.healthy(one.host) for one in listed) == 2
        )
