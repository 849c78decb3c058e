"""Whose heartbeat beats, and what follows for a machine without Swarm state: wait, or claim the next generation.

A heartbeat is a counter and no time. Its age is the time for which this machine has seen it stand still, on its own
clock; a counter that was never seen to move has no age, and is no sign of life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent import shape
from agent.budgets import FRESH
from agent.decide.cluster_record import Manager, Record
from agent.errors import Damaged


@dataclass(frozen=True)
class Beats:
    """A manager's counter at the last look, and when on this machine's clock it was seen to move, and to move while
    the manager saw a leader; None: never.
    """

    counter: int
    moved: int | None
    led: int | None


@dataclass(frozen=True)
class Watch:
    """What is kept from one look at a generation for the next."""

    generation: int
    since: int
    managers: Mapping[str, Beats]

    def json(self) -> dict[str, object]:
        return {
            "generation": self.generation,
            "since": self.since,
            "managers": {
                instance: {"counter": one.counter, "moved": one.moved, "led": one.led}
                for instance, one in self.managers.items()
            },
        }

    @staticmethod
    def parse(value: object, now: int) -> Watch:
        """Damaged where it is not whole, or names a time that this machine's clock has not reached."""
        watch = Watch(
            generation=shape.number(value, "generation"),
            since=shape.number(value, "since"),
            managers={
                instance: Beats(shape.number(one, "counter"), _time(one, "moved"), _time(one, "led"))
                for instance, one in shape.mapping(value, "managers").items()
            },
        )
        times = [watch.since, *(time for one in watch.managers.values() for time in (one.moved, one.led))]
        if any(time is not None and time > now for time in times):
            raise Damaged("what was kept of the watch is from the future")
        return watch


@dataclass(frozen=True)
class WatchedManager:
    """A manager, and the seconds since its counter was seen to move, and to move while it saw a leader; None: never."""

    manager: Manager
    still: int | None
    led: int | None

    @property
    def instance(self) -> str:
        return self.manager.instance

    @property
    def beats(self) -> bool:
        return self.still is not None and self.still <= FRESH

    @property
    def sees_leader(self) -> bool:
        return self.led is not None and self.led <= FRESH


@dataclass(frozen=True)
class Watched:
    """The record, and for how many seconds its generation has been under watch."""

    record: Record
    watched: int
    managers: tuple[WatchedManager, ...]

    @property
    def beats(self) -> bool:
        """Whether any manager's heartbeat is fresh."""
        return any(one.beats for one in self.managers)

    @property
    def sees_leader(self) -> bool:
        """Whether a fresh heartbeat saw a leader."""
        return any(one.sees_leader for one in self.managers)


@dataclass(frozen=True)
class Claim:
    """That generation may be claimed: `next_step` alone says so."""

    generation: int


@dataclass(frozen=True)
class Wait:
    """Nothing may be done yet; for what, as it stands after "waits for"."""

    reason: str


def watch(record: Record, kept: Watch | None, now: int) -> tuple[Watched, Watch]:
    """The record as it is watched, and what to keep for the next look. Of another generation, and where nothing was
    kept, the watch begins now. A manager that appears under watch has moved.
    """
    if kept is None or kept.generation != record.generation:
        kept = Watch(record.generation, now, {})
    managers = {one.instance: _look(one, kept, now) for one in record.managers}
    watched = Watched(
        record,
        now - kept.since,
        tuple(
            WatchedManager(one, _age(managers[one.instance].moved, now), _age(managers[one.instance].led, now))
            for one in record.managers
        ),
    )
    return watched, Watch(kept.generation, kept.since, managers)


def next_step(watched: Watched, head_start: int) -> Claim | Wait:
    """What a machine without Swarm state does next. One that gives others a head start waits that much longer."""
    record = watched.record
    if record.generation == 0:
        if watched.watched < head_start:
            return Wait("the hosts to found a cluster")
        return Claim(1)
    if not record.cluster and watched.beats:
        return Wait(f"{record.founder} to found generation {record.generation}")
    if record.cluster and watched.sees_leader:
        return Wait(f"a manager of generation {record.generation} that takes this machine in")
    if watched.watched < FRESH + head_start:
        return Wait(f"a heartbeat of generation {record.generation}")
    return Claim(record.generation + 1)


def _look(manager: Manager, kept: Watch, now: int) -> Beats:
    before = kept.managers.get(manager.instance)
    if before is None:
        moved = kept.since < now
        before = Beats(manager.counter, None, None)
    else:
        moved = before.counter != manager.counter
    return Beats(
        manager.counter,
        now if moved else before.moved,
        now if moved and manager.leader else before.led,
    )


def _time(value: object, key: str) -> int | None:
    """A time, or null; Damaged where there is neither."""
    return None if shape.at(value, key) is None else shape.number(value, key)


def _age(time: int | None, now: int) -> int | None:
    return None if time is None else now - time
