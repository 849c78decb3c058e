"""Every file that a service reads, filled in with the settings, and handed to Swarm under the name of its content."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import shape
from agent.context import Context
from agent.errors import Refused
from agent.release.plan import Plan, work_folder

_ASKED = re.compile(r"\$\{TWINHOST_[A-Za-z0-9_]*\}")
_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_NOT_FOR_GRPC = re.compile(r"proxy_set_header (Connection|Upgrade|If-[^ ]*) ")
_HEADER = "proxy_set_header "
# readable by all in the container
_MODE = 0o444


@dataclass(frozen=True)
class ServiceFile:
    """`service` reads `file` as `target`."""

    service: str
    file: Path
    target: str


def render_files(context: Context, plan: Plan) -> list[ServiceFile]:
    """Writes every file that a service reads. Refused where one asks for a setting that does not exist."""
    work = work_folder(context)
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)
    release = context.machine.release
    values = plan.values()
    names = frozenset(plan.settings.values)
    render_nginx(release / "nginx", work / "nginx", names, values)
    docker = release / "docker"
    found = [ServiceFile("edge", work / "nginx" / name, f"/etc/nginx/{name}") for name in _files_below(work / "nginx")]
    found += [
        ServiceFile("edge", docker / "edge/entrypoint.sh", "/twinhost/entrypoint.sh"),
        ServiceFile("certbot", docker / "certbot/entrypoint.sh", "/twinhost/entrypoint.sh"),
        ServiceFile("certbot", docker / "certbot/check.py", "/twinhost/check.py"),
        ServiceFile("challenge", docker / "challenge/nginx.conf", "/etc/nginx/nginx.conf"),
    ]
    if plan.default_page:
        for name, target in (("nginx.conf", "/etc/nginx/nginx.conf"), ("index.html", "/srv/app/index.html")):
            render(docker / "app" / name, work / "app" / name, names, values)
            found.append(ServiceFile("app", work / "app" / name, target))
    return found


def render_nginx(source: Path, target: Path, names: frozenset[str], values: Mapping[str, str]) -> None:
    """The folder nginx/ of a release: its *.conf filled in, anything else as it is, and the list of headers once more
    for gRPC, which has no connection to upgrade and no cache.
    """
    for name in _files_below(source):
        if name.endswith(".conf"):
            render(source / name, target / name, names, values)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    headers = target / "snippets/request-headers.conf"
    if not headers.exists():
        raise Refused(f"{source}/snippets/request-headers.conf is missing")
    _write(headers.with_name("grpc-request-headers.conf"), grpc_headers(_read(headers)))


def render(source: Path, target: Path, names: frozenset[str], values: Mapping[str, str]) -> None:
    """Copies a file and fills in the settings, which are the same on every machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, fill_in(_read(source), str(source), names, values))


def fill_in(text: str, source: str, names: frozenset[str], values: Mapping[str, str]) -> str:
    """`text` with the settings `names` filled in; any other ${name} or $name stays as it is. Refused where it asks for
    a ${TWINHOST_…} that is no setting.
    """
    unknown = [asked for asked in _ASKED.findall(text) if asked[2:-1] not in names]
    if unknown:
        raise Refused(f"{source} asks for settings that do not exist: {' '.join(unknown)}")

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return values[name] if name in names else match[0]

    return _NAME.sub(value, text)


def grpc_headers(text: str) -> str:
    """Nginx's list of request headers for a proxy as the one for gRPC."""
    kept = [line for line in text.splitlines() if line.startswith(_HEADER) and not _NOT_FOR_GRPC.match(line)]
    return "".join(f"grpc_set_header {line[len(_HEADER) :]}\n" for line in kept)


def write_configs(context: Context, files: Sequence[ServiceFile]) -> None:
    """Those files as a compose file, configs.json; each one's name ends in the hash of its content, because a config
    of Swarm never changes.
    """
    named = [(config_name(one.service, one.target, one.file.read_bytes()), one) for one in files]
    services: dict[str, dict[str, list[object]]] = {}
    for name, one in named:
        configs = services.setdefault(one.service, {"configs": []})["configs"]
        configs.append({"source": name, "target": one.target, "mode": _MODE})
    composed = {
        "version": "3.9",
        "configs": {name: {"name": name, "file": str(one.file)} for name, one in named},
        "services": services,
    }
    _write(work_folder(context) / "configs.json", shape.compact(composed) + "\n")


def config_name(service: str, target: str, content: bytes) -> str:
    """At most 64 characters, of those that Swarm takes in a name."""
    path = re.sub(r"[^A-Za-z0-9.-]", "-", target.lstrip("/"))[-36:]
    return f"{service}_{path}_{hashlib.sha256(content).hexdigest()[:16]}"


def _files_below(folder: Path) -> list[str]:
    found = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    return sorted(str(file.relative_to(folder)) for file in found)


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "surrogateescape")


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
