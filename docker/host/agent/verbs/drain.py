"""Leaves without a failed request. Called when this machine is shut down or Docker is stopped; where its auto scaling
group ends it, it also leaves the Swarm and the record, and has the group continue. Otherwise it stays a member, and
is active again afterwards.

--notice: said by the timer: does all that as soon as the metadata service says that the group ends this machine.
"""

from __future__ import annotations

from agent import aws, budgets
from agent.clock import wait_for
from agent.context import Context
from agent.errors import Damaged, NotYet, TimedOut, Unavailable
from agent.leaving import leave_swarm, retire, step_down
from agent.locks import held
from agent.log import log, quote
from agent.metadata import metadata

_LIFECYCLE_PACE = 5


def run(context: Context, arguments: list[str]) -> None:
    machine = context.machine
    state, volatile = machine.paths.state, machine.paths.volatile
    state.mkdir(parents=True, exist_ok=True)
    volatile.mkdir(parents=True, exist_ok=True)
    left = volatile / "left"
    # no bootstrap has run here: there is nothing to leave
    if not machine.instance or left.exists():
        return
    ended = is_ended(context)
    if not ended and arguments[:1] == ["--notice"]:
        return
    with held(volatile / "drain.lock", budgets.DRAIN_LOCK):
        if not left.exists():
            _leave(context, ended)


def is_ended(context: Context) -> bool:
    """Whether its group ends this machine. A metadata service that does not answer is no notice: what is said to end
    is drained either way, and only a machine that is known to end leaves permanently.
    """
    try:
        return metadata(context.clock, "autoscaling/target-lifecycle-state", attempts=2).strip() == "Terminated"
    except Unavailable:
        return False


def _leave(context: Context, ended: bool) -> None:
    machine = context.machine
    (machine.paths.volatile / "leaving").touch()
    why = "is ended by its group" if ended else "is shut down, or its Docker is stopped"
    log(f"this machine {why}: drains")
    if machine.own_cluster() is not None and context.engine.answers():
        _note_drained(context)
        if machine.is_host:
            retire(context)
        if ended:
            step_down(context)
            leave_swarm(context)
    else:
        log("Docker does not answer, or this machine is in no Swarm: there is nothing to drain")
    if ended:
        (machine.paths.volatile / "left").touch()
        try:
            wait_for(
                context.clock,
                budgets.LET_GO,
                "the group to let this machine go",
                lambda: complete_lifecycle(context),
                _LIFECYCLE_PACE,
            )
        except TimedOut as problem:
            log(f"{problem.reason}: it does so when its hook has timed out")
    log("this machine may go")


def _note_drained(context: Context) -> None:
    """So that the next boot lets it serve again. Without the note it still drains: that is what it is for."""
    try:
        (context.machine.paths.state / "drained").touch()
    except OSError as error:
        quote("the disk", str(error))
        log("it cannot be noted that this machine is drained")


def complete_lifecycle(context: Context) -> None:
    """Has the group continue at once instead of after the hook's time-out. The hook begins when the balancer has let
    go of this machine; the notice comes before that. Unavailable or NotYet until then.
    """
    instance, _ = context.machine.identity()
    try:
        groups = aws.groups(context.machine.stack)
    except Damaged as problem:
        raise NotYet(problem.reason) from problem
    for group in groups:
        if any(one.id == instance for one in group.instances):
            aws.complete_lifecycle(group.name, instance)
            return
    raise NotYet("")
