"""The application's image on every host before Swarm hears of the release: one that pulls while containers are
exchanged would hold that up. A pull continues where this release gives up waiting for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Callable

from agent import budgets, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.pulls import Missing, Rejected, pulled
from agent.decide.stack import APPLICATION
from agent.errors import Damaged, Hopeless, NotYet, Refused, TimedOut, Unavailable
from agent.lease import Lease
from agent.process import CommandFailed, run
from agent.release.docker import Docker, remove_services
from agent.release.waiting import whole
from agent.words import last_line

_LABEL = "twinhost.pull"
_CREATE = 60
_SYSTEMD = 30
_LONGEST = 3600
_PULL = 'docker pull -q "$1" >"$2" 2>&1'


def pull_everywhere(
    _: Lease,
    context: Context,
    docker: Docker,
    name: str,
    image: str,
    check: Callable[[], None],
    after: contextlib.ExitStack,
) -> None:
    """Has this machine, and then every host, have `image`, which is `name` by its digest. `check` refuses it as soon
    as it is here. Refused where it cannot be pulled, or does not come in time. What is then left to do is done when
    `after` ends.
    """
    begin = context.clock.uptime()
    service = _service_name(image)
    everywhere = whole(lambda: _pulled_everywhere(context, docker, service, image))
    pull = after.enter_context(contextlib.ExitStack())
    begun = not _runs_already(context, image)
    if begun:
        pull.callback(remove_services, service)
        _begin(everywhere, service)
    here = _PullHere(context, docker, image)
    _wait(context, budgets.PULL, f"the image {name}, which is pulled", here.attempt, name, "this host", pull)
    check()
    if begun:
        left = budgets.PULL + begin - context.clock.uptime()
        _wait(context, left, f"the image {name} on every host", everywhere, name, "every host", pull)
    pull.close()


def end_old_pulls(context: Context) -> None:
    """What releases have left that gave up waiting, or were ended; where Swarm does not say, the next one looks."""
    try:
        services = context.engine.services(label=f"{_LABEL}=yes")
        old = [shape.filled(one, "ID") for one in services if shape.maybe_text(one, "Spec", "Labels", _LABEL) == "yes"]
    except (Unavailable, Damaged):
        return
    if old:
        remove_services(*old)


def _wait(
    context: Context,
    seconds: int,
    what: str,
    attempt: Callable[[], None],
    name: str,
    where: str,
    pull: contextlib.ExitStack,
) -> None:
    try:
        wait_for(context.clock, seconds, what, attempt)
    except Hopeless as problem:
        why = problem.reason or "Docker does not say why"
        raise Refused(f"the image {name} could not be pulled: {why}") from None
    except TimedOut:
        # it is left to come to its end
        pull.pop_all()
        raise Refused(
            f"the image {name} was not pulled within {budgets.PULL} s on {where}; that goes on: deploy again when it"
            " has ended"
        ) from None


def _begin(everywhere: Callable[[], None], service: str) -> None:
    """Every host at once; what is wrong is said later. What was rejected after an earlier release had given up waiting
    is tried again.
    """
    try:
        everywhere()
    except Hopeless:
        remove_services(service)
    except (NotYet, Unavailable):
        return


def _service_name(image: str) -> str:
    """Of what pulls the image, on this machine and on every host."""
    line = f"{image}\n"
    return f"twinhost-pull-{hashlib.sha256(line.encode()).hexdigest()[:16]}"


def _runs_already(context: Context, image: str) -> bool:
    """Whether the service of the application has this very image, which then is on the hosts. Where Swarm does not say
    so, it is pulled.
    """
    try:
        service = context.engine.service(APPLICATION)
        return shape.maybe_text(service, "Spec", "TaskTemplate", "ContainerSpec", "Image") == image
    except (Unavailable, Damaged):
        return False


def _pulled_everywhere(context: Context, docker: Docker, service: str, image: str) -> None:
    """Whether every host has the image. A service has them pull it whose containers cannot start. NotYet with the
    hosts that do not have it; Hopeless where one cannot pull it.
    """
    if not _exists(context, service):
        _create(docker, service, image)
    verdict = pulled(context.engine.nodes(), context.engine.tasks(service=service))
    if isinstance(verdict, Missing):
        raise NotYet(verdict.reason)
    if isinstance(verdict, Rejected):
        raise Hopeless(verdict.reason)


def _exists(context: Context, service: str) -> bool:
    """Where Swarm does not say so, it is created, which Swarm refuses where it exists."""
    try:
        return context.engine.service(service) is not None
    except Unavailable:
        return False


def _create(docker: Docker, service: str, image: str) -> None:
    arguments = ["--quiet", "--detach", "--name", service, "--label", f"{_LABEL}=yes", "--mode", "global"]
    arguments += ["--constraint", "engine.labels.twinhost.role == host", "--restart-condition", "none"]
    arguments += ["--no-healthcheck", "--no-resolve-image", *docker.registry_auth, "--entrypoint", "/only-pulled"]
    docker.run(_CREATE, "service", "create", *arguments, image)


def _read(file: Path) -> str:
    """What Docker has said there, which may be the words of a registry; empty where it has not."""
    try:
        return file.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""


class _PullHere:
    """Has this machine pull an image by a unit of its own, which continues where this release gives up waiting."""

    def __init__(self, context: Context, docker: Docker, image: str) -> None:
        self._docker = docker
        self._image = image
        self._unit = _service_name(image)
        self._said = context.machine.paths.volatile / self._unit
        self._begun = False

    def attempt(self) -> None:
        """NotYet while it is under way; Hopeless with Docker's last line where it has ended without the image."""
        if self._docker.has(self._image):
            return
        if self._is_active():
            raise NotYet("it is under way")
        if self._begun:
            # it may have ended since the first look
            if self._docker.has(self._image):
                return
            raise Hopeless(last_line(_read(self._said)))
        self._begun = True
        self._begin()
        raise NotYet("")

    def _is_active(self) -> bool:
        try:
            run(["systemctl", "-q", "is-active", self._unit], _SYSTEMD)
        except CommandFailed:
            return False
        return True

    def _begin(self) -> None:
        command = ["systemd-run", "--quiet", "--collect", f"--unit={self._unit}"]
        command += [f"--property=RuntimeMaxSec={_LONGEST}", f"--setenv=HOME={os.environ.get('HOME') or '/root'}"]
        config = self._docker.environment.get("DOCKER_CONFIG") or os.environ.get("DOCKER_CONFIG") or ""
        command += [f"--setenv=DOCKER_CONFIG={config}", "bash", "-c", _PULL, "bash", self._image, str(self._said)]
        run(command, _SYSTEMD, merge=True)
