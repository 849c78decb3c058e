"""The cluster record on the shared storage, and the only code that touches it. Each touch is made in a child that is
killed after STORAGE seconds.

  generations/<n>/                     claimed by mkdir, which succeeds for one machine alone; the highest is current
  generations/<n>/founder              instance id
  generations/<n>/cluster-id           the Swarm's cluster id; there as soon as the generation is founded
  generations/<n>/token                manager join token
  generations/<n>/managers/<instance>  "<counter> <leader yes|no> <address>"
  generations/<n>/release              sha256 of the last release that converged
  generations/<n>/releases/<sha256>.json   the release parameter's value of that release
  generations/<n>/rescues/<k>          who had a lost manager replaced when nobody saw a leader; claimed by mkdir
  archives/<sha256>.zip                the last releases that converged, for when the bucket has lost them
  answers/<deploy>                     the last deploys that have been told how their release ended; claimed by mkdir

A held lock would decide nothing here: on NFS it lapses with its client's lease while the holder continues. A
heartbeat is a counter and not a time: its reader judges its age by how long it stood still on the reader's own clock.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from pathlib import Path
from typing import Callable, TypeVar

from agent import budgets, files, shape
from agent.contained import contained
from agent.decide.cluster_record import Record, Seen
from agent.errors import Damaged, Problem, Unavailable
from agent.machine import Machine, Paths
from agent.record_files import (
    changed,
    is_there,
    read_heartbeat,
    read_id,
    read_managers,
    read_note,
    read_release,
    read_token,
    youngest_first,
)

T = TypeVar("T")

_GENERATION = re.compile(r"[1-9][0-9]*")
_ARCHIVES = 3
_ANSWERS = 20
_GENERATIONS = 20
# a copy of an archive that was cut short is removed after a day
_DAY = 86400


class AlreadyClaimed(Problem):
    """Another machine was first."""


class RecordStore:
    """The record as this machine reads and writes it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._root = machine.paths.shared / "swarm"
        self._generations = self._root / "generations"

    def show(self) -> Record:
        """The current generation. Unavailable where the storage cannot be read, Damaged where a file of the record is
        not whole.
        """
        return self._touch(self._show)

    def refresh(self) -> Seen:
        """Reads the record and keeps what it read: that is what a lease is made from."""
        now = self._machine.clock.uptime()
        seen = Seen(self.show(), now)
        files.write(_kept(self._machine.paths), shape.compact(seen.record.json(read=now)) + "\n")
        return seen

    def claim(self, generation: int, instance: str, address: str) -> None:
        """Claims that generation; AlreadyClaimed where another machine was first."""

        def touch() -> None:
            folder = self._generations / str(generation)
            _claim(folder)
            (folder / "managers").mkdir()
            (folder / "releases").mkdir()
            files.write(folder / "founder", f"{instance}\n")
            self._beat(generation, instance, False, address)

        self._touch(touch)
        with contextlib.suppress(Unavailable):  # the claim is made; the next one tidies up, too
            self._touch(lambda: self._tidy_up(generation))

    def found(self, generation: int, cluster: str, token: str) -> None:
        """The Swarm of that generation exists. The id comes last: who sees it can join."""

        def touch() -> None:
            folder = self._generations / str(generation)
            files.write(folder / "token", token)
            files.write(folder / "cluster-id", f"{cluster}\n")

        self._touch(touch)

    def beat(self, generation: int, instance: str, leader: bool, address: str) -> None:
        """Advances the counter of a manager."""
        self._touch(lambda: self._beat(generation, instance, leader, address))

    def mend(self, instance: str, address: str) -> bool:
        """Begins this machine's own heartbeat anew where that is damaged: nobody else can, and as long as it is, the
        record cannot be read. It says that it sees no leader until the next beat. Whether it was damaged.
        """

        def touch() -> bool:
            generation = self._newest()
            file = self._folder(generation) / "managers" / instance
            try:
                read_heartbeat(file)
            except Damaged:
                self._beat(generation, instance, False, address)
                return True
            return False

        return self._touch(touch)

    def leave(self, instance: str) -> None:
        """This manager is none any more."""
        self._touch(lambda: (self._folder(self._newest()) / "managers" / instance).unlink(missing_ok=True))

    def rescue(self, generation: int, number: int, instance: str) -> None:
        """Claims that rescue of that generation; AlreadyClaimed where another machine was first."""

        def touch() -> None:
            folder = self._generations / str(generation) / "rescues"
            folder.mkdir(exist_ok=True)
            _claim(folder / str(number))
            files.write(folder / str(number) / "by", f"{instance}\n")

        self._touch(touch)

    def token(self, generation: int) -> str:
        """The manager join token: a secret."""

        return self._touch(lambda: read_token(self._folder(generation) / "token"))

    def release(self) -> dict[str, object] | None:
        """The release parameter's value of the last release that converged, with what was noted beside it; None where
        none has.
        """

        def touch() -> dict[str, object] | None:
            folder = self._released()
            if folder is None:
                return None
            return read_note(folder / "releases" / f"{read_release(folder / 'release')}.json")

        return self._touch(touch)

    def converged(self, generation: int, sha: str, note: dict[str, object]) -> None:
        """Notes the last release that converged. Keeps its archive, and those of two others."""

        def touch() -> None:
            folder = self._generations / str(generation)
            (folder / "releases").mkdir(exist_ok=True)
            files.write(folder / "releases" / f"{sha}.json", shape.compact(note) + "\n")
            archive = self._machine.paths.releases / f"{sha}.zip"
            if archive.exists():
                self._keep_archive(archive)
            files.write(folder / "release", f"{sha}\n")

        self._touch(touch)

    def fetch_archive(self, sha: str, file: Path) -> None:
        """Copies the archive of a release that converged to `file`."""

        def touch() -> None:
            shutil.copyfile(self._root / "archives" / f"{sha}.zip", file)

        self._touch(touch)

    def answer(self, deploy: str) -> None:
        """Claims the answer to that deploy; AlreadyClaimed where it has been given."""

        def touch() -> None:
            folder = self._root / "answers"
            folder.mkdir(exist_ok=True)
            _claim(folder / deploy)
            for old in youngest_first(list(folder.iterdir()))[_ANSWERS:]:
                with contextlib.suppress(OSError):  # another machine tidies up, too; the claim is made
                    old.rmdir()

        self._touch(touch)

    def unanswered(self, deploy: str) -> None:
        """Gives that claim back."""
        self._touch(lambda: (self._root / "answers" / deploy).rmdir())

    def _touch(self, function: Callable[[], T]) -> T:
        if not self._machine.mounted():
            raise Unavailable("the shared storage is not mounted")

        def touch() -> T:
            self._generations.mkdir(parents=True, exist_ok=True)
            return function()

        return contained(budgets.STORAGE, "the shared storage", touch)

    def _folder(self, generation: int) -> Path:
        return self._generations / str(generation)

    def _newest(self) -> int:
        """The current generation's number; 0 where there is none."""
        return max(self._numbers(), default=0)

    def _numbers(self) -> list[int]:
        return [
            int(entry.name)
            for entry in os.scandir(self._generations)
            if _GENERATION.fullmatch(entry.name) and entry.is_dir()
        ]

    def _released(self) -> Path | None:
        """The newest generation that has a converged release: what a cluster served last outlives it."""
        for number in sorted(self._numbers(), reverse=True):
            if is_there(self._folder(number) / "release"):
                return self._folder(number)
        return None

    def _tidy_up(self, current: int) -> None:
        """Removes generations of long ago that never had a release, which nobody reads: a machine that cannot found
        claims one each minute, and every look would take longer, until it takes too long.
        """
        for number in self._numbers():
            folder = self._folder(number)
            if number <= current - _GENERATIONS and not is_there(folder / "release"):
                shutil.rmtree(folder)

    def _show(self) -> Record:
        generation = self._newest()
        folder = self._folder(generation)
        released = self._released()
        rescues = 0
        while is_there(folder / "rescues" / str(rescues + 1)):
            rescues += 1
        return Record(
            generation=generation,
            founder=read_id(folder / "founder"),
            cluster=read_id(folder / "cluster-id"),
            release=read_release(released / "release") if released is not None else "",
            rescues=rescues,
            managers=tuple(read_managers(folder / "managers")),
        )

    def _beat(self, generation: int, instance: str, leader: bool, address: str) -> None:
        file = self._folder(generation) / "managers" / instance
        try:
            before = read_heartbeat(file)
        except Damaged:
            before = None  # the counter begins anew: its readers see that it moves
        counter = before.counter if before is not None else 0
        new = self._folder(generation) / f".{instance}.{os.getpid()}"
        new.write_text(f"{counter + 1} {'yes' if leader else 'no'} {address}\n")
        new.replace(file)

    def _keep_archive(self, archive: Path) -> None:
        folder = self._root / "archives"
        folder.mkdir(exist_ok=True)
        files.write(folder / archive.name, archive.read_bytes())
        for copy in folder.glob("*.zip.*"):
            if time.time() - changed(copy) > _DAY:
                copy.unlink(missing_ok=True)
        for old in youngest_first(list(folder.glob("*.zip")))[_ARCHIVES:]:
            old.unlink(missing_ok=True)


def last_seen(paths: Paths) -> Seen | None:
    """What this machine read of the record last; None where it has not since it started."""
    try:
        kept = files.read(_kept(paths))
    except UnicodeDecodeError:
        raise Damaged("what was read of the record is no text") from None
    if kept is None:
        return None
    value = shape.parse(kept, "what was read of the record")
    return Seen(Record.parse(value), shape.number(value, "read"))


def _kept(paths: Paths) -> Path:
    return paths.volatile / "record"


def _claim(folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        raise AlreadyClaimed(f"{folder.name} is taken") from None
