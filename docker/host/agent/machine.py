"""What this machine is, where its files are, and the settings of the site."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent import budgets, files
from agent.budgets import Limits
from agent.clock import Clock, MachineClock
from agent.errors import Damaged

# what the launcher and this boot have noted, below the root
NOTED = ("etc/twinhost/machine.env", "var/lib/twinhost/instance.env", "etc/twinhost/limits.env")
_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Paths:
    """Every path begins with `root`, which is / on a machine and a temporary folder in tests (TWINHOST_ROOT)."""

    root: Path

    @property
    def shared(self) -> Path:
        """The shared storage. Touched only by agent.record, agent.certificates and agent.tickets, in a child that is
        killed after its limit.
        """
        return self.root / "srv/twinhost"

    @property
    def state(self) -> Path:
        return self.root / "var/lib/twinhost"

    @property
    def volatile(self) -> Path:
        """Gone with a restart of the machine."""
        return self.root / "run/twinhost"

    @property
    def releases(self) -> Path:
        return self.root / "opt/twinhost/releases"

    @property
    def current(self) -> Path:
        """A link to the release whose verbs, units and settings this machine runs with."""
        return self.root / "opt/twinhost/current"

    @property
    def engine(self) -> Path:
        """The socket of Docker's Engine API."""
        return self.root / "run/docker.sock"


@dataclass(frozen=True)
class Machine:
    """This machine, as the launcher and this boot's look at the metadata service have noted it."""

    paths: Paths
    clock: Clock
    release: Path
    role: str
    stack: str
    release_parameter: str
    region: str
    limits: Limits
    # unknown before the first bootstrap
    instance: str | None
    address: str | None

    @property
    def is_host(self) -> bool:
        return self.role == "host"

    @property
    def sha(self) -> str:
        """The release whose code this is."""
        return self.release.name

    def own_cluster(self) -> str | None:
        """The id of the cluster that this machine joined or founded last; None before that."""
        found = files.read(self.paths.state / "cluster-id")
        return found.strip() or None if found is not None else None

    def identity(self) -> tuple[str, str]:
        """The instance's id and address; Damaged where this boot has not asked for them yet."""
        if not self.instance or not self.address:
            raise Damaged("this machine does not know yet which instance it is")
        return self.instance, self.address

    def mounted(self) -> bool:
        """If the shared storage is mounted; asks the kernel's table, which does not stall when the storage does."""
        if self.paths.root != Path("/"):
            return True
        return " /srv/twinhost " in Path("/proc/self/mounts").read_text()


@dataclass(frozen=True)
class Settings:
    """The site's settings of one release, by the names under which they are exported (SiteRelease.java)."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        if name not in self.values:
            raise Damaged(f"settings.env has no {name}")
        return self.values[name]

    def number(self, name: str) -> int:
        value = self[name]
        if not value.isdecimal():
            raise Damaged(f"settings.env: {name} is no whole number")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self[name]
        if value not in ("true", "false"):
            raise Damaged(f"settings.env: {name} is neither true nor false")
        return value == "true"

    @property
    def domain(self) -> str:
        return self["TWINHOST_DOMAIN"]

    @property
    def www(self) -> str:
        return f"www.{self.domain}"

    @property
    def names(self) -> list[str]:
        """The names that the certificate is for; the first is the one that clients are redirected to."""
        return [self.www, self.domain, *self["TWINHOST_EXTRA_DOMAINS"].split()]


def load_machine(root: str | None = None, release: Path | None = None) -> Machine:
    """This machine; Damaged where the launcher's file is not whole."""
    paths = Paths(Path(root if root is not None else os.environ.get("TWINHOST_ROOT") or "/"))
    noted: dict[str, str] = {}
    for file in NOTED:
        noted.update(assignments(paths.root / file))
    role = noted.get("TWINHOST_ROLE")
    if role not in ("host", "witness"):
        raise Damaged(f"machine.env: TWINHOST_ROLE is {role!r}, wanted host or witness")
    return Machine(
        paths=paths,
        clock=MachineClock(paths.root),
        release=release or Path(__file__).resolve().parents[3],
        role=role,
        stack=noted.get("TWINHOST_STACK", ""),
        release_parameter=noted.get("TWINHOST_RELEASE_PARAMETER", ""),
        region=noted.get("AWS_REGION", ""),
        limits=Limits(
            down=_seconds(noted, "TWINHOST_LIMIT_DOWN", budgets.DOWN),
            missing=_seconds(noted, "TWINHOST_LIMIT_MISSING", budgets.MISSING),
            leaderless=_seconds(noted, "TWINHOST_LIMIT_LEADERLESS", budgets.LEADERLESS),
        ),
        instance=noted.get("TWINHOST_INSTANCE") or None,
        address=noted.get("TWINHOST_ADDRESS") or None,
    )


def load_settings(paths: Paths, release: Path) -> Settings:
    """The settings of `release`, and where this machine substitutes images (images.env), those."""
    own = assignments(release / "settings.env")
    if not own.get("TWINHOST_DOMAIN"):
        raise Damaged("settings.env: TWINHOST_DOMAIN is missing")
    return Settings({**own, **assignments(paths.root / "etc/twinhost/images.env")})


def assignments(file: Path) -> dict[str, str]:
    """The lines NAME='value' of a file that a shell could source, `export` before them or not; nothing where there is
    no such file.
    """
    try:
        content = files.read(file)
    except UnicodeDecodeError:
        raise Damaged(f"{file.name} is no text") from None
    if content is None:
        return {}
    found: dict[str, str] = {}
    try:
        words = shlex.split(content, comments=True)
    except ValueError as error:
        raise Damaged(f"{file.name} cannot be read: {error}") from error
    for word in words:
        if word == "export":
            continue
        match = _ASSIGNMENT.fullmatch(word)
        if not match:
            raise Damaged(f"{file.name} holds something else than NAME=value")
        found[match[1]] = match[2]
    return found


def _seconds(noted: Mapping[str, str], name: str, default: int) -> int:
    value = noted.get(name)
    if value is None:
        return default
    if not value.isdecimal():
        raise Damaged(f"limits.env: {name} is {value!r}, wanted seconds")
    return int(value)
