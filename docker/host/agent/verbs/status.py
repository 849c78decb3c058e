"""One screen: what is, and what is wrong. --json prints the same for a program. Ends with 1 when something is wrong.

It shows what it can: a part that cannot be read is one of the things that are wrong, and nothing follows from it here.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from functools import partial
from typing import Callable, TypeVar

from agent import budgets, files, shape
from agent.contained import contained
from agent.context import Context
from agent.decide.cluster_record import Seen
from agent.decide.stack import OF_STACK, RELEASE_LOCK
from agent.decide.status import Certificate, MachineState, Status, Tag
from agent.decide.swarm_status import (
    Answers,
    application_image,
    application_of,
    nodes_of,
    releases_of,
    services_of,
    swarm_of,
)
from agent.decide.targets import Target
from agent.decide.wrong import notes_of, wrong_of
from agent.engine import filters
from agent.errors import Damaged, Hopeless, NotAllowed, Unavailable
from agent.lease import lease
from agent.machine import Settings
from agent.process import run as call
from agent.record import last_seen
from agent.registry import distribution, login_for, refused
from agent.served import days_left, issuer_of, leaf_of, names_of, served
from agent.status_text import screen

T = TypeVar("T")

_DIGEST = re.compile(r".*@sha256:[0-9a-f]{64}", re.DOTALL)
_TAGGED = re.compile(r"(.+:[A-Za-z0-9_][A-Za-z0-9_.-]*)@sha256:[0-9a-f]{64}")
# Docker Hub counts what it is asked for (https://docs.docker.com/docker-hub/usage/pulls/): so long an answer holds
_TAG_HOLDS = 600
# seconds for each call of a registry, and of df
_REGISTRY = 5
_DISK = 10


def run(context: Context, arguments: list[str]) -> int:
    context.machine.paths.volatile.mkdir(parents=True, exist_ok=True)
    status = collect(context)
    notes, wrong = notes_of(status), wrong_of(status)
    if arguments[:1] == ["--json"]:
        shown = json.dumps(status.json(notes, wrong), indent=2, ensure_ascii=False) + "\n"
    else:
        shown = screen(status, notes, wrong)
    sys.stdout.write(shown)
    return 1 if wrong else 0


def collect(context: Context) -> Status:
    """Raises where the settings or this machine's own disk cannot be read."""
    machine, settings = context.machine, context.settings()
    record = _record(context)
    answers = _answers(context)
    return Status(
        site=f"https://{settings.www}/",
        maintenance=settings.flag("TWINHOST_MAINTENANCE"),
        managers=settings.number("TWINHOST_MANAGERS"),
        machine=MachineState(
            instance=machine.instance or "unknown",
            role=machine.role,
            address=machine.address or "unknown",
            release=machine.sha,
            swarm=swarm_of(answers),
            disk_percent=_disk_percent(context),
            refusal=_refusal(context),
        ),
        record=record,
        now=machine.clock.uptime(),
        nodes=nodes_of(answers),
        services=services_of(answers),
        application=application_of(answers, noted(context, settings), meant(context, settings, answers)),
        releases=releases_of(answers),
        targets=_targets(context),
        certificate=certificate(context, settings),
        healed=(files.read(machine.paths.state / "healed") or "").rstrip("\n"),
    )


def _record(context: Context) -> Seen | None:
    """What this machine read of the record last, just now where it can be read."""
    with contextlib.suppress(Unavailable, Damaged, OSError):  # the screen says how old the last look is
        context.record.refresh()
    try:
        return last_seen(context.machine.paths)
    except (Damaged, OSError):
        return None


def _refusal(context: Context) -> str | None:
    """Why this machine does not hold the lease."""
    try:
        lease(context.machine)
    except NotAllowed as refusal:
        return refusal.reason
    return None


def _answers(context: Context) -> Answers:
    label = filters({"label": OF_STACK})
    lock = filters({"name": RELEASE_LOCK})
    return Answers(
        info=_ask(context, "/info"),
        nodes=_ask(context, "/nodes"),
        services=_ask(context, f"/services?status=true&{label}"),
        tasks=_ask(context, f"/tasks?{label}"),
        configs=_ask(context, f"/configs?{lock}"),
    )


def _ask(context: Context, path: str) -> object:
    """The engine's answer; None where there is none."""
    return _or_none(lambda: context.engine.get(path, budgets.ENGINE_LOOK))


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (Unavailable, Damaged):
        return None


