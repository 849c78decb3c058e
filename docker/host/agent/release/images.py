"""The images that a release runs: pulled before Swarm hears of them, and named by their digest, so that what is looked
at here is what runs everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from agent import budgets
from agent.clock import wait_for
from agent.context import Context
from agent.decide import images
from agent.errors import Hopeless, NotYet, Refused, TimedOut, Unavailable
from agent.lease import Lease
from agent.log import log
from agent.process import run
from agent.registry import distribution, docker_environment, know_registry, login_for
from agent.release.docker import Docker
from agent.release.plan import Plan, last_note
from agent.release.pulls import pull_everywhere

_REPO_DIGESTS = "{{range .RepoDigests}}{{println .}}{{end}}"
_PLATFORM = "{{.Os}}/{{.Architecture}}"
# seconds for a program that asks nobody
_LOOK = 5


def have_edge_image(context: Context, docker: Docker, plan: Plan, patiently: bool) -> tuple[Docker, Plan]:
    """Has Docker have the edge's image, from whichever registry has it. Refused where none has; `patiently`, at boot,
    where nobody is there to try again, only after a while.
    """
    # what is noted is a place by itself; its registry may be away, and another one have the same digest
    places = images.places(images.noted(last_note(context), plan.edge) or plan.edge)
    if know_registry(context, plan.settings, places[0]):
        docker = _logged_in(context, docker, plan, places[0])
    _have(context, docker, plan.edge, places, patiently)
    place = next((place for place in places if docker.has(place)), places[-1])
    return docker, plan.with_edge(_by_digest(docker, place))


def resolve_application(
    lease: Lease, context: Context, docker: Docker, plan: Plan, after: ExitStack, anew: bool, patiently: bool
) -> tuple[Docker, Plan]:
    """The application by the digest that its tag means: what was noted when this very release converged, or what its
    registry says now, once; `anew`: in any case. Refused where it cannot be had; `patiently`, at boot, where nobody is
    there to try again, only after a while.
    """
    if plan.default_page:
        return docker, plan
    noted = None if anew else _noted(context, plan)
    if noted is not None:
        return _know_if_possible(context, docker, plan), replace(plan, application_runs=noted)
    return _bring(lease, context, docker, plan, patiently, after)


def noted_application(context: Context, docker: Docker, plan: Plan) -> tuple[Docker, Plan]:
    """The same on the way back, which asks no registry: what was noted, or else the tag."""
    if plan.default_page:
        return docker, plan
    noted = _noted(context, plan)
    return _know_if_possible(context, docker, plan), replace(plan, application_runs=noted or plan.application)


def _noted(context: Context, plan: Plan) -> str | None:
    note = last_note(context)
    return images.noted(note, plan.application) if note.get("sha256") == context.machine.sha else None


def _bring(
    lease: Lease, context: Context, docker: Docker, plan: Plan, patiently: bool, after: ExitStack
) -> tuple[Docker, Plan]:
    """What the registry says that the application's image is now, on every host."""
    if know_registry(context, plan.settings, plan.application):
        docker = _logged_in(context, docker, plan, plan.application)
    image = _resolve(context, plan.application, patiently)
    check = partial(_check_platform, docker, plan.application, image)
    pull_everywhere(lease, context, docker, plan.application, image, check, after)
    return docker, replace(plan, application_runs=image)


def _resolve(context: Context, image: str, patiently: bool) -> str:
    def attempt() -> str:
        found = distribution(context, image)
        # what names no platform may be for any machine: it is seen when it is pulled
        misfit = images.misfit(found.platforms, _own_platform())
        if misfit:
            raise Hopeless(misfit)
        return image if "@" in image else f"{image}@{found.digest}"

    if patiently:
        return wait_for(context.clock, budgets.RESOLVE, f"the image {image}", attempt)
    try:
        return attempt()
    except (Unavailable, Hopeless) as problem:
        raise Refused(f"the image {image} cannot be had: {problem.reason}") from None


def _check_platform(docker: Docker, name: str, image: str) -> None:
    """Of an image that is one manifest of the OCI, Docker does not ask the registry for the platform.
    https://github.com/moby/moby/blob/v25.0.5/api/server/router/distribution/distribution_routes.go
    """
    platform = docker.inspect(image, _PLATFORM).strip()
    misfit = images.misfit([platform] if platform else [], _own_platform())
    if misfit:
        raise Refused(f"the image {name} cannot be had: {misfit}")


def _know_if_possible(context: Context, docker: Docker, plan: Plan) -> Docker:
    """A registry that is away must not keep what has served from serving again: Swarm then keeps the login that it
    has. https://github.com/moby/moby/blob/v25.0.5/daemon/cluster/services.go, UpdateService
    """
    login = login_for(context, plan.settings, plan.application)
    if login is None:
        return docker
    docker = _logged_in(context, docker, plan, plan.application)
    try:
        wait_for(context.clock, budgets.REGISTRY_AWAY, f"the registry {login.registry}", login.log_in)
    except (TimedOut, Hopeless) as problem:
        log(problem.reason)
        return replace(docker, send_login=False)
    return docker


def _logged_in(context: Context, docker: Docker, plan: Plan, image: str) -> Docker:
    login = login_for(context, plan.settings, image)
    return replace(docker, environment={**docker.environment, **docker_environment(context, login)})


def _have(context: Context, docker: Docker, image: str, places: Sequence[str], patiently: bool) -> None:
    """What cannot be had is refused before Swarm hears of it."""

    def attempt() -> None:
        why = _pull(docker, places)
        if why is not None:
            raise NotYet(why)

    if patiently:
        wait_for(context.clock, budgets.PULL, f"the image {image}", attempt)
        return
    try:
        attempt()
    except NotYet as problem:
        raise Refused(f"the image {image} could not be pulled: {problem.reason}") from None


def _pull(docker: Docker, places: Sequence[str]) -> str | None:
    """Has Docker have the image from the first of these places that has it; why none has, otherwise."""
    if any(docker.has(place) for place in places):
        return None
    limit = budgets.PULL // len(places)
    reasons: list[str] = []
    for place in places:
        why = docker.pull(place, limit)
        if why is None:
            return None
        reasons.append(why if len(places) == 1 else f"{place.split('/')[0]}: {why}")
    return "; ".join(reasons)


def _by_digest(docker: Docker, image: str) -> str:
    """What was built on this machine has no digest, and is on no other one; nor is it known of an image of which
    Docker does not say it: then it runs as it is named.
    """
    if "@" in image:
        return image
    try:
        return images.with_digest(image, docker.inspect(image, _REPO_DIGESTS).split("\n"))
    except Unavailable:
        return image


def _own_platform() -> str:
    return images.platform(run(["uname", "-m"], _LOOK).strip())
