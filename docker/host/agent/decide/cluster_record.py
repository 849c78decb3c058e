"""What a machine knows of the cluster once it has read the cluster record (agent.record)."""

from __future__ import annotations

from dataclasses import dataclass

from agent import shape


@dataclass(frozen=True)
class Manager:
    """A manager of the current generation, as its heartbeat has left it."""

    instance: str
    counter: int
    leader: bool
    address: str


@dataclass(frozen=True)
class Record:
    """The current generation. Generation 0 is the record before the first claim."""

    generation: int
    founder: str
    cluster: str
    release: str
    rescues: int
    managers: tuple[Manager, ...]

    def json(self, **more: object) -> dict[str, object]:
        return {
            "generation": self.generation,
            "founder": self.founder,
            "cluster": self.cluster,
            "release": self.release,
            "rescues": self.rescues,
            "managers": [
                {"instance": one.instance, "counter": one.counter, "leader": one.leader, "address": one.address}
                for one in self.managers
            ],
            **more,
        }

    @staticmethod
    def parse(value: object) -> Record:
        return Record(
            generation=shape.number(value, "generation"),
            founder=shape.text(value, "founder"),
            cluster=shape.text(value, "cluster"),
            release=shape.text(value, "release"),
            rescues=shape.maybe_number(value, "rescues") or 0,
            managers=tuple(
                Manager(
                    shape.filled(one, "instance"),
                    shape.number(one, "counter"),
                    shape.truth(one, "leader"),
                    shape.text(one, "address"),
                )
                for one in shape.items(value, "managers")
            ),
        )


@dataclass(frozen=True)
class Seen:
    """The record as this machine read it last, and when, on its own clock."""

    record: Record
    read: int
