"""The answer to certbot, which asks before it orders a certificate: an order that cannot succeed counts against the
limits of the CA (https://letsencrypt.org/docs/rate-limits/).

certbot writes a line of its own choice into preflight/request; the answer is that line, a space, and ok or the reason
why not.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent import budgets, files, shape
from agent.context import Context
from agent.decide import preflight
from agent.decide.targets import Target
from agent.errors import Damaged, NotYet, Problem, Unavailable
from agent.lease import lease
from agent.process import CommandFailed, run

# of getent: it knows no such name
_UNKNOWN = 2
_LONGEST = 1024


def request_file(context: Context) -> Path:
    return context.machine.paths.state / "preflight/request"


def answer(context: Context) -> None:
    """Answers certbot's question, where it is one that has not been answered."""
    request = _first_line(request_file(context))
    reply = context.machine.paths.state / "preflight/answer"
    if not request or _first_line(reply).startswith(f"{request} "):
        return
    said = "the checks before an order broke off"
    try:
        check_order(context)
        said = "ok"
    except Problem as problem:
        said = problem.reason
    finally:
        files.write(reply, f"{request} {said}\n")


def check_order(context: Context) -> None:
    """Whether an order may be made here and can succeed; raises the reason why not."""
    lease(context.machine)
    balancer = _balancer(context)
    own = _ipv4(balancer)
    preflight.check_balancer(balancer, own)
    for name in context.settings().names:
        preflight.check_ipv4(name, _ipv4(name), own)
        preflight.check_ipv6(name, _ipv6(name))
    preflight.check_targets(_targets(context))


def _balancer(context: Context) -> str:
    try:
        return shape.filled(context.release_note(), "balancer")
    except (Damaged, OSError):
        raise NotYet("the release does not name the balancer") from None


def _targets(context: Context) -> list[Target]:
    try:
        return context.targets()
    except (Unavailable, Damaged, OSError):
        # what cannot be asked is not healthy
        return []


def _ipv4(name: str) -> list[str]:
    """The IPv4 addresses by which clients reach that name; none where nobody can say."""
    try:
        said = run(["getent", "ahostsv4", name], budgets.RESOLVER)
    except Unavailable:
        return []
    return sorted({line.split()[0] for line in said.splitlines() if line.split()})


def _ipv6(name: str) -> list[str]:
    """Its IPv6 addresses. `hosts` asks for them, `ahosts` only for what this machine has."""
    try:
        said = run(["getent", "hosts", name], budgets.RESOLVER)
    except Unavailable as failure:
        if isinstance(failure, CommandFailed) and failure.status == _UNKNOWN:
            return []
        raise NotYet(f"{name} could not be asked for an AAAA record") from None
    return [line.split()[0] for line in said.splitlines() if line.split() and ":" in line.split()[0]]


def _first_line(file: Path) -> str:
    """Empty where there is no such file. certbot's container may put anything there: a link would have it read files
    of this machine, and a pipe would hold this one up.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            return ""
        return opened.readline(_LONGEST).decode(errors="replace").rstrip("\n")
