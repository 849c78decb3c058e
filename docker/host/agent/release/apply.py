"""A deploy: brings the release that the parameter names to the cluster, and waits until every service serves."""

from __future__ import annotations

import contextlib

from agent import shape
from agent.context import Context
from agent.decide.convergence import Converged
from agent.errors import Damaged, Refused, Unavailable
from agent.locks import is_free
from agent.log import log, quote
from agent.release.application import runs_already, write_application
from agent.release.checks import check_health
from agent.release.ending import hand_over
from agent.release.images import have_edge_image, resolve_application
from agent.release.lock import cluster_lock
from agent.release.report import Report
from agent.release.rollout import demand, roll_out
from agent.release.secrets import bring_secrets, note_secrets
from agent.release.steps import hold_machine_lock, is_first, learn_own, prepare, take_lease
from agent.release.trial import try_application
from agent.releases import install, named, obtain


def apply(context: Context, anew: bool, report: Report, after: contextlib.ExitStack) -> Converged | None:
    """None where there is nothing to do for this machine; otherwise raises the reason why the release has failed.
    `anew`: a release that has converged already takes the image that the tag of appImage means now. `after`: what is
    put in order when the end has been reported.
    """
    learn_own(context, report)
    bootstrap = context.machine.paths.volatile / "bootstrap.lock"
    if not bootstrap.exists() or not is_free(bootstrap):
        log("does nothing: bootstrap runs, and brings this machine to the release that converged last")
        return None
    _learn_named(context, report)
    seconds = context.settings().number("TWINHOST_TURN_SECONDS")
    hold_machine_lock(context, after, seconds)
    _go_over_to_named(context, report, anew)
    if not context.machine.is_host:
        install(context, context.machine.release)
        log(f"this witness has release {context.machine.sha}")
        return None
    lease = take_lease(context)
    prepared = prepare(context, patiently=False)
    docker, plan = resolve_application(lease, context, prepared.docker, prepared.plan, after, anew, patiently=False)
    check_health(docker, plan)
    prepared.check_files(context, docker, plan)
    if _lock_cluster(context, report, anew, seconds, after):
        # another release may have noted what an image stands for
        docker, plan = have_edge_image(context, docker, plan, patiently=False)
    lease = take_lease(context)
    new = is_first(context)
    note_secrets(context)
    plan = write_application(context, plan, bring_secrets(lease, context, plan.settings, {}))
    if not new and not plan.default_page and not plan.maintenance and not runs_already(context, plan):
        plan = try_application(lease, context, docker, plan, after)
        lease = take_lease(context)
    converged = roll_out(lease, context, docker, plan, demand(plan, new, boot=False))
    install(context, context.machine.release)
    return converged


def _learn_named(context: Context, report: Report) -> dict[str, object]:
    """The release that is to be applied, of which this is about from now on."""
    try:
        note = named(context)
    except (Unavailable, Damaged):
        raise Refused(f"the parameter {context.machine.release_parameter} could not be read") from None
    report.learn(note)
    return note


def _go_over_to_named(context: Context, report: Report, anew: bool) -> None:
    """Goes over to the code of the release that is to be applied, so that files and code are of one release."""
    note = _learn_named(context, report)
    try:
        folder = obtain(context, note)
    except (Unavailable, Damaged) as problem:
        quote("the release", problem.reason)
        raise Refused(f"the release could not be fetched: {shape.compact(note)}") from None
    if folder.resolve() != context.machine.release.resolve():
        hand_over(folder, *(["--resolve"] if anew else []))


def _lock_cluster(context: Context, report: Report, anew: bool, seconds: int, after: contextlib.ExitStack) -> bool:
    """Has the lock of the cluster until `after` ends. Whether another release had it first: then, after what may have
    been many minutes, another one may be named.
    """
    waited = False
    while True:
        lock = after.enter_context(contextlib.ExitStack())
        if not lock.enter_context(cluster_lock(context, seconds)):
            return waited
        waited = True
        _learn_named(context, report)
        if report.deploy.sha == context.machine.sha:
            return waited
        lock.close()
        _go_over_to_named(context, report, anew)
