"""Keeps the cluster whole. The leader, or a manager that stands in for a leader that cannot read the record, does its
work (agent.leading). Any other machine follows the recorded cluster when it is in another one, records a cluster of
its own where that founding was cut short, brings the first release to a cluster that has none, catches up with a
release that it has missed, and where nobody has seen a leader for long, has one lost manager replaced, so that a fresh
machine comes and founds.
"""

from __future__ import annotations

from agent import budgets, releases
from agent.cli import main
from agent.clock import wait_for
from agent.context import Context
from agent.decide import following, rescuing
from agent.decide.cluster_record import Record
from agent.decide.stack import OF_STACK
from agent.decide.standing_in import stands_in
from agent.decide.watch import Wait, Watched
from agent.errors import Damaged, NotAllowed, NotYet, Problem, TimedOut, Unavailable
from agent.founding import founding
from agent.journal import forget, lasted, log_once, record_action
from agent.leading import lead
from agent.lease import lease
from agent.leaving import leave_swarm, retire
from agent.locks import is_free, try_held
from agent.log import log
from agent.machine import Machine, Settings
from agent.process import run as run_program
from agent.record import AlreadyClaimed, last_seen
from agent.replacing import have_replaced, known_groups, known_targets
from agent.swarm import activate, asked_again, nodes, release_runs, watch_record
from agent.verbs.join import note_founding

# so long a machine stays with its own release after another one has converged: it is taken along by then
_BEHIND = 300
# until systemd has taken an order
_SYSTEMD = 30


def run(context: Context, _: list[str]) -> int | None:
    paths = context.machine.paths
    paths.state.mkdir(parents=True, exist_ok=True)
    paths.volatile.mkdir(parents=True, exist_ok=True)
    settings = context.settings()
    with try_held(paths.volatile / "heal.lock") as mine:
        if not mine or not _may_begin(context.machine):
            return None
        try:
            return _heal(context, settings)
        except NotAllowed as refusal:
            log_once(context.machine, f"nothing is changed: {refusal.reason}")
    return None


def _may_begin(machine: Machine) -> bool:
    """This boot's bootstrap comes first, and a machine that leaves changes nothing."""
    bootstrap = machine.paths.volatile / "bootstrap.lock"
    return machine.instance is not None and bootstrap.exists() and is_free(bootstrap) and not _leaves(machine)


def _leaves(machine: Machine) -> bool:
    return (machine.paths.volatile / "leaving").exists()


def _heal(context: Context, settings: Settings) -> int | None:
    machine = context.machine
    own = machine.own_cluster()
    if own is None:
        log_once(machine, "this machine is in no cluster: bootstrap is started again")
        _start_bootstrap()
        return None
    if not context.engine.answers():
        log_once(machine, "Docker does not answer")
        return None
    try:
        watched = watch_record(context, context.record.refresh().record)
    except (Unavailable, Damaged):
        # `heartbeat` has logged why
        log_once(machine, "the cluster record cannot be read: nothing is changed")
        _forget_what_is_old(machine)
        return None
    recorded = watched.record.cluster
    if not recorded:
        _complete_founding(context, watched.record, own)
        return None
    if recorded != own:
        return _follow(context, watched)
    lease(machine)
    if context.engine.sees_leader():
        _keep_whole(context, settings, watched)
    else:
        # who is lost is decided by the record alone: an engine without a leader may not answer at all
        _rescue(context, watched)
    return None


def _complete_founding(context: Context, record: Record, own: str) -> None:
    """A founder that has died, or could not write for long, between its Swarm and the record would be in a cluster
    that nobody can join, and that holds up every survivor. Where another machine has claimed the next generation
    meanwhile, what is written into this one counts no longer.
    """
    machine = context.machine
    instance, _ = machine.identity()
    if not following.has_founded(record, instance, own, context.engine.seen_cluster()):
        log_once(machine, "a new cluster is being founded")
        return
    try:
        with founding(machine.paths):
            note_founding(context, record.generation)
    except (NotYet, Unavailable, Damaged) as problem:
        log_once(machine, f"the founding of generation {record.generation} is not recorded yet: {problem.reason}")
        return
    record_action(machine, f"recorded the founding of generation {record.generation}, which was cut short")


def _keep_whole(context: Context, settings: Settings, watched: Watched) -> None:
    machine = context.machine
    try:
        wait_for(context.clock, budgets.ACTIVE, "this machine to be active", asked_again(lambda: _activate(context)))
    except TimedOut as problem:
        log(problem.reason)
    if _is_in_charge(context, watched):
        lead(context, settings)
    else:
        log_once(machine, "")
        forget(machine, "heal-since")
    _begin(context)
    # the last: what this runs from may be removed by it
    _catch_up(context, watched.record.release)


