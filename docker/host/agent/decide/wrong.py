"""What is not as it should be, and what a person should know besides, in words. What could not be read is wrong, too:
nothing that is not known is well.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.decide.status import ApplicationState, Certificate, ServiceState, Status, digest, short

_DISK_FULL = 90
# certbot renews 30 days before the end: so late, something has kept it from that for two weeks
_DAYS_LEFT = 14
_FAILED_UPDATES = ("paused", "rollback_paused", "rollback_completed")


def notes_of(status: Status) -> list[str]:
    return list(_notes(status))


def wrong_of(status: Status) -> list[str]:
    """Empty where all is well."""
    return [
        *_nodes(status),
        *_services(status),
        *_application(status.application, status.releases),
        *_machine(status),
        *_targets(status),
        *_lease(status),
        *([] if status.machine.role == "witness" else _certificate(status.certificate)),
        *_release(status),
    ]


def _notes(status: Status) -> Iterator[str]:
    if status.releases:
        yield f"{status.releases} applies a release"
    application = status.application
    tag = application and application.tag
    if application is None or not tag:
        return
    if tag.why is not None:
        yield f"the registry could not be asked what the tag {tag.tag} means now: {tag.why}"
    elif tag.digest != digest(application.image or ""):
        yield f"the tag {tag.tag} has moved: twinhost release --resolve takes what it means now"


def _nodes(status: Status) -> Iterator[str]:
    nodes = status.nodes
    if nodes is None:
        yield "this machine sees no leader of the Swarm: nothing is scheduled, what runs goes on"
        return
    for node in nodes:
        if node.state != "ready":
            yield f"the node {node.name} ({node.instance}) is {node.state}"
    for node in nodes:
        if node.manager == "unreachable":
            yield f"the manager {node.name} ({node.instance}) is unreachable"
    reachable = sum(node.manager in ("leader", "reachable") for node in nodes)
    if reachable < status.managers:
        yield f"{reachable} of {status.managers} managers are reachable"
    if sum(node.role == "host" and node.state == "ready" for node in nodes) < 2:
        yield "fewer than two hosts are ready"


def _services(status: Status) -> Iterator[str]:
    services = status.services
    if services is None:
        # a machine that sees no leader is told of none, and says so
        if status.nodes is not None:
            yield "Swarm does not say which services it runs"
        return
    for service in services:
        if service.running < service.wanted:
            yield f"the service {service.name} runs {service.running} of {service.wanted}{_because(service)}"
    for service in services:
        if service.update in _FAILED_UPDATES:
            yield f"the last update of {service.name}: {service.update.replace('_', ' ')}"


def _because(service: ServiceState) -> str:
    return f": {service.error}" if service.error else ""


def _application(application: ApplicationState | None, releases: str) -> Iterator[str]:
    if application is None or application.updates or not application.running:
        return
    running, noted = application.running, application.noted
    if len({one.image for one in running}) > 1:
        shown = ", ".join(f"{one.node} {one.version}" for one in running)
        yield f"the hosts run different images of the application: {shown}"
    elif noted is not None and not releases and digest(running[0].image) != digest(noted):
        yield f"the application runs {running[0].version}, the release that converged last ran {short(noted)}"


def _machine(status: Status) -> Iterator[str]:
    if status.machine.disk_percent >= _DISK_FULL:
        yield f"the disk of this machine is {status.machine.disk_percent} % full: Docker may start nothing here"
    if status.services is not None and not status.services:
        yield "no release is deployed"


def _targets(status: Status) -> Iterator[str]:
    if not status.targets:
        yield "the balancer names no target, or cannot be asked"
    for target in status.targets:
        if target.state != "healthy":
            yield f"{target.group} calls {target.instance} {target.state}"


def _lease(status: Status) -> Iterator[str]:
    if status.record is None:
        yield "the cluster record was never read"
    elif status.machine.refusal is not None:
        yield f"this machine may not act: {status.machine.refusal}"


def _certificate(certificate: Certificate | None) -> Iterator[str]:
    if certificate is None:
        yield "there is no certificate"
        return
    certbot = f"; certbot: {certificate.certbot}" if certificate.certbot else ""
    if certificate.placeholder:
        yield f"a placeholder is served{certbot}"
    elif certificate.days_left < _DAYS_LEFT:
        yield f"the certificate ends in {certificate.days_left} days{certbot}"
    if not certificate.served:
        yield "the edge of this machine shows no certificate"
    if not certificate.own:
        yield "the edge serves another certificate than the one on this machine"
    if certificate.missing:
        yield f"the certificate is not for {', '.join(certificate.missing)}"


def _release(status: Status) -> Iterator[str]:
    converged = status.record.record.release if status.record else ""
    if converged and converged != status.machine.release:
        yield f"this machine runs with release {status.machine.release[:12]}, {converged[:12]} converged last"
