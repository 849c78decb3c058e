"""Joins the recorded cluster through any of its managers; founds one where nobody is left who could be joined. A
machine with Swarm state on its disk is a survivor: it does neither. State of a join that was cut short is no such
state: it is completed where that was the recorded cluster, which would count this manager as a lost one otherwise.
"""

from __future__ import annotations

import socket

from agent import budgets, files, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.cluster_record import Record
from agent.decide.watch import Claim, Wait, next_step
from agent.engine import EngineRefused
from agent.errors import Damaged, NotYet, Problem, Refused, TimedOut, Unavailable
from agent.founding import founding
from agent.journal import forget, lasted
from agent.log import log, quote
from agent.record import AlreadyClaimed
from agent.swarm import asked_again, watch_record

_PORT = 2377
_CONTINUES = "will continue in the background"
# since when the record cannot be read
_AWAY = "record-away"
# A storage that stalls for this machine may do so for every other one, and stops every heartbeat. What stood still for
# so long meanwhile was not seen to stand still: the watch begins again. Two beats are missed in it.
_LONG = 2 * budgets.HEARTBEAT_PERIOD
# Swarm's networks are kept away from those of the machines: a VPC is in 10.0.0.0/8
_POOL = {"DefaultAddrPool": ["172.20.0.0/14"], "SubnetSize": 24}


def run(context: Context, _: list[str]) -> None:
    machine = context.machine
    machine.identity()
    machine.paths.volatile.mkdir(parents=True, exist_ok=True)
    machine.paths.state.mkdir(parents=True, exist_ok=True)
    try:
        state = context.engine.swarm_state()
    except (Unavailable, Damaged) as problem:
        quote("docker", problem.reason)
        raise Refused("Docker does not say whether this machine is in a Swarm") from problem
    if state != "inactive":
        if machine.own_cluster() is not None:
            log("has Swarm state on its disk: a survivor, which neither joins nor founds")
            return
        if _complete(context):
            return
        log("leaves what a join that was cut short has begun")
        _leave(context)
    forget(machine, "watch", _AWAY)
    _until_in_cluster(context)
    log(f"is in the cluster {machine.own_cluster()}")


def _complete(context: Context) -> bool:
    """Whether this machine, which has noted no cluster, was taken in by the recorded one, and has noted that now. A
    cluster of one manager, and this one, would lose its majority if this one left.
    """
    cluster = context.engine.seen_cluster()
    if cluster is None:
        return False
    try:
        recorded = context.record.show().cluster
    except (Unavailable, Damaged) as problem:
        raise Refused(f"a join was cut short, and the cluster record cannot be read: {problem.reason}") from problem
    if cluster != recorded:
        return False
    _note_cluster(context)
    log(f"completes a join that was cut short: is in the cluster {cluster}")
    return True


def _until_in_cluster(context: Context) -> None:
    """One look at the record each second, and what follows from it."""
    limit = context.clock.uptime() + budgets.JOIN
    said = ""
    while True:
        step = _step(context)
        if step is None:
            return
        if step.reason != said:
            log(f"waits for {step.reason}")
        said = step.reason
        if context.clock.uptime() >= limit:
            raise Refused(f"waited {budgets.JOIN} s for {step.reason}")
        context.clock.sleep(1)


def _step(context: Context) -> Wait | None:
    """One look at the record and what follows from it; None when this machine is in the cluster, else for what it
    waits.
    """
    instance, _ = context.machine.identity()
    try:
        watched = watch_record(context, context.record.show())
    except (Unavailable, Damaged) as problem:
        if lasted(context.machine, _AWAY, "yes") >= _LONG:
            forget(context.machine, "watch")
        return Wait(f"the cluster record to be readable: {problem.reason}")
    forget(context.machine, _AWAY)
    record = watched.record
    if record.cluster:
        for manager in record.managers:
            # one that sees no leader cannot take anybody in, and would take a while to say so
            if manager.leader and manager.instance != instance and _join_through(context, record, manager.address):
                return None
    step = next_step(watched, 0 if context.machine.is_host else budgets.HEAD_START)
    return _claim(context, step) if isinstance(step, Claim) else step


