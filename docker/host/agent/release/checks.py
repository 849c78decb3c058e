"""What a release's files and image have to show in a container, before Swarm hears of them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.context import Context
from agent.decide.containers import why_files_refused, why_health_unknown
from agent.errors import Refused
from agent.log import quote
from agent.release.docker import Docker
from agent.release.files import ServiceFile
from agent.release.plan import Plan

_CHECKS = ("check.sh", "check-headers.sh")


def check_files(context: Context, docker: Docker, plan: Plan, files: Sequence[ServiceFile]) -> None:
    """The files have to please the very Nginx that will read them, and an edge with them has to answer what keeps a
    site alive: docker/edge/check.sh. Refused with its words.
    """
    mounts = [f"{context.machine.paths.state}/tls:/etc/nginx/tls:ro"]
    mounts += [f"{context.machine.release}/docker/edge/{name}:/twinhost/{name}:ro" for name in _CHECKS]
    mounts += [f"{one.file}:{one.target}:ro" for one in files if one.service == "edge"]
    arguments = ["--tmpfs", "/run", "--entrypoint", "/bin/sh"]
    arguments += [word for mount in mounts for word in ("-v", mount)]
    settings = plan.settings
    names = [settings.domain, *settings["TWINHOST_EXTRA_DOMAINS"].split()]
    said = docker.ask_container([*arguments, plan.edge_runs, "/twinhost/check.sh", *names])
    if said.status != 0:
        quote("check.sh", said.words)
        raise Refused(why_files_refused(said))


def check_health(docker: Docker, plan: Plan) -> None:
    """What docker/app/health.yml asks with has to be in the application's image. Refused where it is not."""
    if not plan.health_path or plan.default_page:
        return
    arguments = ["--entrypoint", "sh", plan.application_runs, "-c", "command -v curl || command -v wget"]
    why = why_health_unknown(docker.ask_container(arguments), plan.application)
    if why is not None:
        raise Refused(why)
