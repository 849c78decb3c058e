"""The trial. A new application first runs in one container on this machine, to which no client comes. Only where it
answers, and continues to run, does Swarm hear of the release. The first release has none: there are no clients yet,
and no network of the services.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from agent import budgets, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.failure import Container
from agent.errors import Damaged, Hopeless, NotYet, Refused, TimedOut, Unavailable
from agent.lease import Lease
from agent.log import log
from agent.release.answers import check_application, read_container, why_no_answer
from agent.release.application import write_trial
from agent.release.docker import Docker, remove_services
from agent.release.plan import DELAY, Plan, work_folder
from agent.release.stack import as_arguments
from agent.release.waiting import whole
from agent.words import one_line

_TRIAL = "twinhost-trial"
_SERVICE = f"{_TRIAL}_trial"
_ENDED = ("complete", "failed", "rejected", "shutdown", "orphaned", "remove")
# https://docs.kernel.org/filesystems/proc.html, oom_score_adj: the first to be ended where memory runs out
_FIRST = "1000\n"


def try_application(_: Lease, context: Context, docker: Docker, plan: Plan, after: contextlib.ExitStack) -> Plan:
    """Refused with the reason where the application does not stand its trial, and where none can be held. Returns the
    plan with the seconds for which, as the containers are exchanged, the next one waits for the one before. Nothing is
    left of a trial when `after` has ended.
    """
    after.callback(_end)
    _end()
    begin = context.clock.uptime()
    log("tries the application in a container of its own")
    trial = _Trial(context, plan)
    try:
        attempt = whole(lambda: _deploy(context, docker, plan))
        wait_for(context.clock, budgets.DEPLOY, "Swarm to take the trial", attempt)
    except (TimedOut, Hopeless) as problem:
        raise Refused(f"the application cannot be tried: {problem.reason}") from None
    try:
        seconds = plan.start_seconds + budgets.TRIAL
        wait_for(context.clock, seconds, "the application to answer in its trial", whole(trial.check))
        # without a check of its health a container counts as soon as it runs, and may not listen yet
        delay = DELAY if trial.container.checked else context.clock.uptime() - begin + DELAY
        since = context.clock.uptime()
        what = f"the application to go on answering for {budgets.STEADY} s"
        again = whole(lambda: trial.check_since(since))
        wait_for(context.clock, budgets.STEADY + budgets.ANSWER, what, again)
    except (TimedOut, Hopeless):
        why = why_no_answer(context, plan, trial.task)
        _end()
        raise Refused(f"the application was tried and is not released: {why}") from None
    _end()
    return replace(plan, delay=delay)


class _Trial:
    """The container of a trial, as it was seen last."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context = context
        self._plan = plan
        self.task: object = None
        self.container = Container()

    def check(self) -> None:
        """NotYet with what it does instead of answering; Hopeless where it has ended. One that has a check of its
        health runs, to Swarm, when it is healthy.
        """
        tasks = self._context.engine.tasks(service=_SERVICE)
        if not tasks:
            raise NotYet("Swarm has not started it")
        self.task = max(tasks, key=lambda task: shape.maybe_text(task, "CreatedAt") or "")
        state = shape.filled(self.task, "Status", "State")
        id_ = shape.maybe_text(self.task, "Status", "ContainerStatus", "ContainerID")
        if id_:
            self.container = read_container(self._context, id_)
        if state in _ENDED:
            raise Hopeless("it has ended")
        if state != "running":
            error = shape.maybe_text(self.task, "Status", "Err")
            raise NotYet(f"it is {state}{f': {one_line(error)}' if error else ''}")
        if id_:
            _let_end_first(self._context, id_)
        check_application(self._plan, self.task)

    def check_since(self, since: int) -> None:
        """The same, until it has answered for long enough."""
        self.check()
        if self._context.clock.uptime() - since < budgets.STEADY:
            raise NotYet("")


def _deploy(context: Context, docker: Docker, plan: Plan) -> None:
    """The application's service by another name, in a stack of its own."""
    try:
        node = context.engine.own_node()
    except (Unavailable, Damaged):
        raise NotYet("Docker does not say which node this machine is") from None
    work = work_folder(context)
    files = []
    for name in ("service", "health", "trial"):
        if name == "health" and not plan.health_path:
            continue
        lines = (context.machine.release / f"docker/app/{name}.yml").read_text("utf-8").split("\n")
        file = work / f"trial-{name}.yml"
        file.write_text("\n".join("  trial:" if line == "  app:" else line for line in lines), "utf-8")
        files.append(file)
    write_trial(context)
    arguments = as_arguments([*files, work / "trial.json"])
    docker.deploy_stack(_TRIAL, arguments, plan.environment(TWINHOST_NODE=node))


def _let_end_first(context: Context, container: str) -> None:
    """Where memory runs out, the kernel ends these processes, not those that serve."""
    try:
        found = context.engine.get(f"/containers/{container}/top?ps_args=-o%20pid")
        processes = [shape.text(row, 0) for row in shape.maybe_items(found, "Processes")]
    except (Unavailable, Damaged):
        return
    for process in processes:
        if process.isdecimal():
            # it may have ended
            with contextlib.suppress(OSError):
                (context.machine.paths.root / "proc" / process / "oom_score_adj").write_text(_FIRST)


def _end() -> None:
    remove_services(_SERVICE)