def _activate(context: Context) -> None:
    if not _leaves(context.machine):  # drain has begun since: the mark that this machine is drained is its own
        activate(context)


def _is_in_charge(context: Context, watched: Watched) -> bool:
    """Whether this manager does the leader's work; no where Swarm does not say who leads: the next look is near."""
    instance, _ = context.machine.identity()
    try:
        return context.engine.leads() or stands_in(nodes(context), watched, instance)
    except (Unavailable, Damaged):
        return False


def _begin(context: Context) -> None:
    """A cluster without a service never got its first release, or it failed: bootstrap brings it, as on a boot."""
    if not context.machine.is_host:
        return
    try:
        services = context.engine.services(label=OF_STACK)
    except (Unavailable, Damaged):
        return  # only a list that is known to be empty begins anything
    if services:
        return
    log_once(context.machine, "the cluster has no service: bootstrap is started again, which brings it the release")
    _start_bootstrap()


def _catch_up(context: Context, sha: str) -> None:
    """A machine that has missed a release goes over to `sha`, the one that converged last, as its next boot would:
    verbs, units, settings. Never to a newer one, and not while one is under way, which takes this machine along by
    itself.
    """
    machine = context.machine
    if not sha or sha == machine.sha:
        forget(machine, "behind")
        return
    if lasted(machine, "behind", sha) < _BEHIND:
        return
    try:
        if release_runs(context):
            return
        converged = releases.converged(context)
    except (Unavailable, Damaged):
        return  # which one it is has to be known
    if converged is None or converged.get("sha256") != sha:
        return
    lease(machine)
    try:
        folder = releases.obtain(context, converged)
    except Problem:
        # why not is in the log
        log_once(machine, f"release {sha}, which converged last, cannot be fetched")
        return
    releases.install(context, folder)
    record_action(machine, f"went over to release {sha}, which converged last and which this machine had missed")


def _rescue(context: Context, watched: Watched) -> None:
    """This manager sees no leader. When nobody has for long, one of the managers whose heartbeat does not beat is
    replaced.
    """
    machine = context.machine
    instance, _ = machine.identity()
    record = watched.record
    since_last = lasted(machine, "rescue", f"{record.generation}/{record.rescues}")
    if not rescuing.is_due(watched, since_last, machine.limits.leaderless):
        log_once(
            machine, "no manager sees a leader: what runs goes on running, and a fresh machine may found a cluster"
        )
        return
    groups = known_groups(context)
    if groups is None:
        log_once(machine, "no manager sees a leader, and the auto scaling groups cannot be asked")
        return
    chosen = rescuing.rescue(watched, groups, known_targets(context), instance)
    if chosen is None:
        log_once(machine, "no manager sees a leader, and there is no lost manager that may be replaced now")
        return
    permission = lease(machine)
    try:
        context.record.rescue(record.generation, chosen.number, instance)
    except (AlreadyClaimed, Unavailable):
        return  # not claimed, as far as is known: nothing is replaced
    why = f"nobody has seen a leader for {rescuing.leaderless(watched)} s, and its heart does not beat"
    have_replaced(context, permission, chosen.instance, why)


def _follow(context: Context, watched: Watched) -> int | None:
    """Leaves the cluster that this machine is in and joins the recorded one, which must live."""
    machine = context.machine
    instance, _ = machine.identity()
    # the balancer is asked for a host of a cluster that lives, and not otherwise
    targets = known_targets(context) if machine.is_host and watched.sees_leader else []
    step = following.next_step(watched, instance, machine.is_host, targets)
    if isinstance(step, Wait):
        log_once(machine, step.reason)
        return None
    record_action(machine, f"leaves its cluster and follows the recorded one, generation {step.generation}")
    retire(context)
    leave_swarm(context)
    return main(["bootstrap"])


def _start_bootstrap() -> None:
    run_program(["systemctl", "start", "--no-block", "twinhost-bootstrap.service"], _SYSTEMD)


def _forget_what_is_old(machine: Machine) -> None:
    """What was seen so long ago is no beginning of anything: a storage that stalls stops every heartbeat."""
    try:
        seen = last_seen(machine.paths)
    except (Damaged, OSError):
        seen = None
    if seen is None or machine.clock.uptime() - seen.read > budgets.FRESH:
        forget(machine, "heal-since", "watch")
