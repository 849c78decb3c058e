"""Whether an order of a certificate can succeed: each check raises NotYet with what is in the way. There is no other
yes than all of them without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.decide.targets import Target
from agent.errors import NotYet


def check_balancer(name: str, addresses: Sequence[str]) -> None:
    """`addresses` are the IPv4 addresses of the balancer's own name."""
    if not addresses:
        raise NotYet(f"the balancer's name {name} has no address yet")


def check_ipv4(name: str, addresses: Sequence[str], balancer: Sequence[str]) -> None:
    """A name of the site has addresses, and all of them are the balancer's."""
    if not addresses:
        raise NotYet(f"{name} has no A record yet")
    others = sorted(set(addresses) - set(balancer))
    if others:
        raise NotYet(f"{name} points to {' '.join(others)}, which is not the balancer")


def check_ipv6(name: str, addresses: Sequence[str]) -> None:
    """A CA prefers IPv6, which the balancer does not have."""
    if addresses:
        raise NotYet(f"{name} has an AAAA record, {addresses[0]}, which is not the balancer's")


def check_targets(targets: Sequence[Target]) -> None:
    """The challenge reaches a host only where the balancer has one to send it to."""
    if not any(target.state == "healthy" for target in targets):
        raise NotYet("the balancer has no healthy target yet")
