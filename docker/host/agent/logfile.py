"""The log file of a process that never ends. Of all others, the launcher `twinhost` writes to it what they say."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TextIO

# bytes after which a new file begins, as in the launcher `twinhost`; the one before stays
LIMIT = 10_000_000


class LogFile(io.TextIOBase):
    """Standard output that is in the log file, too. A disk that is full loses lines, and ends nothing."""

    def __init__(self, output: TextIO, file: Path) -> None:
        self._output = output
        self._file = file

    def write(self, text: str) -> int:
        # looked for each time: another process may begin a new file, too
        with contextlib.suppress(OSError):
            if self._file.exists() and self._file.stat().st_size >= LIMIT:
                self._file.replace(self._file.with_name(f"{self._file.name}.1"))
            with self._file.open("a", errors="backslashreplace") as file:
                file.write(text)
        return self._output.write(text)

    def flush(self) -> None:
        self._output.flush()

    def fileno(self) -> int:
        return self._output.fileno()
