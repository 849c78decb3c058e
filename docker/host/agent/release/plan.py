"""What a release deploys, as its settings and the record say: before anything is pulled, tried or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agent import budgets, shape
from agent.contained import contained
from agent.context import Context
from agent.decide import images
from agent.errors import Damaged, Refused, Unavailable
from agent.machine import Settings

# seconds between an application's containers as they are exchanged, unless a trial has found more
DELAY = 2


@dataclass(frozen=True)
class Plan:
    """What is deployed. Images as the settings, the Dockerfiles and the release parameter name them, and as they are
    run: by their digest as soon as that is known.
    """

    settings: Settings
    edge: str
    edge_runs: str
    certbot: str
    certbot_runs: str
    # empty where the default page stands in for the application
    application: str
    application_runs: str
    health_path: str
    delay: int
    start_seconds: int
    # clients are shown the page of maintenance
    maintenance: bool
    # what tells this application from another one; empty before its environment and secrets are known
    sum: str = ""

    @property
    def default_page(self) -> bool:
        return not self.application

    @property
    def port(self) -> str:
        return self.settings["TWINHOST_APP_PORT"]

    @property
    def path(self) -> str:
        """What the application is asked for."""
        return self.health_path or "/"

    def with_edge(self, image: str) -> Plan:
        """The edge by its digest, and the default page, which is served from the same image."""
        application = image if self.default_page else self.application_runs
        return replace(self, edge_runs=image, application_runs=application)

    def values(self) -> dict[str, str]:
        """The settings as stack.yml, the templates and the entry points of the services read them."""
        return {
            **self.settings.values,
            "TWINHOST_EDGE_IMAGE": self.edge_runs,
            "TWINHOST_CERTBOT_IMAGE": self.certbot_runs,
            "TWINHOST_APP_IMAGE": self.application_runs,
            "TWINHOST_APP_HEALTH_PATH": self.health_path,
        }

    def environment(self, **more: str) -> Mapping[str, str]:
        """What the stack's files ask for. Swarm takes what a service's environment, mounts and host name hold for a
        template (https://github.com/moby/swarmkit/blob/master/template/expand.go): of those only the environment holds
        settings.
        """
        lame_duck = self.settings.number("TWINHOST_LAME_DUCK")
        replicas = self.settings.number("TWINHOST_APP_REPLICAS")
        return {
            **{name: value.replace("{{", '{{"{{"}}') for name, value in self.values().items()},
            "TWINHOST_EDGE_FIRST": str(budgets.EDGE_FIRST),
            "TWINHOST_EDGE_LAST": str(budgets.EDGE_LAST),
            "TWINHOST_EDGE_PATIENCE": str(budgets.EDGE_PATIENCE),
            "TWINHOST_EDGE_GRACE": str(budgets.EDGE_PATIENCE + lame_duck + budgets.EDGE_LAST),
            # where the old one stops first, the new one takes its place and the replicas stay spread; a single one
            # would leave a gap
            "TWINHOST_APP_UPDATE_ORDER": "stop-first" if replicas > 1 else "start-first",
            "TWINHOST_APP_DELAY": str(self.delay),
            "TWINHOST_APP_SUM": self.sum,
            **more,
        }


def create_plan(context: Context) -> Plan:
    """What the release whose code this is deploys. Refused where it does not say which images."""
    settings = context.settings()
    edge = settings.values.get("TWINHOST_EDGE_IMAGE") or _image_of(context, "edge")
    certbot = settings.values.get("TWINHOST_CERTBOT_IMAGE") or _image_of(context, "certbot")
    application = settings["TWINHOST_APP_IMAGE"]
    if application.startswith("asset:"):
        # the image of a folder: only the release parameter has account and region
        application = shape.maybe_text(context.release_note(), "appImage") or ""
        if not application:
            raise Refused("the release parameter does not say where the image of appImage is")
    note = last_note(context)
    return Plan(
        settings=Settings({**settings.values, "TWINHOST_APP_IMAGE": application}),
        edge=edge,
        edge_runs=edge,
        certbot=certbot,
        certbot_runs=images.noted(note, certbot) or certbot,
        application=application,
        application_runs=application or edge,
        health_path=settings["TWINHOST_APP_HEALTH_PATH"] or ("" if application else "/"),
        delay=_noted_delay(note),
        start_seconds=settings.number("TWINHOST_APP_START_SECONDS"),
        maintenance=settings.flag("TWINHOST_MAINTENANCE"),
    )


def last_note(context: Context) -> Mapping[str, object]:
    """What is noted of the release that converged last; nothing where there is none, or it cannot be read: then what
    an image's tag stands for is asked anew.
    """
    try:
        return context.record.release() or {}
    except (Unavailable, Damaged):
        return {}


def work_folder(context: Context) -> Path:
    """Where the files of the stack are written."""
    return context.machine.paths.state / "stack"


def make_folders(context: Context) -> None:
    """What the services mount from the shared storage; readable by Nginx's workers where it is the webroot."""
    shared = context.machine.paths.shared

    def make() -> None:
        for name, mode in (("acme", 0o755), ("letsencrypt", 0o700)):
            (shared / name).mkdir(parents=True, exist_ok=True)
            (shared / name).chmod(mode)

    try:
        contained(2 * budgets.STORAGE, "the shared storage", make)
    except Unavailable:
        raise Refused("the shared storage cannot be written") from None


def _noted_delay(note: Mapping[str, object]) -> int:
    """What a trial of the application has found."""
    delay = note.get("appDelay")
    return delay if isinstance(delay, int) and not isinstance(delay, bool) and delay >= 0 else DELAY


def _image_of(context: Context, service: str) -> str:
    """The image that docker/SERVICE/Dockerfile names: one line, which dependency tools read and raise. certbot's
    digest is one of several architectures; it was read, not pulled, in public repositories that name it beside the
    tag. Of nginx's no digest was to be had: the tag is pinned to what it stands for when it is first deployed.
    """
    image, found = images.named_in((context.machine.release / "docker" / service / "Dockerfile").read_text())
    if image is None:
        raise Refused(f'docker/{service}/Dockerfile does not hold one line "FROM image", got {found!r}')
    return image
