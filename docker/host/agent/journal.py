"""What `heal` has to say: what it waits for, once; what it has done, of which `twinhost status` shows the last; and for
how long something has been as it is.
"""

from __future__ import annotations

from datetime import datetime, timezone

from agent import files
from agent.log import log, quote
from agent.machine import Machine


def log_once(machine: Machine, text: str) -> None:
    """Logs what this machine waits for, once until it changes; an empty text: for nothing."""
    file = machine.paths.volatile / "heal-said"
    if text == (files.read(file) or "").rstrip("\n"):
        return
    files.write(file, f"{text}\n")
    if text:
        log(text)


def record_action(machine: Machine, text: str) -> None:
    """Logs what was done, and keeps it as the last that was. A disk that is full holds nothing up: the log has it."""
    log(text)
    try:
        files.write(machine.paths.state / "healed", f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} {text}\n")
    except OSError as error:
        quote("the disk", str(error))


def lasted(machine: Machine, name: str, key: str) -> int:
    """For how many seconds `name` has been the same `key`, as far as this machine was asked. What was noted and is
    not whole is as if nothing had been: the time begins again.
    """
    file = machine.paths.volatile / name
    now = machine.clock.uptime()
    start, _, noted = (files.read(file) or "").strip().partition(" ")
    if noted == key and start.isdecimal() and int(start) <= now:
        return now - int(start)
    files.write(file, f"{now} {key}\n")
    return 0


def forget(machine: Machine, *names: str) -> None:
    """Begins anew with what `lasted`, and with other notes of that folder."""
    for name in names:
        (machine.paths.volatile / name).unlink(missing_ok=True)
