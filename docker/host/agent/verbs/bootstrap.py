"""Makes this machine a part of the cluster: run once by the launcher and then on every boot; may run again at any
time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shlex
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Callable, Optional, TypeVar

from agent import budgets, files, releases
from agent.clock import wait_for
from agent.context import Context
from agent.decide import completeness
from agent.decide.completeness import Complete, Completeness
from agent.decide.stack import EDGE
from agent.errors import Damaged, NotYet, Problem, Refused, TimedOut, Unavailable
from agent.locks import try_held
from agent.log import log, quote, speaking_as
from agent.machine import Machine
from agent.metadata import metadata
from agent.process import CommandFailed
from agent.process import run as call
from agent.swarm import activate
from agent.verbs import certificate, join, release, tickets

T = TypeVar("T")
Verb = Callable[[Context, list[str]], Optional[int]]

_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
# seconds until systemd says whether it calls Docker active
_LOOK = 20
# each look costs two calls of AWS
_LOOK_PACE = 3


def run(context: Context, _: list[str]) -> int:
    """1 where a step has failed, which has said why as the last line of the log."""
    paths = context.machine.paths
    for folder in (paths.state / "preflight", paths.volatile):
        folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(contextlib.ExitStack()) as lock:
        if not lock.enter_context(try_held(paths.volatile / "bootstrap.lock")):
            raise Refused("another bootstrap is running")
        (paths.state / "tls/retire").unlink(missing_ok=True)
        context = _identified(context)
        releases.install(context, context.machine.release)
        return _come_back(context, lock) if is_survivor(context.machine) else _come(context)


def is_survivor(machine: Machine) -> bool:
    """Whether this machine is a member of a cluster already, by what is on its disk."""
    state = machine.paths.root / "var/lib/docker/swarm/docker-state.json"
    return machine.own_cluster() is not None and state.exists()


def _come(context: Context) -> int:
    """A machine that is in no cluster yet."""
    wait_for(context.clock, budgets.MOUNTED, "the shared storage", lambda: mount_storage(context.machine))
    try:
        other = find_converged(context)
    except (Unavailable, Damaged) as problem:
        quote("the release", problem.reason)
        raise Refused("the release that converged last could not be fetched") from None
    if other is not None:
        _hand_over(context, other)
    if not _prepare(context):
        return 1
    if not _succeeds(context, "join", join.run) or not _succeeds(context, "release", release.run, "--boot"):
        return 1
    complete = partial(require_complete, context)
    wait_for(context.clock, budgets.COMPLETE, "this machine to be complete", complete, _LOOK_PACE)
    log("this machine is complete")
    return 0


def _come_back(context: Context, lock: contextlib.ExitStack) -> int:
    """A survivor serves without the storage and without a leader: neither holds it up, and its release is on its
    disk.
    """
    try:
        mount_storage(context.machine)
        other = find_converged(context)
    except (Unavailable, Damaged) as problem:
        quote("the shared storage", problem.reason)
        log("the shared storage cannot be read: what is served goes on being served")
        other = None
    if other is not None:
        _hand_over(context, other)
    if not _prepare(context):
        return 1
    # `heal` may work from here on: it follows another cluster, or has a lost manager replaced
    lock.close()
    if follows(context):
        log("the record names another cluster: heal follows it")
        return 0
    try:
        wait_for(context.clock, budgets.LEADER, "a leader of the Swarm", lambda: _require_leader(context))
    except TimedOut:
        raise Refused("no leader of the Swarm is seen: what runs goes on running") from None
    wait_for(context.clock, budgets.ACTIVE, "this machine to be active", lambda: activate(context))
    if not _succeeds(context, "release", release.run, "--boot"):
        return 1
    if not context.machine.mounted():
        raise Refused("the shared storage is not mounted: what is served goes on being served")
    log("this machine is back")
    return 0


def _prepare(context: Context) -> bool:
    """What an edge needs before it starts, and Docker."""
    if not _succeeds(context, "certificate", certificate.run):
        return False
    # it has said why it failed; an edge serves without
    _succeeds(context, "tickets", tickets.run)
    start_docker(context)
    return True


def _succeeds(context: Context, name: str, verb: Verb, *arguments: str) -> bool:
    """Runs another verb within this one. Where it fails, the last line of the log says why."""
    with speaking_as(name):
        try:
            return not verb(context, list(arguments))
        except Problem as problem:
            log(problem.reason)
        except OSError as error:
            log(f"broke off: {error}")
    return False


def _identified(context: Context) -> Context:
    """The context of a machine that has asked the metadata service which one it is, and noted that."""
    instance, address = wait_for(context.clock, budgets.IDENTITY, "the metadata service", lambda: _identify(context))
    files.write(
        context.machine.paths.state / "instance.env",
        f"export TWINHOST_INSTANCE={shlex.quote(instance)}\nexport TWINHOST_ADDRESS={shlex.quote(address)}\n",
    )
    return dataclasses.replace(
        context, machine=dataclasses.replace(context.machine, instance=instance, address=address)
    )


def _identify(context: Context) -> tuple[str, str]:
    instance = metadata(context.clock, "instance-id").strip()
    address = metadata(context.clock, "local-ipv4").strip()
    if not instance.startswith("i-") or not _ADDRESS.fullmatch(address):
        raise NotYet("it names no instance")
    return instance, address


def mount_storage(machine: Machine) -> None:
    """fstab mounts it at boot; where that came too early or the storage was away, this does. Through systemd: a
    process that serves the mount would end with this unit. Unavailable where it cannot be mounted.
    """
    if not machine.mounted():
        call(["systemctl", "start", "srv-twinhost.mount"], budgets.MOUNT)


def find_converged(context: Context) -> Path | None:
    """The folder of the release that converged last, where that is another one than this: a machine boots with that,
    not with one that failed or is still on its way. None where it is this one, or none ever has; raises where that
    cannot be told, or it cannot be had.
    """
    note = releases.converged(context)
    if note is None:
        return None
    folder = releases.obtain(context, note)
    return None if folder.resolve() == context.machine.release.resolve() else folder


def _hand_over(context: Context, folder: Path) -> None:
    """Ends this process, in favour of the same verb of that release, which may be one of before this agent."""
    log(f"hands over to the release that converged last, {folder.name}")
    releases.install(context, folder)
    sys.stdout.flush()
    # Python ignores it, and so would all that begins here
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp("bash", ["bash", str(folder / "docker/host/bootstrap.sh")])


def start_docker(context: Context) -> None:
    """The labels have to be there before the first start, because Swarm places services by them. Raises where Docker
    does not start.
    """
    configuration = docker_configuration(context.machine)
    file = context.machine.paths.root / "etc/docker/daemon.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if files.read(file) != configuration:
        files.write(file, configuration, 0o644)
        if _docker_runs():
            call(["systemctl", "restart", "docker"], budgets.DOCKER_RESTART)
    call(["systemctl", "-q", "enable", "--now", "docker"], budgets.DOCKER_START)
    wait_for(context.clock, budgets.DOCKER_START, "Docker", context.engine.ping)


def docker_configuration(machine: Machine) -> str:
    """daemon.json. No network of Docker's meets 10.0.0.0/8, where a VPC usually is; logs are bounded. A change of a
    single byte restarts Docker on every machine at its next boot.
    """
    instance, _ = machine.identity()
    configuration = {
        "labels": [f"twinhost.role={machine.role}", f"twinhost.instance={instance}"],
        "log-driver": "local",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "bip": "172.17.0.1/16",
        "default-address-pools": [{"base": "172.18.0.0/16", "size": 24}],
    }
    return json.dumps(configuration, indent=2) + "\n"


def _docker_runs() -> bool:
    try:
        call(["systemctl", "-q", "is-active", "docker"], _LOOK)
    except CommandFailed:
        return False
    return True


def follows(context: Context) -> bool:
    """Whether the record names another cluster than the one of this machine, which `heal` then follows. Where it
    cannot be read, this machine stays where it is, and nothing is changed by that.
    """
    try:
        recorded = context.record.show().cluster
    except (Unavailable, Damaged):
        return False
    return recorded not in ("", context.machine.own_cluster())


def _require_leader(context: Context) -> None:
    if not context.engine.sees_leader():
        raise NotYet("")


def require_complete(context: Context) -> None:
    """NotYet, with what is missing, until this machine is all that it should be. What cannot be asked is missing."""
    engine = context.engine
    state = _asked(engine.swarm_state, "this machine is not active in the Swarm")
    _require(completeness.of_swarm(state))
    _require(_asked(lambda: completeness.of_managers(engine.nodes(role="manager")), "no leader is seen"))
    if not context.machine.is_host:
        return
    _require(_asked(lambda: _edge(context), "the edge on this machine: unknown"))
    targets = _asked(context.targets, "the balancer names no target, or cannot be asked")
    _require(completeness.of_targets(targets, context.machine.identity()[0]))


def _edge(context: Context) -> Completeness:
    return completeness.of_edge(context.engine.tasks(service=EDGE), context.engine.own_node())


def _asked(ask: Callable[[], T], otherwise: str) -> T:
    try:
        return ask()
    except (Unavailable, Damaged, OSError):
        raise NotYet(otherwise) from None


def _require(found: Completeness) -> None:
    if not isinstance(found, Complete):
        raise NotYet(found.reason)