def _targets(context: Context) -> list[Target]:
    """None of them where one group cannot be asked: what the others say is not the whole."""
    try:
        return context.targets()
    except (Unavailable, Damaged, OSError):
        return []


def _disk_percent(context: Context) -> int:
    said = call(["df", "--output=pcent", str(context.machine.paths.state)], _DISK)
    percent = re.sub(r"[^0-9]", "", said.splitlines()[-1]) if said.strip() else ""
    if not percent:
        raise Damaged("df does not say how full the disk is")
    return int(percent)


def noted(context: Context, settings: Settings) -> str | None:
    """The reference that is noted as the application's with the release that converged last."""
    return _or_none(lambda: _noted(context, settings["TWINHOST_APP_IMAGE"]))


def _noted(context: Context, image: str) -> str | None:
    note = context.record.release()
    if note is None:
        return None
    # of the image of a folder only the release parameter has account and region
    name = shape.maybe_text(note, "appImage") if image.startswith("asset:") else image
    found = shape.maybe_text(note, "images", name) if name else None
    return found if found is not None and _DIGEST.fullmatch(found) else None


def meant(context: Context, settings: Settings, answers: Answers) -> Tag | None:
    """What the tag of the application's image means to its registry now. None where there is no tag: the default page,
    an image by its digest, and the one of a folder, of which the tag is a hash.
    """
    setting, reference = settings["TWINHOST_APP_IMAGE"], application_image(answers)
    tagged = _TAGGED.fullmatch(reference or "")
    if not setting or setting.startswith("asset:") or "@" in setting or reference is None or tagged is None:
        return None
    tag = tagged[1]
    kept = _or_none(partial(_kept, context, reference))
    if kept is not None:
        return kept
    try:
        digest = _ask_registry(context, settings, tag)
    except (Unavailable, Hopeless) as problem:
        return Tag(tag, why=problem.reason)
    _keep(context, reference, Tag(tag, digest))
    return Tag(tag, digest)


def _ask_registry(context: Context, settings: Settings, tag: str) -> str:
    try:
        return distribution(context, tag, _REGISTRY).digest
    except Unavailable as problem:
        login = login_for(context, settings, tag)
        if login is None or not refused(problem.reason):
            raise
    # the login of before may be over, or this machine have had none yet
    login.log_in(_REGISTRY)
    return distribution(context, tag, _REGISTRY).digest


def _kept(context: Context, reference: str) -> Tag | None:
    """The last answer, where it is about the same image and still holds."""
    content = files.read(context.machine.paths.volatile / "meant")
    if content is None:
        return None
    value = shape.parse(content, "the answer of before")
    asked = shape.number(value, "asked")
    if shape.text(value, "reference") != reference or not 0 <= context.clock.uptime() - asked < _TAG_HOLDS:
        return None
    return Tag(shape.filled(value, "tag"), shape.filled(value, "digest"))


def _keep(context: Context, reference: str, tag: Tag) -> None:
    kept = {"reference": reference, "asked": context.clock.uptime(), "tag": tag.tag, "digest": tag.digest}
    with contextlib.suppress(OSError):  # the registry is asked once more
        files.write(context.machine.paths.volatile / "meant", shape.compact(kept) + "\n")


def certificate(context: Context, settings: Settings) -> Certificate | None:
    """What this machine's edge shows a client, or, where that is nothing, what it would show. None where this machine
    has none, or none that can be read.
    """
    content = files.read(context.machine.paths.state / "tls/current/fullchain.pem")
    if content is None:
        return None
    own = _or_none(partial(leaf_of, content))
    pem = served(context.machine, settings)
    shown = _or_none(partial(leaf_of, pem)) if pem is not None else None
    leaf = own if shown is None else shown
    if leaf is None:
        return None
    return _or_none(partial(_describe, context, settings, leaf, shown is not None, leaf == own))


def _describe(context: Context, settings: Settings, leaf: str, shown: bool, own: bool) -> Certificate:
    names = names_of(leaf)
    return Certificate(
        names=names,
        missing=[name for name in settings.names if name not in names],
        issuer=issuer_of(leaf),
        days_left=days_left(leaf),
        served=shown,
        own=own,
        certbot=_certbot(context, settings),
    )


def _certbot(context: Context, settings: Settings) -> str:
    """What certbot says that it waits for; nothing where the storage cannot be read."""
    file = context.machine.paths.shared / "letsencrypt" / f"{settings['TWINHOST_ACME_NAME']}.status"
    said = _or_none(lambda: contained(budgets.STORAGE, "the shared storage", lambda: files.read(file)))
    return (said or "").rstrip("\n")
