"""The pair of key and certificate that this machine serves, on its own disk: tls/current, which is all that the edge
mounts. certbot keeps its pair on the shared storage.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from agent import budgets
from agent.contained import contained
from agent.context import Context
from agent.errors import Refused, Unavailable
from agent.log import log
from agent.machine import Machine, Settings
from agent.process import run

# seconds for a call of openssl
_OPENSSL = 30


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and a key: a secret."""

    fullchain: bytes
    privkey: bytes

    def __repr__(self) -> str:
        return "Pair(…)"

    @property
    def version(self) -> str:
        return hashlib.sha256(self.fullchain + self.privkey).hexdigest()[:16]


def take_over(context: Context, settings: Settings) -> None:
    """Serves the pair from the shared storage, where that is another one than this machine's and whole. Where the
    storage cannot be read, or its pair is damaged, what is served stays.
    """
    machine = context.machine
    # where a run was cut short; it may hold a key
    shutil.rmtree(_new_folder(machine), ignore_errors=True)
    if not machine.mounted():
        return
    live = machine.paths.shared / "letsencrypt" / settings["TWINHOST_ACME_NAME"] / "live" / settings.domain
    try:
        found = contained(budgets.STORAGE, "the shared storage", lambda: _read(live))
    except Unavailable:
        return
    if found == _served(machine):
        return
    new = _unpack(machine, found)
    if _belongs(new):
        _adopt(machine, new, found.version)
        log(f"serves the certificate from the shared storage: {_end_date(_current(machine) / 'fullchain.pem')}")
        return
    shutil.rmtree(new)
    refused = machine.paths.volatile / "refused"
    if not refused.exists() or refused.read_bytes() != found.fullchain:
        refused.write_bytes(found.fullchain)
        log("the key on the shared storage is not the one of the certificate there; what is served stays")


def make_placeholder(context: Context, settings: Settings) -> None:
    """Where this machine has no certificate at all: one that is signed by itself, so that the edge starts before the
    first real one, and port 80 can answer the challenge.
    """
    machine = context.machine
    if (_current(machine) / "fullchain.pem").exists():
        return
    new = _empty_folder(machine)
    names = ",".join(f"DNS:{name}" for name in settings.names)
    # fmt: off
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365",
        "-subj", "/CN=placeholder", "-addext", f"subjectAltName={names}",
        "-keyout", str(new / "privkey.pem"), "-out", str(new / "fullchain.pem"),
    ]
    # fmt: on
    try:
        run(command, _OPENSSL)
        version = _read(new).version
    except (Unavailable, OSError):
        raise Refused("the placeholder certificate could not be made") from None
    _adopt(machine, new, version)
    log("serves a placeholder until there is a certificate on the shared storage")


def _read(folder: Path) -> Pair:
    # both are links into a folder of versions: a renewal changes them one after the other
    return Pair((folder / "fullchain.pem").read_bytes(), (folder / "privkey.pem").read_bytes())


def _served(machine: Machine) -> Pair | None:
    try:
        return _read(_current(machine))
    except OSError:
        return None


def _belongs(folder: Path) -> bool:
    """Whether the key there is the one of the certificate there; no where openssl cannot say: what is served stays."""
    try:
        certificate = run(["openssl", "x509", "-in", str(folder / "fullchain.pem"), "-noout", "-pubkey"], _OPENSSL)
        key = run(["openssl", "pkey", "-in", str(folder / "privkey.pem"), "-pubout"], _OPENSSL)
    except Unavailable:
        return False
    return bool(key.strip()) and key == certificate


def _adopt(machine: Machine, folder: Path, version: str) -> None:
    """Makes what is in that folder the pair that this machine serves, in one step. The file `version` is what the
    edge watches.
    """
    tls = machine.paths.state / "tls"
    (folder / "version").write_text(f"{version}\n")
    # the key is read by Nginx's master process alone, which is root
    for name, mode in (("", 0o755), ("fullchain.pem", 0o644), ("version", 0o644), ("privkey.pem", 0o600)):
        (folder / name).chmod(mode)
    shutil.rmtree(tls / version, ignore_errors=True)
    folder.rename(tls / version)
    link = tls / "current.new"
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.replace(_current(machine))
    for old in tls.iterdir():
        if old.is_dir() and not old.is_symlink() and old.name != version:
            shutil.rmtree(old)


def _unpack(machine: Machine, pair: Pair) -> Path:
    folder = _empty_folder(machine)
    (folder / "fullchain.pem").write_bytes(pair.fullchain)
    (folder / "privkey.pem").write_bytes(pair.privkey)
    return folder


def _empty_folder(machine: Machine) -> Path:
    folder = _new_folder(machine)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _new_folder(machine: Machine) -> Path:
    """Beside tls/, which the edge mounts: nobody sees what is not whole."""
    return machine.paths.state / "certificate"


def _end_date(file: Path) -> str:
    try:
        return run(["openssl", "x509", "-in", str(file), "-noout", "-enddate"], _OPENSSL).strip()
    except Unavailable:
        return "openssl does not say until when"


def _current(machine: Machine) -> Path:
    return machine.paths.state / "tls/current"
