"""The keys of TLS session tickets, which the edges of both hosts share, so that a client resumes its session with
whichever host it comes to.

The shared storage holds a key for every 12 hours, made by the first host that finds it missing. Each host copies three
to its memory, from which its edge takes them: the present one, the one before and the next, which every host has
before any of them encrypts with it. None is on a disk of a machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from agent import budgets, files
from agent.contained import contained
from agent.context import Context
from agent.decide import tickets
from agent.errors import Damaged
from agent.machine import Machine
from agent.process import run

_CLOCK = re.compile(r"[1-9][0-9]{8,10}")
Keys = Mapping[str, bytes]


def fetch(context: Context) -> Keys:
    """The keys of this time: secrets. Makes those that are missing, and removes those that nobody needs. Unavailable
    or Damaged where they cannot be had.
    """
    folder = context.machine.paths.shared / "tickets"
    return contained(budgets.STORAGE, "the shared storage", lambda: _fetch(folder))


def hand_over(machine: Machine, keys: Keys) -> bool:
    """Puts them where the edge takes them from, in one step; whether they are others than before."""
    memory = _memory(machine)
    current = memory / "current"
    if all(_read(current / name) == key for name, key in keys.items()):
        return False
    new = Path(tempfile.mkdtemp(dir=memory, prefix=""))
    try:
        for name, key in keys.items():
            files.write(new / name, key)
        link = memory / "current.new"
        link.unlink(missing_ok=True)
        # the name of the folder is what the edge watches
        link.symlink_to(new.name)
        link.replace(current)
    except BaseException:
        shutil.rmtree(new)
        raise
    for old in memory.iterdir():
        if old.is_dir() and not old.is_symlink() and old.name != new.name:
            shutil.rmtree(old)
    return True


def _memory(machine: Machine) -> Path:
    """A folder of a tmpfs that is there on every machine from the begin of its boot
    (https://systemd.io/API_FILE_SYSTEMS/), so that the edge can mount it. Anybody may make something there.
    """
    folder = machine.paths.root / "dev/shm/twinhost"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    elif folder.exists() and folder.stat().st_uid != os.geteuid():
        shutil.rmtree(folder)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder


def _fetch(folder: Path) -> Keys:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)
    clock = _now(folder)
    keys: dict[str, bytes] = {}
    for name, slot in tickets.slots(clock).items():
        file = folder / str(slot)
        if not file.exists():
            _make(folder, file)
        keys[name] = file.read_bytes()
        if not tickets.is_key(keys[name]):
            file.unlink(missing_ok=True)
            raise Damaged(f"tickets/{slot} on the shared storage is no key; the next look makes it anew")
    written = {file.name: _written(file) for file in folder.iterdir()}
    for name in tickets.outdated(written, written, clock):
        (folder / name).unlink(missing_ok=True)
    return keys


def _now(folder: Path) -> int:
    """The storage's clock, which is the same for every host: a file that is touched has its server's time
    (https://github.com/torvalds/linux/blob/v6.1/fs/nfs/nfs4xdr.c, encode_attrs).
    """
    clock = folder / "clock"
    run(["touch", str(clock)], budgets.STORAGE)
    found = str(int(clock.stat().st_mtime))
    if not _CLOCK.fullmatch(found):
        raise Damaged(f"the clock of the shared storage says '{found}'")
    return int(found)


def _make(folder: Path, file: Path) -> None:
    """Makes a key. It gets its name when it is complete, and only where no other host has been first."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="new.")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(os.urandom(tickets.SIZE))
            new.flush()
            os.fsync(new.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink(missing_ok=True)


def _written(file: Path) -> int:
    try:
        return int(file.stat().st_mtime)
    except FileNotFoundError:
        # another host was first
        return 0


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
