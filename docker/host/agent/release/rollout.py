"""Swarm takes the stack and every service serves; or the release before comes back as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent import budgets
from agent.clock import wait_for
from agent.context import Context
from agent.decide.convergence import Converged, Failed
from agent.errors import Hopeless, Problem, TimedOut
from agent.lease import Lease
from agent.locks import open_locks
from agent.log import log
from agent.process import pass_on
from agent.release.answers import check_edges, quote_task, why_application
from agent.release.docker import Docker
from agent.release.ending import signals_wait
from agent.release.note import note_converged
from agent.release.outcome import GivenUp
from agent.release.plan import Plan
from agent.release.stack import Watch, deploy, last_updates
from agent.release.waiting import whole
from agent.releases import converged, obtain

_CONVERGE = "every service to converge"


@dataclass(frozen=True)
class Demand:
    """What a release has to show. `new`: no release of this stack has ever converged. `settle`: seconds for which the
    same containers run, or None: what has served before serves again as soon as it can, and is not asked either.
    `converge`, `answer`, `back`: seconds until every service has converged, until every edge passes on an answer, and
    for the way back.
    """

    new: bool
    boot: bool
    settle: int | None
    answer: int
    converge: int
    back: int


def demand(plan: Plan, new: bool, boot: bool) -> Demand:
    """Damaged where the settings do not say it: before anything is changed."""
    converge = plan.settings.number("TWINHOST_CONVERGE_SECONDS")
    back = plan.settings.number("TWINHOST_BACK_SECONDS")
    # what was tried answers already, and has shown that it continues to run
    settle: int | None = budgets.SETTLE
    answer = budgets.EDGES
    if new and not plan.default_page:
        settle, answer = budgets.STEADY, plan.start_seconds + budgets.EDGES
    elif boot and not new:
        settle = None
    return Demand(new, boot, settle, answer, converge, back)


def roll_out(lease: Lease, context: Context, docker: Docker, plan: Plan, wanted: Demand) -> Converged:
    """Has every service run this release, and notes it. GivenUp where they do not: then the release before was brought
    back, if there is one.
    """
    before = last_updates(context)
    try:
        deploy(lease, context, docker, plan)
        found = _watch(context, plan, wanted, Watch(context, before, wanted.new, wanted.boot))
    except GivenUp as end:
        _go_back(context, end.failed, wanted.back)
        raise
    note_converged(context, lease, plan, found)
    return found


def _watch(context: Context, plan: Plan, wanted: Demand, watch: Watch) -> Converged:
    if wanted.settle is None:
        return watch.wait_until_converged(wanted.converge, _CONVERGE)
    try:
        found = watch.wait_until_converged(wanted.converge, _CONVERGE, wanted.settle)
    except GivenUp as end:
        why = why_application(context, plan, ended=True) if wanted.new else ""
        raise GivenUp(Failed(f"{end.reason}{why}", end.failed.task)) from None
    attempt = whole(lambda: check_edges(context, plan))
    try:
        wait_for(context.clock, wanted.answer, "every edge to pass on an answer of the application", attempt)
    except (TimedOut, Hopeless) as end:
        raise GivenUp(Failed(f"{end.reason}{why_application(context, plan, ended=False)}")) from None
    return found


def _go_back(context: Context, failed: Failed, seconds: int) -> None:
    """The end of a release that did not converge. Swarm rolls back service by service; what belongs together is put
    back together: by the code of the release that converged last, to this very release, too, with the image that it
    had.
    """
    if failed.task:
        quote_task(failed.task)
    log(failed.reason)
    try:
        note = converged(context)
        if note is None:
            return
        folder = obtain(context, note)
    except Problem as problem:
        # nothing to go back to can be had: what runs now stays, and the end of this release says why
        log(f"the release before cannot be brought back: {problem.reason}")
        return
    root = context.machine.paths.root
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME") or "/root",
        "TWINHOST_ROOT": "" if str(root) == "/" else str(root),
    }
    command = ["bash", str(folder / "docker/host/release.sh"), "--back"]
    with signals_wait():
        try:
            # it has this machine's lock even where this release is killed
            pass_on(command, seconds - budgets.BACK_END, environment, budgets.BACK_END, open_locks())
        except (Problem, OSError) as problem:
            log(f"the release before was not brought back: {problem}")
