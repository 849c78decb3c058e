"""The words of others, as they may stand in the log or in a reason."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def plain(text: str) -> str:
    """`text` without control characters other than tabs and line ends, as it may be logged."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """`text` as a part of one line: no control characters, and no line ends."""
    return _CONTROLS.sub(" ", text).strip()


def last_line(text: str) -> str:
    """The last line of what a program has said, plain; empty where it said nothing."""
    lines = [line for line in plain(text).splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
