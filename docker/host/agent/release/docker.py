"""Docker's command line, for what its API does not do: pulls, containers that are asked something, stacks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent import budgets
from agent.decide.containers import Said
from agent.errors import Hopeless, NotYet, Unavailable
from agent.process import CommandFailed, CommandTimedOut, run
from agent.words import last_line, plain

# statuses of a program that was ended from outside: by `timeout`, with KILL in a shell's words and in Python's
_ENDED = (124, 137, -9)
# at these words another machine has done the same at the same time, and the next attempt finds it done
_AT_ONCE = ("out of sequence", "already exists", "AlreadyExists")
_INSPECT = 20
_REMOVE = 30


@dataclass(frozen=True)
class Docker:
    """How Docker's command line is called for a release: with which login, and whether Swarm is given it, too."""

    environment: Mapping[str, str] = field(default_factory=dict)
    send_login: bool = True

    @property
    def registry_auth(self) -> tuple[str, ...]:
        return ("--with-registry-auth",) if self.send_login else ()

    def run(self, limit: float, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """What `docker ARGUMENTS` says, on both streams. CommandFailed, CommandTimedOut."""
        return run(["docker", *arguments], limit, environment={**self.environment, **(environment or {})}, merge=True)

    def has(self, image: str) -> bool:
        """Whether Docker has the image on this machine; where it does not say so, it is pulled."""
        try:
            self.run(_INSPECT, "image", "inspect", image)
        except Unavailable:
            return False
        return True

    def inspect(self, image: str, template: str) -> str:
        """What Docker knows of an image on this machine, by a template of its own."""
        return run(["docker", "image", "inspect", "--format", template, image], _INSPECT, environment=self.environment)

    def pull(self, place: str, limit: int) -> str | None:
        """Pulls an image; why it could not, otherwise."""
        try:
            self.run(limit, "pull", "-q", place)
        except CommandTimedOut:
            return f"no end within {limit} s"
        except CommandFailed as failure:
            return last_line(failure.said) or f"no end within {limit} s"
        return None

    def ask_container(self, arguments: Sequence[str]) -> Said:
        """Runs a container for a minute at most. Docker's command line hands TERM on to the container, which may
        ignore it, and then waits for its end
        (https://github.com/docker/cli/blob/v25.0.0/cli/command/container/run.go): the container goes by its name.
        """
        name = f"twinhost-release-{os.getpid()}"
        try:
            words = self.run(budgets.CONTAINER, "run", "--rm", "--name", name, "--network", "none", *arguments)
            return Said(0, plain(words))
        except CommandFailed as failure:
            late = failure.status in _ENDED
            return _said(failure.status, failure.said, late)
        except CommandTimedOut as late:
            return _said(124, late.said, True)
        finally:
            quietly(_REMOVE, "rm", "--force", name)

    def deploy_stack(self, name: str, files: Sequence[str], environment: Mapping[str, str]) -> None:
        """Has Swarm take a stack. `environment` is what the files ask for: of nothing else is it known that it reaches
        them. Every image has its digest, or is one of this machine: no registry is asked for another. NotYet where
        another machine did the same at once: Swarm turns one of them away as out of date. Hopeless with Docker's own
        words where it refuses.
        """
        arguments = [*files, "--prune", *self.registry_auth, "--resolve-image", "never", name]
        try:
            self.run(budgets.DEPLOY_CALL, "stack", "deploy", *arguments, environment=environment)
        except CommandTimedOut as late:
            raise Hopeless(_no_end(late.said)) from None
        except CommandFailed as failure:
            if failure.status in _ENDED:
                raise Hopeless(_no_end(failure.said)) from None
            reason = last_line(failure.said) or failure.reason
            if any(words in failure.said for words in _AT_ONCE):
                raise NotYet(reason) from None
            raise Hopeless(reason) from None


def remove_services(*names: str) -> None:
    """Removes those services where they are there."""
    quietly(_REMOVE, "service", "rm", *names)


def quietly(limit: float, *arguments: str) -> None:
    """Runs `docker ARGUMENTS`, whose success nothing depends on: what it is to remove may not be there."""
    with contextlib.suppress(Unavailable):
        run(["docker", *arguments], limit, merge=True)


def _said(status: int, words: str, late: bool) -> Said:
    lines = [*plain(words).splitlines(), *([f"no answer within {budgets.CONTAINER} s"] if late else [])]
    return Said(status, "\n".join(lines))


def _no_end(said: str) -> str:
    return f"docker stack deploy had no end within {budgets.DEPLOY_CALL} s, last: {last_line(said)}"
