"""What the application and the edges answer to a request, and where they do not, why, in words.

They are asked from within the network of a container: what this needs is on the machine, not in the image.
"""

from __future__ import annotations

import re

from agent import budgets, shape
from agent.context import Context
from agent.decide import edges, failure
from agent.decide.stack import APPLICATION, EDGE, NETWORK
from agent.errors import Damaged, NotYet, Unavailable
from agent.log import quote
from agent.process import CommandFailed, CommandTimedOut, run
from agent.release.plan import Plan
from agent.words import plain

_CURL = re.compile(r"curl: \([0-9]*\) (.*)")
_LOOK = 10
# on which an edge answers a release (nginx/conf.d/release.conf)
_EDGE_PORT = 8081


def check_application(plan: Plan, task: object) -> None:
    """NotYet where the application in the container of `task`, which is on this machine, does not answer a request as
    the edge sends it. Any status is an answer.
    """
    process, address = edges.process_of(task), edges.address_in(task, NETWORK)
    if process is None or address is None:
        raise NotYet("no answer: its container has no address")
    try:
        said = _ask(plan, process, f"http://{address}:{plan.port}{plan.path}")
    except Unavailable as problem:
        raise NotYet(f"no answer: {problem.reason}") from None
    if not edges.is_answer(said):
        raise NotYet(f"no answer: nothing within {budgets.ANSWER} s")


def check_edges(context: Context, plan: Plan) -> None:
    """NotYet with the edge that does not pass the application's answer on, asked through the network of the services;
    in maintenance clients do not reach it.
    """
    if plan.maintenance:
        return
    engine = context.engine
    found = edges.find_edges(engine.nodes(), engine.tasks(service=EDGE), engine.own_node(), NETWORK)
    if found is None:
        raise NotYet("no edge runs on this machine")
    for edge in found.all:
        try:
            said = _ask(plan, found.process, f"http://{edge.address}:{_EDGE_PORT}{plan.path}")
        except Unavailable as problem:
            raise NotYet(f"the edge on {edge.host} cannot be asked: {problem.reason}") from None
        if not edges.is_passed_on(said):
            status = said.split(" ")[0]
            raise NotYet(f"the edge on {edge.host} gets no answer from the application ({status})")


def why_no_answer(context: Context, plan: Plan, task: object) -> str:
    """Why the application in the container of `task` does not do; its last lines go into the log, as its own. These
    are words for a person: what cannot be had for them is left out.
    """
    id_ = _text(task, "Status", "ContainerStatus", "ContainerID")
    container = read_container(context, id_) if id_ else failure.Container()
    if id_:
        _quote("application", "docker", "logs", "--tail", "10", id_)
    if _text(task, "Status", "State") != "running":
        return failure.why_ended(task, container, plan.start_seconds)
    try:
        check_application(plan, task)
        said = "no answer; it answers now"
    except (NotYet, Damaged) as problem:
        said = problem.reason
    heard = _listens(plan, task)
    return f"within {plan.start_seconds} s (appStartSeconds) there was {said}{heard and f', {heard}'}"


def why_application(context: Context, plan: Plan, ended: bool) -> str:
    """An addition to a reason: what is wrong with a container of the application, one on this machine if there is any,
    and of those rather one that runs, or that has `ended`. Empty where Swarm does not say.
    """
    engine = context.engine
    try:
        task = failure.to_blame(engine.tasks(service=APPLICATION), engine.own_node(), ended)
    except (Unavailable, Damaged):
        return ""
    return "" if task is None else f": {why_no_answer(context, plan, task)}"


def read_container(context: Context, id_: str) -> failure.Container:
    """What Docker says of a container on this machine; nothing where it does not say."""
    try:
        return failure.read_container(context.engine.get(f"/containers/{id_}/json"))
    except (Unavailable, Damaged):
        return failure.Container()


def quote_task(task: str) -> None:
    """The last lines of a task of a service, as its own."""
    _quote(f"task {task}", "docker", "service", "logs", "--raw", "--tail", "10", task)


def _quote(name: str, *command: str) -> None:
    try:
        said = run(command, _LOOK, merge=True)
    except (CommandFailed, CommandTimedOut) as problem:
        said = problem.said
    quote(name, said)


def _ask(plan: Plan, process: int, url: str) -> str:
    """The answer's status and the edge's word that it came from the application. Unavailable with the reason why there
    is none.
    """
    limit = budgets.ANSWER
    options = ["-sS", "--noproxy", "*", "-m", str(limit), "-o", "/dev/null"]
    options += ["-w", "%{http_code} %header{twinhost-answered}"]
    options += ["-H", f"Host: {plan.settings.www}", "-H", "X-Forwarded-Proto: https"]
    try:
        return run(["nsenter", "-t", str(process), "-n", "curl", *options, url], limit + 5)
    except (CommandFailed, CommandTimedOut) as problem:
        found = _CURL.search(plain(problem.said))
        raise Unavailable(found[1] if found else f"nothing within {limit} s") from None


def _listens(plan: Plan, task: object) -> str:
    """What listens in its container instead."""
    try:
        process = edges.process_of(task)
        if process is None:
            return ""
        return failure.what_listens(run(["nsenter", "-t", str(process), "-n", "ss", "-Hltn"], _LOOK), plan.port)
    except (Unavailable, Damaged):
        return ""


def _text(value: object, *path: str) -> str:
    try:
        return shape.maybe_text(value, *path) or ""
    except Damaged:
        return ""
