"""Files of this machine, each read or written in one step."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(file: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Puts `content` there in one step, so that no reader ever sees half of it, also after a power cut: XFS may have
    a new name on the disk before what it names
    (https://github.com/postgrespro/postgres/commit/606e0f9841b820d826f837bf741a3e5e9cc62fa1).
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(data)
            os.fchmod(new.fileno(), mode)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise


def read(file: Path) -> str | None:
    """What is in it; None where there is no such file."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return None