def _claim(context: Context, claim: Claim) -> Wait | None:
    with founding(context.machine.paths):
        try:
            context.record.claim(claim.generation, *context.machine.identity())
        except (AlreadyClaimed, Unavailable):
            # the record says in a moment who has won
            return Wait("the winner of a claim")
        _found(context, claim.generation)
    return None


def _join_through(context: Context, record: Record, address: str) -> bool:
    """Whether that manager has taken this machine in; if not, no Swarm state is left behind."""
    if not _is_reachable(address):
        return False
    log(f"joins generation {record.generation} through {address}")
    try:
        token = context.record.token(record.generation)
        more: dict[str, object] = {"RemoteAddrs": [f"{address}:{_PORT}"], "JoinToken": token}
        _ask_to_join(context, {**_own_part(context), **more})
        _note_cluster(context)
    except Problem as problem:
        log(f"{address} did not take this machine in: {problem.reason}")
    else:
        return True
    try:
        if context.engine.swarm_state() != "inactive":
            _leave(context)
    except (Unavailable, Damaged) as problem:
        quote("docker", problem.reason)  # the next attempt fails by what is left, and says so
    return False


def _ask_to_join(context: Context, body: dict[str, object]) -> None:
    """Docker gives up waiting after 20 s, and not the join: that may have made this machine a manager already.
    https://github.com/moby/moby/blob/v25.0.14/daemon/cluster/swarm.go, Join
    """
    try:
        context.engine.post("/swarm/join", body, budgets.ENGINE_SWARM)
    except EngineRefused as refusal:
        if _CONTINUES not in refusal.reason:
            raise


def _is_reachable(address: str) -> bool:
    """Whether something listens there where managers do; a join through a dead address would hang for 20 s."""
    try:
        socket.create_connection((address, _PORT), 2).close()
    except OSError:
        return False
    return True


def _found(context: Context, generation: int) -> None:
    """This machine has claimed that generation: makes a Swarm, and says so in the record."""
    log(f"founds generation {generation}")
    try:
        context.engine.post("/swarm/init", {**_own_part(context), **_POOL}, budgets.ENGINE_SWARM)
    except (Unavailable, Damaged) as problem:
        quote("docker", problem.reason)
        raise Refused("the Swarm could not be founded") from problem
    try:
        _note_cluster(context)
    except TimedOut as problem:
        log(problem.reason)
        raise Refused("the Swarm that was founded sees no leader") from problem
    wait_for(
        context.clock,
        budgets.FOUNDED,
        "the shared storage to take the founding down",
        asked_again(lambda: note_founding(context, generation)),
    )


def note_founding(context: Context, generation: int) -> None:
    """The token goes from the engine into the record without being an argument or a line of a log. Nothing is noted
    without it: a machine that sees a cluster in the record joins it. The founder sees a leader: itself. NotYet,
    Unavailable or Damaged where it could not be noted.
    """
    instance, address = context.machine.identity()
    cluster = context.machine.own_cluster()
    if cluster is None:
        raise NotYet("the founded cluster has no id")
    token = shape.filled(context.engine.get("/swarm"), "JoinTokens", "Manager")
    context.record.found(generation, cluster, token)
    context.record.beat(generation, instance, True, address)


def _note_cluster(context: Context) -> None:
    """Waits until this manager sees a leader, and notes the cluster's id; TimedOut where it sees none, Unavailable
    where the disk does not take the note.
    """

    def attempt() -> str:
        cluster = context.engine.cluster()
        if cluster is None:
            raise NotYet("")
        return cluster

    cluster = wait_for(context.clock, budgets.NEW_LEADER, "a leader", asked_again(attempt))
    try:
        files.write(context.machine.paths.state / "cluster-id", f"{cluster}\n")
    except OSError as error:
        raise Unavailable(f"the cluster cannot be noted: {error}") from error


def _own_part(context: Context) -> dict[str, object]:
    _, address = context.machine.identity()
    return {
        "ListenAddr": f"0.0.0.0:{_PORT}",
        "AdvertiseAddr": address,
        "Availability": "active" if context.machine.is_host else "drain",
    }


def _leave(context: Context) -> None:
    context.engine.post("/swarm/leave?force=true", None, budgets.ENGINE_SWARM)
