"""How a machine leaves: what runs on it ends without a failed request, and its cluster and the record lose it.

Nothing here needs a lease: a machine may always take itself out. Each part has its own limit (the OUT_ values of
budgets): a shutdown and a termination give only so much time, and the next part is worth more than the rest of one.
"""

from __future__ import annotations

import time
from pathlib import Path

from agent import budgets, files, shape
from agent.clock import wait_for
from agent.contained import contained
from agent.context import Context
from agent.decide.stack import EDGE
from agent.engine import filters
from agent.errors import Damaged, NotYet, Problem, TimedOut, Unavailable
from agent.log import log, quote
from agent.machine import Settings
from agent.process import run
from agent.swarm import spread

_SERVICE_NAME = "com.docker.swarm.service.name"
# as long as the agent would wait for a replica of an application whose settings cannot be read; the part ends first
_START = Settings({"TWINHOST_APP_START_SECONDS": "30"})


def retire(context: Context) -> None:
    """Takes this machine out of service: the edge drains, and goes when the balancer has noticed, and so does
    everything else that Swarm runs here. The application is elsewhere before it ends here. Raises nothing that is
    expected: what cannot be done is in the log, and the rest follows.
    """
    _announce(context)
    node = _led_node(context)
    if node is not None:
        _spread(context, node)
        if _drain(node):
            try:
                limit = budgets.OUT_EDGE - budgets.ENGINE_LOOK
                wait_for(context.clock, limit, "what runs here to end", lambda: require_nothing_runs(context))
            except TimedOut as problem:
                log(problem.reason)
            return
    # without a leader nobody starts again what ends here
    _stop(f"{_SERVICE_NAME}={EDGE}", budgets.STOP_EDGE, budgets.OUT_EDGE - budgets.TERM_GRACE)
    _stop("com.docker.swarm.service.id", budgets.STOP_OTHERS, budgets.OUT_SPREAD - budgets.TERM_GRACE)


def step_down(context: Context) -> None:
    """Makes this manager a worker, so that the majority is one of those that stay. Where that cannot be, the machine
    leaves as the manager that it is.
    """
    node = _led_node(context)
    if node is None:
        return
    try:
        run(["docker", "node", "demote", node], budgets.DEMOTE, grace=budgets.TERM_GRACE)
        wait_for(context.clock, budgets.DEMOTE, "its demotion", lambda: require_demoted(context))
    except (Unavailable, Damaged, TimedOut) as problem:
        quote("the demotion", problem.reason)
        return
    log("is a manager no longer")


def leave_swarm(context: Context) -> None:
    """Forgets the Swarm, and has the record forget this manager. Where the engine or the storage does not answer, or
    the disk takes no change any more, the rest follows all the same: another manager removes what is left behind.
    """
    instance, _ = context.machine.identity()
    try:
        context.engine.post("/swarm/leave?force=true", None, budgets.OUT_LEAVE - budgets.STORAGE)
    except (Unavailable, Damaged) as problem:
        quote("Docker", problem.reason)
        log("the Swarm could not be left")
    state = context.machine.paths.state
    for note in ("cluster-id", "drained"):
        _remove(state / note)
    try:
        context.record.leave(instance)
    except (Unavailable, Damaged) as problem:
        quote("the record", problem.reason)


def require_nothing_runs(context: Context) -> None:
    """NotYet, with the names of their services, while containers of services run here, and while the engine's answer
    cannot be read.
    """
    query = filters({"label": _SERVICE_NAME})
    try:
        found = shape.items(context.engine.get(f"/containers/json?{query}", budgets.ENGINE_LOOK))
        names = [shape.text(one, "Labels", _SERVICE_NAME) for one in found]
    except Damaged as problem:
        raise NotYet(problem.reason) from problem
    if names:
        raise NotYet(" ".join(names))


def require_demoted(context: Context) -> None:
    """NotYet while this machine is a manager, and while the engine's answer cannot be read."""
    try:
        manager = shape.truth(context.engine.info(), "Swarm", "ControlAvailable")
    except Damaged as problem:
        raise NotYet(problem.reason) from problem
    if manager:
        raise NotYet("")


def _remove(note: Path) -> None:
    try:
        note.unlink(missing_ok=True)
    except OSError as error:
        quote("the disk", str(error))


def _announce(context: Context) -> None:
    """The edge goes, whether another one serves or not."""
    tls = context.machine.paths.state / "tls"
    if not tls.is_dir():
        return
    try:
        files.write(tls / "retire", "")
    except OSError as error:
        quote("the disk", str(error))
        log("the edge cannot be told that this machine goes")


def _led_node(context: Context) -> str | None:
    """This machine's id as a node of a Swarm whose leader it sees. None where it sees none, and where that cannot be
    asked: what runs here is then ended by its own engine, which needs nobody.
    """
    try:
        return context.engine.own_node() if context.engine.cluster() is not None else None
    except (Unavailable, Damaged):
        return None


def _spread(context: Context, node: str) -> None:
    """One more replica elsewhere, in a child that can be ended: whichever manager leads completes what it began."""
    limit = budgets.OUT_SPREAD - budgets.TERM_GRACE
    try:
        done = contained(limit, "the spread of the application", lambda: spread(context, _START, node), speaks=True)
    except Problem as problem:
        # the application ends here without a replica elsewhere, as it would without the attempt
        log(problem.reason)
        return
    if done is not None:
        log(done)


def _drain(node: str) -> bool:
    """Whether Swarm ends what runs here. Where it does not say so, the engine is asked for the same."""
    limit = budgets.OUT_DRAIN - budgets.TERM_GRACE
    try:
        run(["docker", "node", "update", "--availability", "drain", node], limit, grace=budgets.TERM_GRACE)
    except Unavailable as problem:
        quote("docker", problem.reason)
        return False
    return True


def _stop(label: str, seconds: int, limit: float) -> None:
    """Ends the containers with that label, each within so many seconds, and all of it within `limit`."""
    end = time.monotonic() + limit
    try:
        found = run(["docker", "ps", "-q", "-f", f"label={label}"], budgets.LIST, grace=budgets.TERM_GRACE).split()
        if found:
            run(["docker", "stop", "-t", str(seconds), *found], end - time.monotonic(), grace=budgets.TERM_GRACE)
    except Unavailable as problem:
        quote("docker", problem.reason)
