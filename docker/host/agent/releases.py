"""Releases on this machine: which one the parameter names, which one converged last, how one gets onto this disk, and
how it becomes the one that the machine runs with.

  <releases>/<sha256>/              an archive's files, and release.json: the parameter's value with which it came
  <releases>/<sha256>.zip           the archive itself
  <releases>/<sha256>.new, .zip.new on their way
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import stat
import zipfile
from pathlib import Path

from agent import aws, files, shape
from agent.context import Context
from agent.errors import Damaged, Unavailable
from agent.log import quote
from agent.machine import Paths
from agent.process import run

_SHA = re.compile(r"[0-9a-f]{64}")
# one call of systemd, which answers when it has done what it was asked for
_SYSTEMD = 120
# beside the current release, for what a person may want to look at
_OTHERS = 2
# the launcher's own unit; it removes it by itself
_LAUNCHER = "twinhost-launcher.service"


def named(context: Context, limit: float = 60) -> dict[str, object]:
    """What the release parameter holds now. Unavailable where it cannot be read within `limit` seconds."""
    said = aws.parameter(context.machine.release_parameter, limit)
    return shape.mapping(shape.parse(said, "the release parameter"))


def converged(context: Context) -> dict[str, object] | None:
    """What is noted of the release that converged last. None where the record says that there was none, and where it
    is one of another stack, with another balancer, from which this one has taken over the shared storage. Unavailable
    or Damaged where that cannot be told.
    """
    try:
        own = shape.text(context.release_note(), "balancer")
    except OSError as error:
        raise Unavailable(f"release.json cannot be read: {error.strerror}") from error
    note = context.record.release()
    if note is None:
        return None
    shape.text(note, "sha256")
    return note if shape.text(note, "balancer") == own else None


def obtain(context: Context, note: dict[str, object]) -> Path:
    """The folder of the release that `note`, a value of the release parameter, names: on this disk already, or from
    the bucket, or, where that does not have it any more, from the copy that the shared storage keeps of every release
    that has converged. Unavailable or Damaged where none has it; why not is in the log.
    """
    sha = shape.text(note, "sha256")
    if not _SHA.fullmatch(sha):
        raise Damaged("sha256 is not the hash of a release")
    releases = context.machine.paths.releases
    folder = releases / sha
    try:
        releases.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            try:
                _fetch(note, sha, releases)
            except (Unavailable, Damaged) as problem:
                # another place has the same bytes, and their hash is checked there as well
                quote("the bucket", problem.reason)
                _restore(context, sha, releases)
        files.write(folder / "release.json", shape.compact(note) + "\n")
    except OSError as error:
        raise Unavailable(f"{error.strerror}: {error.filename}") from error
    return folder


def install(context: Context, folder: Path) -> None:
    """Makes the release in `folder` the one whose verbs, units and settings this machine runs with. May run again at
    any time. Raises where systemd does not take its units.
    """
    paths = context.machine.paths
    (folder / "docker/host/twinhost").chmod(0o755)
    for parent in ("usr/local/bin", "usr/bin", "etc/systemd/system"):
        (paths.root / parent).mkdir(parents=True, exist_ok=True)
    _link(paths.current, folder)
    # the second one for sudo, which does not look into the first
    for command in ("usr/local/bin/twinhost", "usr/bin/twinhost"):
        _link(paths.root / command, paths.current / "docker/host/twinhost")
    _install_units(folder / "docker/host/units", paths.root / "etc/systemd/system")
    _remove_old(paths, folder)


def _fetch(note: dict[str, object], sha: str, releases: Path) -> None:
    """From the bucket."""
    bucket, key = shape.filled(note, "bucket"), shape.filled(note, "key")
    _forget(releases, sha)
    archive = releases / f"{sha}.zip.new"
    aws.fetch_object(bucket, key, archive)
    _unpack(archive, sha, releases)


def _restore(context: Context, sha: str, releases: Path) -> None:
    """From the shared storage."""
    _forget(releases, sha)
    archive = releases / f"{sha}.zip.new"
    try:
        context.record.fetch_archive(sha, archive)
        _unpack(archive, sha, releases)
    except (Unavailable, Damaged) as problem:
        quote("the shared storage", problem.reason)
        raise


def _unpack(archive: Path, sha: str, releases: Path) -> None:
    """Checks the archive's hash and makes it the release's folder, and its archive, in one step each."""
    if _hash(archive) != sha:
        raise Damaged(f"the archive that came is not release {sha}: its checksum is another")
    new = releases / f"{sha}.new"
    extract(archive, new)
    archive.replace(releases / f"{sha}.zip")
    new.replace(releases / sha)


def extract(archive: Path, folder: Path) -> None:
    """Writes the files of an archive below `folder`; Damaged where one would leave it, or is no file."""
    try:
        with zipfile.ZipFile(archive) as content:
            for entry in content.infolist():
                parts = entry.filename.rstrip("/").split("/")
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if any(part in ("", ".", "..") for part in parts) or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise Damaged(f"the archive holds {entry.filename!r}, which may not be in a release")
            folder.mkdir(parents=True)
            content.extractall(folder)
    except zipfile.BadZipFile as error:
        raise Damaged(f"the archive cannot be read: {error}") from error


def _hash(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as content:
        for block in iter(lambda: content.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def _forget(releases: Path, sha: str) -> None:
    """What an attempt that was cut short has left."""
    for left in releases.glob(f"{sha}.*"):
        _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _link(link: Path, target: Path) -> None:
    """Makes `link` lead to `target`, in one step."""
    new = link.with_name(f"{link.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    new.symlink_to(target)
    new.replace(link)


def _install_units(units: Path, system: Path) -> None:
    """The new ones work before an old one goes: wherever this is cut short, something keeps the heartbeat and the
    certificate. Both at once do no harm, as the verbs of two releases share their locks.
    """
    own = sorted(units.iterdir())
    changed = False
    for unit in own:
        content = unit.read_bytes()
        installed = system / unit.name
        if not installed.is_file() or installed.read_bytes() != content:
            files.write(installed, content, 0o644)
            changed = True
    if changed:
        _systemctl("daemon-reload")
    _systemctl("-q", "enable", "twinhost-bootstrap.service", "twinhost-drain.service")
    # it waits for an attempt to mount the storage, which this does not
    _systemctl("-q", "start", "--no-block", "twinhost-drain.service")
    for kind in (".timer", ".path"):
        for unit in own:
            if unit.suffix == kind:
                _systemctl("-q", "enable", "--now", unit.name)
    _drop_others(system, {_LAUNCHER, *(unit.name for unit in own)})


def _drop_others(system: Path, names: set[str]) -> None:
    """Of the units, what only a release before had."""
    others = [unit for unit in sorted(system.glob("twinhost-*")) if unit.is_file() and unit.name not in names]
    for unit in others:
        _drop(unit)
    if others:
        _try_systemctl("daemon-reload")


def _drop(unit: Path) -> None:
    """A unit that systemd does not know any more is as good as stopped: that it cannot be is no reason to keep it."""
    _try_systemctl("-q", "disable", unit.name)
    # a service that runs comes to its end: it may be this very one
    if unit.suffix != ".service":
        _try_systemctl("-q", "stop", unit.name)
    unit.unlink()


def _try_systemctl(*arguments: str) -> None:
    try:
        _systemctl(*arguments)
    except Unavailable as problem:
        quote("systemctl", problem.reason)


def _systemctl(*arguments: str) -> None:
    run(["systemctl", *arguments], _SYSTEMD)


def _remove_old(paths: Paths, current: Path) -> None:
    """The three youngest stay, this one among them."""
    keep = current.resolve()
    others = [one for one in paths.releases.iterdir() if one.is_dir() and one.resolve() != keep]
    for old in sorted(others, key=lambda folder: folder.stat().st_mtime, reverse=True)[_OTHERS:]:
        _remove(old)
        with contextlib.suppress(FileNotFoundError):
            _remove(old.with_name(f"{old.name}.zip"))
