"""twinhost tickets: has the edge of this host use the keys of session tickets that both hosts share. Where the storage
cannot be had, what is there stays; an edge that has none begins with its own.
"""

from __future__ import annotations

from agent import budgets
from agent.context import Context
from agent.errors import Damaged, Unavailable
from agent.locks import held
from agent.log import log
from agent.tickets import fetch, hand_over


def run(context: Context, _: list[str]) -> None:
    """A witness serves nothing."""
    machine = context.machine
    if not machine.is_host:
        return
    lost = machine.paths.volatile / "no-tickets"
    with held(machine.paths.volatile / "tickets.lock", budgets.TICKETS_LOCK):
        if not machine.mounted():
            return
        try:
            keys = fetch(context)
        except (Unavailable, Damaged) as problem:
            if not lost.exists():
                log(f"the keys of session tickets cannot be had; those that are there stay: {problem.reason}")
            lost.touch()
            return
        if lost.exists():
            log("the keys of session tickets can be had again")
            lost.unlink()
        if hand_over(machine, keys):
            log("gives the edge other keys of session tickets")
