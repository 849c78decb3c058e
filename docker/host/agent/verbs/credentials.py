"""twinhost credentials: gives the application's service a fresh password for its registry: one for Amazon ECR is good
for 12 hours, one that a secret holds may be rotated, and what Swarm hands to a machine that has to pull the image is
the one that came with the service (https://github.com/moby/moby/issues/31063). Nothing that runs is restarted by it:
of a task whose image is there, Swarm does not compare the password
(https://github.com/moby/swarmkit/blob/master/manager/orchestrator/task.go, IsTaskDirty).

The leader does it, whatever the record says: it changes nothing that runs.
"""

from __future__ import annotations

from agent import budgets, shape
from agent.context import Context
from agent.decide.refreshing import rests
from agent.decide.stack import APPLICATION
from agent.errors import Damaged, Refused, Unavailable
from agent.process import CommandFailed
from agent.process import run as call
from agent.registry import docker_environment, know_registry, login_for
from agent.words import last_line


def run(context: Context, _: list[str]) -> None:
    context.machine.paths.volatile.mkdir(parents=True, exist_ok=True)
    settings = context.settings()
    image = _resting_image(context)
    if image is None or not know_registry(context, settings, image):
        return
    environment = docker_environment(context, login_for(context, settings, image))
    command = ["docker", "service", "update", "--quiet", "--detach", "--no-resolve-image", "--with-registry-auth"]
    try:
        call([*command, APPLICATION], budgets.FRESH_PASSWORD, environment=environment)
    except CommandFailed as failure:
        raise Refused(f"the application did not take the fresh password: {last_line(failure.said)}") from None
    except Unavailable as problem:
        raise Refused(f"the application did not take the fresh password: {problem.reason}") from None


def _resting_image(context: Context) -> str | None:
    """The image of the application's service, where this machine is the leader and the service rests. None otherwise,
    and where the engine's answers do not say so: the next hour comes.
    """
    engine = context.engine
    try:
        if not engine.leads():
            return None
        service = engine.service(APPLICATION)
        if service is None or not rests(service, engine.tasks(service=APPLICATION)):
            return None
        return shape.filled(service, "Spec", "TaskTemplate", "ContainerSpec", "Image")
    except (Unavailable, Damaged):
        return None
