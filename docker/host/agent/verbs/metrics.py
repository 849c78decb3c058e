"""twinhost metrics: publishes what clients meet at this host, the certificate that its own edge serves. In CloudWatch,
in a namespace named after the stack, two metrics:

- CertificateDaysLeft: whole days until its end. None where the edge shows no certificate.
- CertificateTrusted: 1 where it is valid now, for every name of the site, and of a CA that this machine's system
  trusts; otherwise 0, also where the edge shows none. The certificates of a staging CA are trusted by nobody.

A host that is dead publishes nothing: an alarm has to take missing data for bad. Where they cannot be published,
nothing else suffers.
"""

from __future__ import annotations

from agent import aws, files
from agent.context import Context
from agent.decide.figures import figures
from agent.errors import Damaged, Unavailable
from agent.log import log
from agent.served import days_left, served, trusted


def run(context: Context, _: list[str]) -> None:
    machine = context.machine
    if not machine.is_host or not machine.instance:
        return
    machine.paths.volatile.mkdir(parents=True, exist_ok=True)
    failed = machine.paths.volatile / "unpublished"
    data = figures(*_look(context), machine.instance)
    try:
        aws.put_metrics(machine.stack, data)
    except Unavailable as problem:
        if not failed.exists():
            failed.touch()
            log(f"the metrics cannot be published: {problem.reason}")
        return
    failed.unlink(missing_ok=True)


def _look(context: Context) -> tuple[int | None, bool]:
    """The days that are left of what the edge shows, and whether it is trusted."""
    settings = context.settings()
    shown = served(context.machine, settings)
    if shown is None:
        return None, False
    file = context.machine.paths.volatile / "served.pem"
    files.write(file, shown)
    try:
        days: int | None = days_left(shown)
    except (Unavailable, Damaged):
        # no figure, which an alarm takes for bad
        days = None
    return days, trusted(file, settings.names)
