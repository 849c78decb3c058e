"""What several verbs ask of the Swarm or change in it: the watch over its record, a spread of the application, a
machine that serves again, nodes that are gone, services that Swarm has to begin again with.
"""

from __future__ import annotations

import contextlib
from typing import Callable, TypeVar

from agent import files, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.cluster_record import Record
from agent.decide.nodes import Node, parse_nodes, parse_tasks
from agent.decide.spreading import LABEL, replicas_to_spread
from agent.decide.stack import APPLICATION, RELEASE_LOCK
from agent.decide.watch import Watch, Watched, watch
from agent.engine import filters
from agent.errors import Damaged, NotYet, Problem, Unavailable
from agent.lease import Lease
from agent.locks import is_free
from agent.log import quote
from agent.machine import Settings
from agent.process import run

T = TypeVar("T")

# one command of Docker that changes a node, until it is removed, and one that changes a service
_NODE = 20
_REMOVAL = 30
_SERVICE = 60
# after a spread that failed
_REST = 600


def watch_record(context: Context, record: Record) -> Watched:
    """The record as this machine has watched it, on its own clock. What was kept and is not whole is as if nothing
    had been: the watch begins again, and with it the time before anything follows from it.
    """
    file = context.machine.paths.volatile / "watch"
    now = context.clock.uptime()
    watched, kept = watch(record, _kept(files.read(file), now), now)
    files.write(file, shape.compact(kept.json()) + "\n")
    return watched


def _kept(content: str | None, now: int) -> Watch | None:
    if content is None:
        return None
    try:
        return Watch.parse(shape.parse(content, "what was kept of the watch"), now)
    except Damaged:
        return None


def nodes(context: Context) -> list[Node]:
    return parse_nodes(context.engine.nodes())


def release_runs(context: Context) -> bool:
    """Whether a release is under way, on this machine or anywhere in the cluster. Unavailable or Damaged where Swarm
    does not say.
    """
    if not is_free(context.machine.paths.volatile / "release.lock"):
        return True
    return bool(shape.items(context.engine.get(f"/configs?{filters({'name': RELEASE_LOCK})}")))


def activate(context: Context) -> None:
    """What the way down has drained serves again. Unavailable where Swarm cannot be told."""
    paths = context.machine.paths
    if not (paths.state / "drained").exists():
        return
    if context.machine.is_host:
        node = context.engine.own_node()
        run(["docker", "node", "update", "--availability", "active", node], _NODE)
    (paths.state / "drained").unlink(missing_ok=True)
    (paths.state / "tls/retire").unlink(missing_ok=True)


def remove_node(context: Context, _: Lease, node: Node) -> None:
    """Removes a node that is down; TimedOut where Swarm does not within 30 s. A manager is demoted first, or it would
    continue to count towards the quorum (https://github.com/moby/moby/issues/30847).
    """
    with contextlib.suppress(Unavailable):  # a worker, or one that is demoted already; what matters is the removal
        run(["docker", "node", "demote", node.id], _NODE)
    wait_for(
        context.clock,
        _REMOVAL,
        f"the demotion of {node.name}",
        lambda: run(["docker", "node", "rm", "--force", node.id], _NODE),
    )


def begin_again(_: Lease, service: str) -> None:
    """Has Swarm look at each task of that service again; Unavailable with Docker's words where it does not."""
    run(["docker", "service", "update", "--quiet", "--detach", "--no-resolve-image", "--force", service], _SERVICE)


def spread(context: Context, settings: Settings, node: str | None = None) -> str | None:
    """Where all replicas of the application run on one of several hosts (on `node`, where one is given), starts one
    more, which Swarm puts where none is, and then ends one, which Swarm takes from where most are: there are never
    fewer. The service's label says that this is under way, so that the leader after this one brings it to its end.

    What it did; None where there was nothing to do, or Swarm does not say. A Problem with the reason where the new
    replica does not come up: it is taken back, and for 10 minutes no other is tried.
    """
    failed = context.machine.paths.volatile / "spread-failed"
    if not _rested(files.read(failed), context.clock.uptime()):
        return None
    number = _replicas(context, node)
    if number is None:
        return None
    seconds = settings.number("TWINHOST_APP_START_SECONDS") + 30
    failed.unlink(missing_ok=True)
    _scale("--label-add", f"{LABEL}={number}", "--replicas", str(number + 1))
    problem = _one_more(context, number + 1, seconds)
    if problem is not None:
        files.write(failed, f"{context.clock.uptime()}\n")
    try:
        _scale("--label-rm", LABEL, "--replicas", str(number))
    except Unavailable as refusal:
        quote("docker", refusal.reason)
        problem = problem or Unavailable("the one more could not be taken back")
    if problem is not None:
        raise problem
    return "spread the application over the hosts again"


def _rested(noted: str | None, now: int) -> bool:
    """Whether a spread may be tried, by what is noted of the last one that failed."""
    tried = (noted or "").strip()
    return not tried.isdecimal() or not 0 <= now - int(tried) < _REST


def _replicas(context: Context, node: str | None) -> int | None:
    """What decide.spreading says. None where Swarm does not say all of it: nothing is spread then."""
    try:
        service = context.engine.service(APPLICATION)
        if service is None:
            return None
        return replicas_to_spread(nodes(context), parse_tasks(context.engine.tasks(service=APPLICATION)), service, node)
    except (Unavailable, Damaged):
        return None


def _scale(*change: str) -> None:
    run(["docker", "service", "update", "--quiet", "--detach", "--no-resolve-image", *change, APPLICATION], _SERVICE)


def _one_more(context: Context, number: int, seconds: int) -> Problem | None:
    """Waits until so many replicas run; the reason where they do not."""

    def attempt() -> None:
        running = [task for task in parse_tasks(context.engine.tasks(service=APPLICATION)) if task.runs]
        if len(running) < number:
            raise NotYet("")

    try:
        wait_for(context.clock, seconds, "one more replica of the application", asked_again(attempt))
    except Problem as problem:
        return problem
    return None


def asked_again(attempt: Callable[[], T]) -> Callable[[], T]:
    """`attempt` for wait_for, with an answer that is not whole as one that is not there yet."""

    def asked() -> T:
        try:
            return attempt()
        except Damaged as problem:
            raise NotYet(problem.reason) from problem

    return asked
