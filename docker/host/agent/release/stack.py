"""Swarm: takes the stack, and is watched until every service has converged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from agent import budgets, shape
from agent.clock import wait_for
from agent.context import Context
from agent.decide.convergence import Converged, Expected, Failed, Update, Waiting, judge, updates
from agent.decide.nodes import runs
from agent.decide.stack import APPLICATION, CERTBOT, OF_STACK, SERVICES, STACK
from agent.engine import filters
from agent.errors import Hopeless, NotYet, Problem, TimedOut
from agent.lease import Lease
from agent.release.docker import Docker
from agent.release.outcome import GivenUp
from agent.release.plan import Plan, work_folder
from agent.release.waiting import whole


class _SwarmGaveUp(Hopeless):
    """Swarm has rolled a service back, or given it up."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


def stack_files(context: Context, plan: Plan) -> list[str]:
    """The compose files of which the stack is made, as arguments of `docker stack deploy`."""
    release, work = context.machine.release, work_folder(context)
    files = [release / "docker/stack.yml", release / "docker/app/service.yml", work / "configs.json", work / "app.json"]
    if plan.default_page:
        files.append(release / "docker/app/stack.yml")
    if plan.health_path:
        files.append(release / "docker/app/health.yml")
    return as_arguments(files)


def as_arguments(files: Sequence[Path]) -> list[str]:
    return [word for file in files for word in ("-c", str(file))]


def services_run(context: Context) -> bool:
    """Whether Swarm runs any service of the stack; raises where it does not say."""
    return bool(context.engine.services(label=OF_STACK))


def last_updates(context: Context) -> Mapping[str, Update]:
    """The last update of each service, to tell an old failure from a new one."""
    return updates(context.engine.services(label=OF_STACK))


def deploy(_: Lease, context: Context, docker: Docker, plan: Plan) -> None:
    """Has Swarm take the stack. GivenUp where it does not: some services may have been changed."""
    files = stack_files(context, plan)
    try:
        wait_for(
            context.clock,
            budgets.DEPLOY,
            "Swarm to take the release",
            lambda: docker.deploy_stack(STACK, files, plan.environment()),
        )
    except (TimedOut, Hopeless) as problem:
        raise GivenUp(Failed(problem.reason)) from None


class Watch:
    """Watches the services of the stack from when Swarm has taken it. `new`: the application is new to the cluster;
    `boot`: certbot, whose image comes from afar, is not waited for.
    """

    def __init__(self, context: Context, before: Mapping[str, Update], new: bool, boot: bool) -> None:
        self._context = context
        self._before = before
        self._new = APPLICATION if new else None
        self._boot = boot
        self._deployed = context.clock.uptime()
        self._rollback: Failed | None = None
        self._same: tuple[int, list[str]] | None = None

    def wait_until_converged(self, seconds: int, what: str, steady: int | None = None) -> Converged:
        """Waits until every service runs what it was told to, and with `steady` by the same containers for so many
        seconds: of what ends and is started again it is seen whether it runs as well. GivenUp with the reason.
        """
        attempt = partial(self._converged_for, steady)
        try:
            return wait_for(self._context.clock, seconds, what, whole(attempt))
        except _SwarmGaveUp as end:
            raise GivenUp(end.failed) from None
        except (TimedOut, Hopeless) as end:
            task = self._rollback.task if self._rollback else None
            raise GivenUp(Failed(end.reason, task)) from None

    def converged(self) -> Converged:
        """NotYet with what is missing; Hopeless where Swarm has given up or rolled back."""
        engine = self._context.engine
        late = self._context.clock.uptime() - self._deployed > budgets.PULL_PATIENCE
        expected = Expected(SERVICES, self._before, CERTBOT, self._new, self._boot, late)
        verdict = judge(engine.nodes(), engine.services(label=OF_STACK), engine.tasks(label=OF_STACK), expected)
        if isinstance(verdict, Converged):
            return verdict
        if isinstance(verdict, Waiting):
            self._rollback = self._rollback or verdict.rollback
            raise NotYet(verdict.reason)
        raise _SwarmGaveUp(self._rollback or verdict)

    def _converged_for(self, seconds: int | None) -> Converged:
        if seconds is None:
            return self.converged()
        try:
            converged = self.converged()
        except Problem:
            self._same = None
            raise
        running = self._running()
        now = self._context.clock.uptime()
        if self._same is None or self._same[1] != running:
            self._same = now, running
        if now - self._same[0] < seconds:
            raise NotYet(f"the same containers to run for {seconds} s")
        return converged

    def _running(self) -> list[str]:
        """The tasks that run, but certbot's, which may not have come yet."""
        services = [name for name in SERVICES if name != CERTBOT]
        tasks = shape.items(self._context.engine.get(f"/tasks?{filters({'service': services})}"))
        found = sorted(shape.filled(task, "ID") for task in tasks if runs(task))
        if not found:
            raise NotYet("Docker shows no container that runs")
        return found
