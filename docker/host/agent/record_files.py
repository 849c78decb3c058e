"""How the files of the cluster record are read. An id, a release and a heartbeat are a line each, put there in one
step: what has no line end was cut short, and is damaged. The reason names the file, and nothing follows from it.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from pathlib import Path

from agent import files, shape
from agent.decide.cluster_record import Manager
from agent.errors import Damaged

_ID = re.compile(r"[!-~]+\n")
_SHA = re.compile(r"[0-9a-f]{64}\n")
_HEARTBEAT = re.compile(r"([0-9]+) (yes|no) ([!-~]+)\n")


def read_id(file: Path) -> str:
    """The id that is in it; empty where there is no such file."""
    content = _text(file)
    if content is None:
        return ""
    if not _ID.fullmatch(content):
        raise _damaged(file)
    return content.strip()


def read_release(file: Path) -> str:
    """The release that is named there."""
    content = _text(file)
    if content is None or not _SHA.fullmatch(content):
        raise _damaged(file)
    return content.strip()


def read_token(file: Path) -> str:
    """A secret, which is in no reason."""
    found = (_text(file) or "").strip()
    if not found:
        raise _damaged(file)
    return found


def read_note(file: Path) -> dict[str, object]:
    """An object, as JSON."""
    try:
        return shape.mapping(shape.parse(_text(file) or "", "it"))
    except Damaged:
        raise _damaged(file) from None


def read_managers(folder: Path) -> list[Manager]:
    """None of a generation that is being claimed. What begins with a dot is none: so NFS calls a file that was removed
    while somebody reads it.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    managers = [read_heartbeat(file) for file in found if not file.name.startswith(".")]
    return [manager for manager in managers if manager is not None]


def read_heartbeat(file: Path) -> Manager | None:
    """The manager by its heartbeat; None where it has left."""
    content = _text(file)
    if content is None:
        return None
    found = _HEARTBEAT.fullmatch(content)
    if found is None:
        raise Damaged(f"the heartbeat of {file.name} in the cluster record is damaged")
    return Manager(file.name, int(found[1]), found[2] == "yes", found[3])


def is_there(file: Path) -> bool:
    """Whether there is such a file. A storage that does not say raises: Path.exists takes some errors for a no."""
    try:
        file.stat()
    except FileNotFoundError:
        return False
    return True


def youngest_first(found: Iterable[Path]) -> list[Path]:
    return sorted(found, key=changed, reverse=True)


def changed(file: Path) -> float:
    """When it was changed last, by the storage's clock; of what is gone by now, never."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0


def _text(file: Path) -> str | None:
    """What is in it; None where there is no such file."""
    try:
        try:
            return files.read(file)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            # another machine has put a new one in its place between open and read (nfs(5)): that one is read
            return files.read(file)
    except UnicodeDecodeError:
        raise _damaged(file) from None


def _damaged(file: Path) -> Damaged:
    parts = file.parts
    inside = parts[len(parts) - parts[::-1].index("generations") :] if "generations" in parts else parts[-1:]
    return Damaged(f"{'/'.join(('generations', *inside))} in the cluster record is damaged")
