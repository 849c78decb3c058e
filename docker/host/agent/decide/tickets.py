"""Which keys of TLS session tickets there are at a time. Each is for a slot of 12 hours, counted since 1970 by the
clock of the shared storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# seconds for which a key encrypts, as in nginx/snippets/tls.conf
SLOT = 43200
# those by which two hosts may differ about the end of a slot
SLACK = 600
# bytes of a key: https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key
SIZE = 80


def slots(clock: int) -> dict[str, int]:
    """The slots of the keys that an edge has: it encrypts with `now`, and decrypts with all of them."""
    now = clock // SLOT
    return {"previous": now - 1, "now": now, "next": now + 1}


def is_key(content: bytes) -> bool:
    """Whether that is a key, and no file of which a fault has left the size alone: of 10^24 keys one holds 17 zeros."""
    return len(content) == SIZE and SIZE - content.count(0) >= 64


def outdated(names: Iterable[str], written: Mapping[str, int], clock: int) -> list[str]:
    """Of the files there, those that no host needs: keys that no ticket is accepted by any more, and what a host that
    was killed has left half made. `written`: when, by the clock of the storage.
    """
    first, last = (clock - SLACK) // SLOT - 1, (clock + SLACK) // SLOT + 1
    return [
        name
        for name in names
        if (name.startswith("new.") and written.get(name, 0) < clock - SLACK)
        or (name.isascii() and name.isdecimal() and not first <= int(name) <= last)
    ]
