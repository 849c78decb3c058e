"""Brings the release that the parameter names to the cluster and waits until every service has converged.

--boot: said by bootstrap: deploys this folder's release, and only where the cluster has none yet.
--back: said by a release that failed, of the one before: deploys this folder's release again.
--resolve: a release that has converged already takes the image that the tag of appImage means now.
"""

from __future__ import annotations

import contextlib
from typing import Callable

from agent.context import Context
from agent.decide.convergence import Converged
from agent.errors import Damaged, Problem, Refused, Unavailable
from agent.log import log
from agent.release.apply import apply
from agent.release.back import back
from agent.release.boot import boot
from agent.release.ending import Ended, ended_by_signals, signals_wait
from agent.release.leftovers import remove_leftovers
from agent.release.outcome import Outcome, of_defect, of_problem
from agent.release.pulls import end_old_pulls
from agent.release.report import Report

Program = Callable[[], "Converged | None"]


def run(context: Context, arguments: list[str]) -> int:
    """0 where the release serves, or is not this machine's to bring; 1 where it does not: the last line of the log,
    and the deploy that waits, have the reason.
    """
    for folder in (context.machine.paths.state, context.machine.paths.volatile):
        folder.mkdir(parents=True, exist_ok=True)
    report = Report(context)
    status = 0
    try:
        # what is put in order at the end is so within the reach of a signal, and after the report
        with ended_by_signals(), contextlib.ExitStack() as after:
            if arguments == ["--back"]:
                back(context)
            else:
                status = _finish(context, report, _program(context, arguments, report, after))
    except Ended as end:
        status = _fail(report, Outcome(False, end.reason))
    return status


def _program(context: Context, arguments: list[str], report: Report, after: contextlib.ExitStack) -> Program:
    if arguments == ["--boot"]:
        return lambda: boot(context, report, after)
    if arguments in ([], ["--resolve"]):
        return lambda: apply(context, bool(arguments), report, after)
    raise Refused(f"release has no arguments {' '.join(arguments)}")


def _finish(context: Context, report: Report, program: Program) -> int:
    """Runs a program to its end, and reports that, whatever it is."""
    try:
        converged = program()
    except Ended as end:
        return _fail(report, Outcome(False, end.reason))
    except Problem as problem:
        return _fail(report, of_problem(problem))
    except Exception as error:
        # a defect, or a disk that is full: the deploy reads where, and it is raised all the same
        _report(report, of_defect(error))
        raise
    if converged is None:
        return 0
    outcome = Outcome(True, f"release {context.machine.sha} has converged")
    _report(report, outcome)
    _tidy_up(context, converged)
    log(outcome.reason)
    return 0


def _fail(report: Report, outcome: Outcome) -> int:
    _report(report, outcome)
    log(outcome.reason)
    return 1


def _report(report: Report, outcome: Outcome) -> None:
    # a report that is cut short would be one that nobody gives again
    with signals_wait():
        report.send(outcome)


def _tidy_up(context: Context, converged: Converged) -> None:
    """What is left of earlier releases; that it stays changes no end of this one."""
    end_old_pulls(context)
    try:
        remove_leftovers(converged, context)
    except (Unavailable, Damaged):
        log("configs and secrets that nothing uses stay until the next release")
