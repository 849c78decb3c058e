"""The site's auto scaling groups, and the machines that they list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Instance:
    """A machine as its auto scaling group lists it."""

    id: str
    state: str
    health: str

    @property
    def serves(self) -> bool:
        return self.state == "InService" and self.health == "Healthy"

    @property
    def ended(self) -> bool:
        """Whether its group has ended it, or will: an unhealthy one waits only until its successor has warmed up."""
        return self.state.startswith("Terminat") or self.health == "Unhealthy"


@dataclass(frozen=True)
class Group:
    """One of the site's auto scaling groups."""

    name: str
    role: str
    desired: int
    suspended: tuple[str, ...]
    instances: tuple[Instance, ...]
