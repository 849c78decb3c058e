"""The mark of a machine that founds a cluster right now: its heartbeat beats from the claim on, and stops with the
process that founds, however that ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from agent import files
from agent.machine import Paths

# of the fields after the name of the program, in /proc/PID/stat (proc_pid_stat(5)): starttime, the 22nd of all
_STARTED = 19


@contextlib.contextmanager
def founding(paths: Paths) -> Iterator[None]:
    """Within it, this process founds."""
    mark = _mark(paths)
    pid = os.getpid()
    files.write(mark, f"{pid} {started(pid) or ''}\n")
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def is_founding(paths: Paths) -> bool:
    """Whether a process of this machine founds, which is still the one that has left the mark."""
    words = (files.read(_mark(paths)) or "").split()
    if len(words) != 2 or not words[0].isdecimal():
        return False
    return started(int(words[0])) == words[1]


def started(pid: int) -> str | None:
    """When that process started, in the kernel's own ticks; None where there is none. A number that another process
    takes over later does not have the same.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[_STARTED] if len(fields) > _STARTED else None


def _mark(paths: Paths) -> Path:
    return paths.volatile / "founding"
