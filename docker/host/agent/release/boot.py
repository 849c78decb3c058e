"""A boot: deploys this folder's release, and only where the cluster has none yet. The founder deploys; another host
does so only where the founder did not come to it.
"""

from __future__ import annotations

import contextlib

from agent import budgets
from agent.clock import wait_for
from agent.context import Context
from agent.decide.convergence import Converged
from agent.errors import Damaged, Unavailable
from agent.log import log
from agent.record import last_seen
from agent.release.application import write_application
from agent.release.images import have_edge_image, resolve_application
from agent.release.lock import cluster_lock
from agent.release.report import Report
from agent.release.rollout import demand, roll_out
from agent.release.secrets import bring_secrets, note_secrets
from agent.release.stack import services_run
from agent.release.steps import hold_machine_lock, is_first, learn_own, prepare, take_lease
from agent.release.waiting import whole


def boot(context: Context, report: Report, after: contextlib.ExitStack) -> Converged | None:
    """None where there is nothing to do for this machine; otherwise raises the reason why the release has failed.
    `after`: what is put in order when the end has been reported.
    """
    learn_own(context, report)
    seconds = context.settings().number("TWINHOST_TURN_SECONDS")
    hold_machine_lock(context, after, seconds)
    if not context.machine.is_host:
        log(f"this witness has release {context.machine.sha}")
        return None
    _read_record(context)
    _give_the_founder_time(context)
    if _serves_already(context):
        return None
    lease = take_lease(context)
    prepared = prepare(context, patiently=True)
    docker, plan = resolve_application(
        lease, context, prepared.docker, prepared.plan, after, anew=False, patiently=True
    )
    prepared.check_files(context, docker, plan)
    if after.enter_context(cluster_lock(context, seconds)):
        if _serves_already(context):
            return None
        # another release may have noted what an image stands for
        docker, plan = have_edge_image(context, docker, plan, patiently=True)
    lease = take_lease(context)
    new = is_first(context)
    note_secrets(context)
    plan = write_application(context, plan, bring_secrets(lease, context, plan.settings, {}))
    return roll_out(lease, context, docker, plan, demand(plan, new, boot=True))


def _read_record(context: Context) -> None:
    """For the founder's name alone; the lease is taken later."""
    with contextlib.suppress(Unavailable, Damaged, OSError):
        context.record.refresh()


def _give_the_founder_time(context: Context) -> None:
    """Until the cluster runs something, where another machine is to see to that."""
    limit = context.clock.uptime() + budgets.FOUNDER_FIRST
    own = context.machine.identity()[0]
    while not _runs_something(context) and _founder(context) != own and context.clock.uptime() <= limit:
        context.clock.sleep(1)


def _runs_something(context: Context) -> bool:
    """Where Swarm does not say so, there is more to wait for."""
    try:
        return services_run(context)
    except (Unavailable, Damaged):
        return False


def _founder(context: Context) -> str | None:
    try:
        seen = last_seen(context.machine.paths)
    except Damaged:
        return None
    return seen.record.founder if seen else None


def _serves_already(context: Context) -> bool:
    """Whether the cluster runs a release already, which has converged. TimedOut where Swarm does not say."""
    attempt = whole(lambda: services_run(context))
    runs = wait_for(context.clock, budgets.SAYS_WHAT_RUNS, "Swarm to say what it runs", attempt)
    return runs and not is_first(context)
