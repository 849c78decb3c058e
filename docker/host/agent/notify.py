"""What a service of Type=notify reports to systemd.
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import contextlib
import os
import socket

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


class Notifier:
    """Reports to the socket that systemd has named; to nobody where it has named none. What this process starts
    cannot report in its place.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")

    def report(self, state: str) -> None:
        """A report that cannot be delivered is lost: systemd then does what it does about a silent service."""
        if not self._address:
            return
        # a name that begins with @ is one of Linux' abstract namespace
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.setblocking(False)
            to.sendto(state.encode(), address)
