"""What the three programs of a release have in common: one at a time on a machine, only with the lease, and never on a
witness; and the files and images of which the stack is made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from agent import shape
from agent.context import Context
from agent.errors import Damaged, NotAllowed, Refused, Unavailable
from agent.lease import Lease, lease
from agent.locks import held
from agent.log import log
from agent.release.checks import check_files
from agent.release.docker import Docker
from agent.release.files import ServiceFile, render_files, write_configs
from agent.release.images import have_edge_image
from agent.release.plan import Plan, create_plan, make_folders
from agent.release.report import Report
from agent.releases import converged


@dataclass(frozen=True)
class Prepared:
    """What is deployed, as far as the edge is concerned, its files, and Docker's command line with the login that its
    image needs.
    """

    docker: Docker
    plan: Plan
    files: Sequence[ServiceFile]

    def check_files(self, context: Context, docker: Docker, plan: Plan) -> None:
        check_files(context, docker, plan, self.files)


def hold_machine_lock(context: Context, after: contextlib.ExitStack, seconds: int) -> None:
    """One release at a time on this machine, until `after` ends."""
    try:
        after.enter_context(held(context.machine.paths.volatile / "release.lock", seconds))
    except Refused:
        raise Refused(f"waited {seconds} s for another release to end") from None


def take_lease(context: Context) -> Lease:
    """By the record as it is now. Refused with the reason where this machine may change nothing."""
    # what cannot be read, or kept, gives no lease
    with contextlib.suppress(Unavailable, Damaged, OSError):
        context.record.refresh()
    try:
        return lease(context.machine)
    except NotAllowed as problem:
        raise Refused(f"changes nothing: {problem.reason}") from None


def prepare(context: Context, patiently: bool) -> Prepared:
    """Everything that is written and pulled for the edge. `patiently`: see have_edge_image."""
    log(f"applies release {context.machine.sha}")
    plan = create_plan(context)
    make_folders(context)
    files = render_files(context, plan)
    write_configs(context, files)
    docker, plan = have_edge_image(context, Docker(), plan, patiently)
    return Prepared(docker, plan, files)


def is_first(context: Context) -> bool:
    """Whether no release of this stack has ever converged; no where that cannot be told: a new application has its
    trial then.
    """
    try:
        return converged(context) is None
    except (Unavailable, Damaged):
        return False


def learn_own(context: Context, report: Report) -> None:
    """This is about the release in this folder, until another one is named."""
    report.learn(shape.mapping(context.release_note()))
