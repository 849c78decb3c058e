"""What `twinhost status` shows, as one object. A part that could not be read is None; agent.decide.wrong names it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.decide.cluster_record import Seen
from agent.decide.targets import Target

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_SHOWN_OF_DIGEST = 12


@dataclass(frozen=True)
class Certificate:
    """What this machine's edge shows a client, or, where that is nothing, what it would show."""

    names: Sequence[str]
    missing: Sequence[str]
    issuer: str
    days_left: int
    served: bool
    # whether it is the one on this machine's disk
    own: bool
    # what certbot waits for, where it says so
    certbot: str

    @property
    def placeholder(self) -> bool:
        return self.issuer == "CN=placeholder"

    def json(self) -> dict[str, object]:
        return {
            "names": list(self.names),
            "missing": list(self.missing),
            "issuer": self.issuer,
            "daysLeft": self.days_left,
            "served": self.served,
            "own": self.own,
            "placeholder": self.placeholder,
            "certbot": self.certbot,
        }


@dataclass(frozen=True)
class Tag:
    """What the tag of the application's image means to its registry now: a digest, or why that could not be had."""

    tag: str
    digest: str | None = None
    why: str | None = None

    def json(self) -> dict[str, object]:
        return {"tag": self.tag, **({"digest": self.digest} if self.why is None else {"why": self.why})}


@dataclass(frozen=True)
class MachineState:
    instance: str
    role: str
    address: str
    release: str
    swarm: str
    disk_percent: int
    # None: it holds the lease
    refusal: str | None

    def json(self) -> dict[str, object]:
        return {
            "instance": self.instance,
            "role": self.role,
            "address": self.address,
            "release": self.release,
            "swarm": self.swarm,
            "diskPercent": self.disk_percent,
            "mayAct": self.refusal is None,
            "mayNotActBecause": self.refusal or "",
        }


@dataclass(frozen=True)
class NodeState:
    id: str
    name: str
    instance: str
    role: str
    state: str
    availability: str
    # leader, reachable, unreachable, unknown, or none where it is no manager
    manager: str

    def json(self) -> dict[str, object]:
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "id"}


@dataclass(frozen=True)
class Replica:
    """One of the application's that runs."""

    node: str
    image: str

    @property
    def version(self) -> str:
        return short(self.image)


@dataclass(frozen=True)
class ServiceState:
    name: str
    wanted: int
    update: str
    # what a task last failed with
    error: str
    # a name for each replica that runs; Swarm continues to count what ran on a node that is down
    nodes: Sequence[str]

    @property
    def running(self) -> int:
        return len(self.nodes)

    def json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "running": self.running,
            "wanted": self.wanted,
            "update": self.update,
            "error": self.error,
            "nodes": list(self.nodes),
        }


@dataclass(frozen=True)
class ApplicationState:
    """What each host runs, what is noted with the release that converged last, and what the tag means now."""

    image: str | None
    noted: str | None
    tag: Tag | None
    running: Sequence[Replica]
    updates: bool

    def json(self) -> dict[str, object]:
        return {
            "image": self.image,
            "noted": self.noted,
            "tag": self.tag and self.tag.json(),
            "running": [{"node": one.node, "image": one.image, "version": one.version} for one in self.running],
        }


@dataclass(frozen=True)
class Status:
    site: str
    maintenance: bool
    # of so many managers a site has
    managers: int
    machine: MachineState
    record: Seen | None
    now: int
    nodes: Sequence[NodeState] | None
    services: Sequence[ServiceState] | None
    application: ApplicationState | None
    # who applies a release; empty where nobody does
    releases: str
    targets: Sequence[Target]
    certificate: Certificate | None
    healed: str

    def json(self, notes: Sequence[str], wrong: Sequence[str]) -> dict[str, object]:
        return {
            "site": self.site,
            "maintenance": self.maintenance,
            "machine": self.machine.json(),
            "record": self.record and _record_json(self.record, self.now),
            "nodes": None if self.nodes is None else [one.json() for one in self.nodes],
            "services": None if self.services is None else [one.json() for one in self.services],
            "application": self.application and self.application.json(),
            "targets": [{"group": one.group, "instance": one.instance, "state": one.state} for one in self.targets],
            "certificate": self.certificate and self.certificate.json(),
            "healed": self.healed,
            "notes": list(notes),
            "wrong": list(wrong),
        }


def short(reference: str) -> str:
    """A reference as a person reads it, with the beginning of its digest."""
    return reference[: _SHOWN_OF_DIGEST - 64] if _DIGEST.search(reference) else reference


def digest(reference: str) -> str | None:
    parts = reference.split("@")
    return parts[1] if len(parts) > 1 else None


def _record_json(seen: Seen, now: int) -> dict[str, object]:
    record = seen.record
    return {
        "generation": record.generation,
        "founder": record.founder,
        "cluster": record.cluster,
        "converged": record.release,
        "readSecondsAgo": now - seen.read,
        "managers": record.json()["managers"],
    }
