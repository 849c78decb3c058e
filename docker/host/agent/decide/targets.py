"""What the balancer says of the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# of these, a target group says that no client is sent there
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
_OUT = frozenset({"initial", "unhealthy", "unused", "draining"})


@dataclass(frozen=True)
class Target:
    """A machine as one of the balancer's target groups calls it."""

    group: str
    instance: str
    state: str


def serves(targets: Sequence[Target], instance: str) -> bool:
    """Whether clients may be sent there, for all that any target group says: healthy, or a state that does not rule
    it out.
    """
    return any(one.instance == instance and one.state not in _OUT for one in targets)


def healthy(targets: Sequence[Target], instance: str) -> bool:
    """Whether every target group calls it healthy."""
    groups = {one.group for one in targets}
    return bool(groups) and groups == {
        one.group for one in targets if one.instance == instance and one.state == "healthy"
    }


def spare(targets: Sequence[Target], instance: str, others: Iterable[str]) -> bool:
    """Whether it may go: it serves nobody, or another one is healthy. Where no target is known, nobody may."""
    if not targets:
        return False
    return not serves(targets, instance) or any(other != instance and healthy(targets, other) for other in others)
