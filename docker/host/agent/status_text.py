"""The object of agent.decide.status as one screen of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agent.decide.status import Status

# the widths of columns; the last one of a table has none
_NAME = 28
_INSTANCE = 22
_UPDATE = 20
_ROLE = 9
_AVAILABILITY = 11


def screen(status: Status, notes: Sequence[str], wrong: Sequence[str]) -> str:
    lines = [
        *_head(status),
        "",
        *_nodes(status),
        "",
        *_services(status),
        "",
        *_application(status),
        *_targets(status),
        "",
        *([f"last heal    {status.healed}", ""] if status.healed else []),
        *([*(f"note         {note}" for note in notes), ""] if notes else []),
        *(["wrong:", *(f"  {one}" for one in wrong)] if wrong else ["all is well"]),
    ]
    return "".join(f"{line}\n" for line in lines)


def _head(status: Status) -> Iterator[str]:
    machine, certificate = status.machine, status.certificate
    maintenance = "  maintenance is on: visitors get its page, with status 503" if status.maintenance else ""
    yield f"site         {status.site}{maintenance}"
    yield (
        f"machine      {machine.instance}, {machine.role}, {machine.address}, Swarm {machine.swarm},"
        f" release {machine.release[:12]}, disk {machine.disk_percent} % full"
    )
    yield f"record       {_record(status)}"
    if machine.role == "witness":
        return
    if certificate is None:
        yield "certificate  none"
        return
    by = "placeholder" if certificate.placeholder else f"issued by {certificate.issuer}"
    served = "" if certificate.served else " (not served)"
    yield f"certificate  {', '.join(certificate.names)}; {certificate.days_left} days left; {by}{served}"


def _record(status: Status) -> str:
    if status.record is None:
        return "never read"
    record, age = status.record.record, status.now - status.record.read
    converged = record.release[:12] or "nothing yet"
    return f"generation {record.generation}, cluster {record.cluster}, converged {converged}, read {age} s ago"


def _nodes(status: Status) -> Iterator[str]:
    widths = (_NAME, _INSTANCE, _ROLE, _ROLE, _AVAILABILITY)
    yield _row(widths, ("NODE", "INSTANCE", "ROLE", "STATE", "AVAILABLE", "MANAGER"))
    for node in status.nodes or ():
        cells = (_host(node.name), node.instance, node.role, node.state, node.availability, node.manager)
        yield _row(widths, cells)


def _services(status: Status) -> Iterator[str]:
    widths = (_NAME, _INSTANCE, _UPDATE)
    yield _row(widths, ("SERVICE", "RUNNING", "UPDATE", "ON"))
    for service in status.services or ():
        running = f"{service.running} of {service.wanted}"
        hosts = ", ".join(_host(node) for node in service.nodes)
        yield _row(widths, (service.name, running, service.update, hosts))


def _application(status: Status) -> Iterator[str]:
    if status.application is None or not status.application.running:
        return
    yield _row((_NAME,), ("APPLICATION", "IMAGE"))
    for replica in status.application.running:
        yield _row((_NAME,), (_host(replica.node), replica.version))
    yield ""


def _targets(status: Status) -> Iterator[str]:
    widths = (_NAME, _INSTANCE)
    yield _row(widths, ("TARGET GROUP", "INSTANCE", "STATE"))
    for target in status.targets:
        yield _row(widths, (target.group, target.instance, target.state))


def _row(widths: Iterable[int], cells: Sequence[str]) -> str:
    """Cells in columns; one that is wider than its column still ends with a space."""
    return "".join(cell + " " * max(width - len(cell), 1) for width, cell in zip(widths, cells)) + cells[-1]


def _host(name: str) -> str:
    """EC2's names continue with the region's domain."""
    return name.split(".")[0]
