"""The certificate that this machine's own edge shows a client, and what openssl reads in one."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

from agent.errors import Damaged, Unavailable
from agent.machine import Machine, Settings
from agent.process import CommandFailed, run

# seconds for a handshake, and for a call of openssl that asks nobody
_HANDSHAKE = 5
_OPENSSL = 10
_DAY = 86400
_PEM = re.compile(r"^-----BEGIN CERTIFICATE-----$.*?^-----END CERTIFICATE-----$", re.DOTALL | re.MULTILINE)


def served(machine: Machine, settings: Settings) -> str | None:
    """What the edge shows a client of the first name: its certificate and the chain below it, as PEM; None where it
    shows none within 5 s.
    """
    if not machine.address:
        return None
    command = ["openssl", "s_client", "-connect", f"{machine.address}:443", "-servername", settings.www, "-showcerts"]
    try:
        said = run(command, _HANDSHAKE)
    except CommandFailed as failure:
        # a connection that ends with an error has shown what it has shown
        said = failure.output
    except Unavailable:
        return None
    found: list[str] = _PEM.findall(said.replace("\r\n", "\n"))
    return "".join(f"{one}\n" for one in found) or None


def leaf_of(pem: str) -> str:
    """The first certificate in `pem` alone, in openssl's form; raises where there is none."""
    return run(["openssl", "x509"], _OPENSSL, pem)


def days_left(pem: str) -> int:
    """Whole days until the end of the first certificate in `pem`; raises where it has none that can be read."""
    said = run(["openssl", "x509", "-noout", "-enddate"], _OPENSSL, pem)
    try:
        end = ssl.cert_time_to_seconds(said.strip().partition("=")[2])
    except ValueError:
        raise Damaged("openssl names no end of the certificate") from None
    return int((end - time.time()) / _DAY)


def names_of(pem: str) -> list[str]:
    """The names that the first certificate in `pem` is for."""
    return re.findall(r"DNS:([^, \n]*)", run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], _OPENSSL, pem))


def issuer_of(pem: str) -> str:
    """The CA of the first certificate in `pem`, as RFC 2253 writes names."""
    said = run(["openssl", "x509", "-noout", "-issuer", "-nameopt", "RFC2253"], _OPENSSL, pem)
    return said.strip().partition("=")[2]


def trusted(pem_file: Path, names: Sequence[str]) -> bool:
    """Whether the first certificate in that file, with the others there as its chain, would satisfy a client of each
    of the names. What openssl cannot say is no trust: this is for a figure that an alarm watches, and no action.
    """
    return bool(names) and all(_trusted(str(pem_file), name) for name in names)


def _trusted(file: str, name: str) -> bool:
    command = ["openssl", "verify", "-purpose", "sslserver", "-verify_hostname", name, "-untrusted", file, file]
    try:
        return f"{file}: OK" in run(command, _OPENSSL).splitlines()
    except Unavailable:
        return False
