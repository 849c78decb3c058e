"""Machines as AWS sees them, for the one who may have one of them replaced."""

from __future__ import annotations

from collections.abc import Sequence

from agent import aws
from agent.context import Context
from agent.decide.groups import Group
from agent.decide.targets import Target
from agent.errors import Damaged, Unavailable
from agent.journal import record_action
from agent.lease import Lease
from agent.log import log, quote


def known_targets(context: Context) -> Sequence[Target]:
    """What the balancer says of its targets; nothing where it does not say the whole, or this machine's release.json
    does not say which they are. Where no target is known, no machine may go: agent.decide.targets.
    """
    try:
        return context.targets()
    except (Unavailable, Damaged, OSError):
        return ()


def known_groups(context: Context) -> Sequence[Group] | None:
    """The auto scaling groups; None where they cannot be asked: then no instance counts as gone or missing, and none
    is replaced.
    """
    try:
        return aws.groups(context.machine.stack)
    except (Unavailable, Damaged) as problem:
        quote("aws", problem.reason)
        return None


def have_replaced(context: Context, lease: Lease, instance: str, why: str) -> None:
    """Its group terminates that instance and launches another one. Where the group cannot be told, the next look
    does it.
    """
    try:
        aws.have_replaced(lease, instance)
    except Unavailable as problem:
        quote("aws", problem.reason)
        log(f"{instance} could not be given to its group for replacement")
    else:
        record_action(context.machine, f"had {instance} replaced: {why}")
