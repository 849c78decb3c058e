"""Other programs: each call has a limit, and is ended at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from agent.errors import Unavailable
from agent.words import last_line

# seconds that a program has after TERM before KILL follows
GRACE = 5


class CommandFailed(Unavailable):
    """A program ended with another status than 0, or could not be started. `reason` is the last line that it said on
    standard error; `output` is what it said on standard output.
    """

    def __init__(self, reason: str, said: str = "", status: int = 1, output: str = "") -> None:
        super().__init__(reason)
        self.said = said
        self.status = status
        self.output = output


class CommandTimedOut(Unavailable):
    """A program had no end within its limit. `said` is what it had said by then."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.said = said


def run(
    command: Sequence[str],
    limit: float,
    stdin: str | bytes | None = None,
    environment: Mapping[str, str] | None = None,
    merge: bool = False,
    grace: float = GRACE,
) -> str:
    """What `command` says on standard output, within `limit` seconds. With `merge`, what it says on standard error is
    part of it. `stdin` is what it reads: secrets go there, never into arguments. `environment` is added to the
    agent's own. At the limit it has `grace` seconds more to end by itself.
    """
    data = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            env={**os.environ, **environment} if environment is not None else None,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(f"{command[0]} cannot be started: {error.strerror}", "", 127) from error
    with process:
        try:
            output, errors = process.communicate(data, timeout=limit)
        except subprocess.TimeoutExpired as expired:
            _end(process, grace)
            so_far = (expired.output or b"").decode(errors="replace")
            raise CommandTimedOut(f"{command[0]} had no end within {limit:g} s", so_far) from None
        except BaseException:
            _end(process, grace)
            raise
    said = output.decode(errors="replace")
    if process.returncode != 0:
        words = said if merge else errors.decode(errors="replace")
        raise CommandFailed(
            last_line(words) or f"{command[0]} ended with status {process.returncode}", words, process.returncode, said
        )
    return said


def pass_on(
    command: Sequence[str],
    limit: float,
    environment: Mapping[str, str],
    grace: float = GRACE,
    keeps: Sequence[int] = (),
) -> int:
    """Runs `command` with this environment and nothing else, for at most `limit` seconds, and returns its status. What
    it says goes where the agent's own words go, as it says it. It `keeps` these descriptors open.
    """
    sys.stdout.flush()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, env=environment, pass_fds=keeps, start_new_session=True
    )
    with process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            _end(process, grace)
            raise CommandTimedOut(f"{command[0]} had no end within {limit:g} s") from None
        except BaseException:
            _end(process, grace)
            raise


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ends it and what it has started: a program that ignores TERM, or hangs, is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.communicate(timeout=grace)
            break
        except subprocess.TimeoutExpired:
            continue
