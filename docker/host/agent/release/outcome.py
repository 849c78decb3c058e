"""How a release ended. One value carries it from where it arises to CloudFormation, the log and the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.decide.convergence import Failed
from agent.errors import Problem


@dataclass(frozen=True)
class Outcome:
    """Whether every service serves, and the line that says so, or why not."""

    converged: bool
    reason: str

    @property
    def status(self) -> str:
        """As a wait condition of CloudFormation names it."""
        return "SUCCESS" if self.converged else "FAILURE"


class GivenUp(Problem):
    """Swarm has changed services, and they do not serve: the release before has to come back."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


def of_problem(problem: Problem) -> Outcome:
    return Outcome(False, problem.reason)


def of_defect(error: Exception) -> Outcome:
    """Where the agent broke, by its file and line; what an error says may hold a value, but for the system's words."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = (
        "" if where is None else f"line {where.tb_lineno} of {Path(where.tb_frame.f_code.co_filename).name} failed: "
    )
    words = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return Outcome(False, f"ended with status 1: {place}{type(error).__name__}{words}")
