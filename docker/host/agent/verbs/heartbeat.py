"""Reads the cluster record, which gives this machine the lease for 30 s, and advances this manager's counter in it."""

from __future__ import annotations

from agent.context import Context
from agent.decide.beating import UNKNOWN, Membership, beat, membership
from agent.decide.cluster_record import Record
from agent.errors import Damaged, Problem, Unavailable
from agent.founding import is_founding
from agent.log import log


def run(context: Context, _: list[str]) -> None:
    machine = context.machine
    machine.paths.volatile.mkdir(parents=True, exist_ok=True)
    if not machine.instance:
        return  # before the first bootstrap has asked for it
    record = _read(context)
    # the heartbeat of a machine whose engine does not answer, or that is no manager any more, stands still
    if record is None or not context.engine.answers():
        return
    instance, address = machine.identity()
    due = beat(record, _membership(context), machine.own_cluster(), instance, is_founding(machine.paths))
    if due is not None:
        context.record.beat(due.generation, instance, due.leader, address)


def _read(context: Context) -> Record | None:
    """The record; None where it cannot be read, which is logged once, as is the end of that."""
    unreadable = context.machine.paths.volatile / "unreadable"
    try:
        record = _refresh(context)
    except Problem as problem:
        if not unreadable.exists():
            log(f"the cluster record cannot be read: {problem.reason}")
        unreadable.touch()
        return None
    if unreadable.exists():
        log("the cluster record can be read again")
        unreadable.unlink()
    return record


def _refresh(context: Context) -> Record:
    try:
        return context.record.refresh().record
    except Damaged:
        # this machine's own heartbeat it can mend; anything else is for a person
        if not context.record.mend(*context.machine.identity()):
            raise
    log("this machine's heartbeat in the cluster record was damaged, and begins anew")
    return context.record.refresh().record


def _membership(context: Context) -> Membership:
    try:
        return membership(context.engine.info())
    except Unavailable:
        return UNKNOWN
