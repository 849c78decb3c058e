"""The command `twinhost` of a machine: see agent/cli.py."""

from __future__ import annotations

import os
import sys

from agent.cli import main

status = 1
try:
    status = main(sys.argv[1:])
    sys.stdout.flush()
except BrokenPipeError:
    # the reader has gone; at its end Python would try once more, and end with a status of its own
    # https://docs.python.org/3.9/library/signal.html#note-on-sigpipe
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
sys.exit(status)
